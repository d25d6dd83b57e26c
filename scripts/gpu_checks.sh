#!/usr/bin/env bash
# Checks of a CUDA build that need a GPU: the tests, the tests under NVIDIA's compute-sanitizer if it
# is installed, a short training on both devices, training and the transducer loss beside their peers,
# kernels by share of the time, and recognition. All of it takes some 12 minutes.
#   scripts/gpu_checks.sh [tests] [sanitizer] [train] [speed] [bench] [profile] [recognise]
#   (default: all)
# Build the programs first: make cuda, and for the bench
#   scripts/build.sh cuda JOBS --target loss_speed -D SCION_BENCH=ON
# They may come from another machine as a bundle (scripts/bundle.sh); set LD_LIBRARY_PATH to its
# libraries then, and keep the sources at the path where the tests were built.
#   MODEL    a model file for `recognise` (default: the one that `train` leaves in exp/gpu_checks)
#   TOOLS    tools of the sanitizer (default: memcheck racecheck synccheck initcheck)
#   PYTHON   Python of the bench, with torch, torchaudio and safetensors (default: bench/python.sh's)
set -uo pipefail
cd "$(dirname "$0")/.." || exit
bin=build/cuda/bin
failed=0

need() {
  [ -x "$bin/$1" ] && return
  echo "error: no such program: $bin/$1" >&2
  echo "hint: $2" >&2
  exit 1
}

# Runs one part; the others run even if it fails.
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
  # Without a visible GPU these tests are skipped, which counts as a failure here.
  ! grep -qv ' 0 skipped$' build/tests.txt
}

# Checks scion's own kernels, not cuBLAS's. The largest cases are left out: they take minutes under
# these tools and cover no code that the smaller ones do not.
sanitize() {
  command -v compute-sanitizer >/dev/null || {
    echo "compute-sanitizer is not installed: skipped"
    return 0
  }
  local tool status=0
  local small='CudaLoss.*:OnDevice.OnAGpu*:-*MoreThan*:*LongUtterances*:*OverABand*:*TheSameBytes*'
  for tool in ${TOOLS:-memcheck racecheck synccheck initcheck}; do
    echo "---- $tool"
    timeout 90 compute-sanitizer --tool "$tool" --kernel-name kns=run_body \
      --error-exitcode 9 --print-limit 20 \
      "$bin/scion_tests" --gtest_brief=1 --gtest_filter="$small" || status=1
  done
  return $status
}

# Prints the loss of a run's last epoch.
last_loss() {
  sed -nE 's|.* epoch 2/2 +loss ([0-9.]+).*|\1|p' "$1" | tail -n 1
}

# Trains the same model on the same batches on both devices. After two epochs the losses must agree
# to 1 %.
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
      printf "loss of the second epoch: %s on the CPU, %s on the GPU\n", cpu, cuda
      exit !(cpu > 0 && cuda > 0 && (cuda / cpu - 1) ^ 2 < 1e-4) }'
  local status=$?
  mkdir -p exp/gpu_checks
  cp "$folder/cuda/model.safetensors" exp/gpu_checks/ 2>/dev/null
  rm -rf "$folder"
  return $status
}

# A script of bench/ with its arguments.
python() {
  if [ -n "${PYTHON:-}" ]; then
    "$PYTHON" bench/"$1" "${@:2}"
  else
    bench/python.sh "$@"
  fi
}

# x real time, memory and the GPU's busy share of every preset, beside plain and compiled PyTorch.
speed() {
  python training_speed.py --device cuda --scion "$bin/scion" --precisions bf16
}

bench() {
  python loss_speed.py --devices cuda
}

# One preset's kernels by their share, launches and the GPU's busy share, over two epochs of AN4.
profile() {
  local folder
  folder=$(mktemp -d)
  cat >"$folder/run.toml" <<EOF
[data]
train = ["$PWD/data/an4/train.jsonl"]
[model]
preset = "conformer-9m"
[loader]
batch_seconds = 300
[train]
epochs = 2
init = "default"
precision = "bf16"
device = "cuda"
EOF
  scripts/gpu_profile.sh --lines 40 "$bin/scion" --quiet train --config "$folder/run.toml" \
    --out "$folder/run"
  local status=$?
  rm -rf "$folder"
  return $status
}

# Evaluation on both devices: texts and error rates must agree; the log has the speed.
recognise() {
  local model=${MODEL:-exp/gpu_checks/model.safetensors} device status=0
  [ -f "$model" ] || {
    echo "no model '$model': skipped (run 'train' first, or give MODEL)"
    return 0
  }
  local folder
  folder=$(mktemp -d)
  for device in cpu cuda; do
    "$bin/scion" evaluate --model "$model" --manifest data/an4/test.jsonl --device "$device" \
      >"$folder/$device.txt" 2>"$folder/$device.log" || status=1
    cat "$folder/$device.log" "$folder/$device.txt"
  done
  rm -rf "$folder"
  return $status
}

nvidia-smi -L || {
  echo "error: no GPU found" >&2
  echo "hint: 'nvidia-smi -L' must list one" >&2
  exit 1
}
need scion_tests "'make cuda' builds it"
[ $# -gt 0 ] || set -- tests sanitizer train speed bench profile recognise
for part in "$@"; do
  case $part in
    tests) section "tests" run_tests ;;
    sanitizer) section "compute-sanitizer" sanitize ;;
    train)
      need scion "'make cuda' builds it"
      section "two epochs on both devices" train
      ;;
    speed)
      need scion "'make cuda' builds it"
      section "training beside PyTorch" speed
      ;;
    profile)
      need scion "'make cuda' builds it"
      section "kernels of a training" profile
      ;;
    recognise)
      need scion "'make cuda' builds it"
      section "evaluation on both devices" recognise
      ;;
    bench)
      need loss_speed "scripts/build.sh cuda 2 --target loss_speed -D SCION_BENCH=ON"
      section "the transducer loss beside its peers" bench
      ;;
    *)
      echo "error: unknown part '$part' (tests, sanitizer, train, speed, bench, profile, recognise)" >&2
      exit 2
      ;;
  esac
done
exit $failed
