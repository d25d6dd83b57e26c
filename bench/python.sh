#!/usr/bin/env bash
# Runs a Python script beside this one with the peers that scion is measured against:
#   bench/python.sh SCRIPT [ARGUMENTS]
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
script=$1
shift
exec "$environment/bin/python" "bench/$script" "$@"
