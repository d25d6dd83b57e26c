#!/usr/bin/env bash
# Runs a Python script of this folder in an environment with scion's peers:
#   bench/python.sh SCRIPT [ARGUMENTS]
# The environment, .deps/bench-python, is created on first use.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ $# -eq 0 ] || ! [ -f "bench/$1" ]; then
  echo "error: no such script: 'bench/${1:-}'" >&2
  echo "hint: bench/python.sh SCRIPT [ARGUMENTS]" >&2
  exit 2
fi

environment=.deps/bench-python
torch=$(grep '^torch==' cmake/libtorch-wheels.txt)
wanted="$torch $(grep -v '^#' bench/pytorch/requirements.txt | tr '\n' ' ')"
if [ "$(cat "$environment/.installed" 2>/dev/null)" != "$wanted" ]; then
  echo "pip: installing $wanted in $environment"
  rm -rf "$environment" .deps/bench-loss # built against the old one
  python3 -m venv "$environment" || {
    echo "error: python3 cannot create a virtual environment" >&2
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
