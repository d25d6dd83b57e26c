#!/usr/bin/env bash
# What only a GPU can tell of a CUDA build: the tests, the tests once more under NVIDIA's
# compute-sanitizer where it is installed, a short training on both devices, and the transducer loss
# beside its peers.
#   scripts/gpu_checks.sh [tests] [sanitizer] [train] [bench]     (all of them without a word)
# The programs have to be there: make cuda, and for the last part
#   scripts/build.sh cuda JOBS --target loss_speed -D SCION_BENCH=ON
# They may have come from elsewhere as a bundle (scripts/bundle.sh); its libraries are then found by
# LD_LIBRARY_PATH, and the tests' files by the path that the tests were built in.
#   TOOLS    of the sanitizer (default: memcheck racecheck synccheck initcheck)
#   PYTHON   of the bench, with torch, torchaudio and safetensors (default: bench/python.sh's own)
set -uo pipefail
cd "$(dirname "$0")/.." || exit
bin=build/cuda/bin
failed=0

need() {
  [ -x "$bin/$1" ] && return
  echo "error: there is no program $bin/$1" >&2
  echo "hint: $2" >&2
  exit 1
}

# A part that fails does not keep the others from running.
section() {
  local title=$1 start=$SECONDS
  shift
  echo "==== $title"
  "$@" || {
    failed=1
    echo "==== $title: FAILED"
  }
  echo "==== $title: $((SECONDS - start)) s"
}

run_tests() {
  scripts/run_tests.sh "$bin/scion_tests" --gtest_filter='*Cuda*:*OnAGpu*:*K2*' || return
  # A program that does not see the GPU skips them.
  ! grep -qv ' 0 skipped$' build/tests.txt
}

# racecheck and synccheck look at shared memory and barriers, initcheck at memory nothing wrote; of
# scion's own kernels, not of cuBLAS's. The largest cases take minutes under them and show nothing
# that the others do not.
sanitize() {
  command -v compute-sanitizer >/dev/null || {
    echo "compute-sanitizer is not installed: left out"
    return 0
  }
  local tool status=0
  local small='CudaLoss.*:-*MoreThan*:*LongUtterances*:*OverABand*:*TheSameBytes*'
  for tool in ${TOOLS:-memcheck racecheck synccheck initcheck}; do
    echo "---- $tool"
    timeout 300 compute-sanitizer --tool "$tool" --kernel-name kns=run_body \
      --error-exitcode 9 --print-limit 20 \
      "$bin/scion_tests" --gtest_brief=1 --gtest_filter="$small" || status=1
  done
  return $status
}

# The loss of a run's last epoch.
last_loss() {
  sed -nE 's|.* epoch 2/2 +loss ([0-9.]+).*|\1|p' "$1" | tail -n 1
}

# The same model on the same batches: two epochs have to come to the same loss, to a hundredth.
train() {
  local folder device
  folder=$(mktemp -d)
  cat >"$folder/run.toml" <<EOF
[data]
train = ["$PWD/data/an4/train.jsonl"]
[model]
preset = "an4-student"
[train]
epochs = 2
EOF
  for device in cpu cuda; do
    echo "---- $device"
    "$bin/scion" train --config "$folder/run.toml" --train.device "$device" \
      --out "$folder/$device" 2>&1 | tee "$folder/$device.log"
  done
  awk -v cpu="$(last_loss "$folder/cpu.log")" -v cuda="$(last_loss "$folder/cuda.log")" 'BEGIN {
      printf "loss of the second epoch: %s on the processor, %s on the GPU\n", cpu, cuda
      exit !(cpu > 0 && cuda > 0 && (cuda / cpu - 1) ^ 2 < 1e-4) }'
  local status=$?
  rm -rf "$folder"
  return $status
}

bench() {
  if [ -n "${PYTHON:-}" ]; then
    "$PYTHON" bench/loss_speed.py --devices cuda
  else
    bench/python.sh loss_speed.py --devices cuda
  fi
}

nvidia-smi -L || {
  echo "error: no GPU is seen" >&2
  echo "hint: nvidia-smi has to list one" >&2
  exit 1
}
need scion_tests "'make cuda' builds it"
[ $# -gt 0 ] || set -- tests sanitizer train bench
for part in "$@"; do
  case $part in
    tests) section "tests" run_tests ;;
    sanitizer) section "compute-sanitizer" sanitize ;;
    train)
      need scion "'make cuda' builds it"
      section "two epochs on either device" train
      ;;
    bench)
      need loss_speed "scripts/build.sh cuda 2 --target loss_speed -D SCION_BENCH=ON"
      section "the transducer loss beside its peers" bench
      ;;
    *)
      echo "error: no part '$part' (tests, sanitizer, train, bench)" >&2
      exit 2
      ;;
  esac
done
exit $failed
