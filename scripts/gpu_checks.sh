#!/usr/bin/env bash
# What only a GPU can tell of a CUDA build: the tests, the tests once more under NVIDIA's
# compute-sanitizer where it is installed, a short training on both devices, and the transducer loss
# beside its peers.
#   scripts/gpu_checks.sh [tests] [sanitizer] [train] [bench]     (all of them without a word)
# The programs have to be there: make cuda, and for the last part
#   scripts/build.sh cuda JOBS --target loss_speed -D SCION_BENCH=ON
#   PYTHON   of the bench, with torch, torchaudio and safetensors (default: bench/python.sh's own)
set -uo pipefail
cd "$(dirname "$0")/.." || exit
tests=build/cuda/bin/scion_tests
failed=0

need() {
  [ -x "$1" ] && return
  echo "error: there is no program $1" >&2
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
  scripts/run_tests.sh "$tests" --gtest_filter='*Cuda*:*OnAGpu*:*K2*'
}

# racecheck and synccheck look at shared memory and barriers, initcheck at memory nothing wrote.
# The largest cases take minutes under them and show nothing that the others do not.
sanitize() {
  command -v compute-sanitizer >/dev/null || {
    echo "compute-sanitizer is not installed: left out"
    return 0
  }
  local tool status=0
  for tool in memcheck racecheck synccheck initcheck; do
    echo "---- $tool"
    timeout 300 compute-sanitizer --tool "$tool" --error-exitcode 9 --print-limit 20 \
      "$tests" --gtest_brief=1 --gtest_filter='CudaLoss.*:-*MoreThan*:*LongUtterances*' || status=1
  done
  return $status
}

# The same model on the same batches: what it has learnt after two epochs has to be much the same.
train() {
  local folder device status=0
  folder=$(mktemp -d)
  cat >"$folder/run.toml" <<EOF
[data]
train = ["$PWD/data/an4/train.jsonl"]
evaluation = ["dev=$PWD/data/an4/dev.jsonl"]
[model]
preset = "an4-student"
[train]
epochs = 2
EOF
  for device in cpu cuda; do
    echo "---- $device"
    build/cuda/bin/scion train --config "$folder/run.toml" --train.device "$device" \
      --out "$folder/$device" || status=1
  done
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

need "$tests" "'make cuda' builds it"
[ $# -gt 0 ] || set -- tests sanitizer train bench
for part in "$@"; do
  case $part in
    tests) section "tests" run_tests ;;
    sanitizer) section "compute-sanitizer" sanitize ;;
    train)
      need build/cuda/bin/scion "'make cuda' builds it"
      section "two epochs on either device" train
      ;;
    bench)
      need build/cuda/bin/loss_speed "scripts/build.sh cuda 2 --target loss_speed -D SCION_BENCH=ON"
      section "the transducer loss beside its peers" bench
      ;;
    *)
      echo "error: no part '$part' (tests, sanitizer, train, bench)" >&2
      exit 2
      ;;
  esac
done
exit $failed
