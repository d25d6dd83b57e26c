#!/usr/bin/env bash
# Training speed of `scion train` beside the same model in plain PyTorch, one line a case:
#   bench/training_speed.sh [--presets an4-student] [--precisions bf16] [--threads 1] [--turns 2]
# What Python needs is installed in .deps/bench-python, once.
set -euo pipefail
cd "$(dirname "$0")/.."

environment=.deps/bench-python
torch=$(grep '^torch==' cmake/libtorch-wheels.txt)
wanted="$torch $(grep -v '^#' bench/pytorch/requirements.txt | tr '\n' ' ')"
if [ "$(cat "$environment/.installed" 2>/dev/null)" != "$wanted" ]; then
  echo "pip: installing $wanted in $environment"
  rm -rf "$environment"
  python3 -m venv "$environment"
  # shellcheck disable=SC2086 # a list of words
  "$environment/bin/pip" install --quiet --disable-pip-version-check $wanted "torchaudio==${torch#torch==}"
  echo "$wanted" >"$environment/.installed"
fi
exec "$environment/bin/python" bench/training_speed.py "$@"
