#!/usr/bin/env bash
# Runs a Python script beside this one with the peers that scion is measured against:
#   bench/python.sh SCRIPT [ARGUMENTS]
# What Python needs is installed in .deps/bench-python, once.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ $# -eq 0 ] || ! [ -f "bench/$1" ]; then
  echo "error: there is no script 'bench/${1:-}'" >&2
  echo "hint: bench/python.sh SCRIPT [ARGUMENTS]" >&2
  exit 2
fi

environment=.deps/bench-python
torch=$(grep '^torch==' cmake/libtorch-wheels.txt)
wanted="$torch $(grep -v '^#' bench/pytorch/requirements.txt | tr '\n' ' ')"
if [ "$(cat "$environment/.installed" 2>/dev/null)" != "$wanted" ]; then
  echo "pip: installing $wanted in $environment"
  rm -rf "$environment" .deps/bench-loss # what was built against it
  python3 -m venv "$environment" || {
    echo "error: python3 makes no virtual environment" >&2
    echo "hint: scripts/install_dependencies.sh bench installs what it needs" >&2
    exit 1
  }
  # shellcheck disable=SC2086 # a list of words
  "$environment/bin/pip" install --quiet --disable-pip-version-check $wanted "torchaudio==${torch#torch==}"
  echo "$wanted" >"$environment/.installed"
fi
script=$1
shift
exec "$environment/bin/python" "bench/$script" "$@"
