#!/usr/bin/env bash
# Configures (once) and builds a CMake preset:
#   scripts/build.sh PRESET JOBS [--target NAME] [configure option]...
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1 jobs=$2
shift 2
folder=build/$preset
target=()
if [ "${1:-}" = --target ]; then
  target=(--target "$2")
  shift 2
fi
mkdir -p build
if ! [ -f "$folder/build.ninja" ] || [ CMakePresets.json -nt "$folder/build.ninja" ] || [ $# -gt 0 ]; then
  echo "cmake: configuring $folder"
  cmake --preset "$preset" "$@" >build/configure.log 2>&1 || {
    cat build/configure.log >&2
    exit 1
  }
fi
echo "cmake: building $folder with $jobs processes"
exec cmake --build "$folder" --parallel "$jobs" "${target[@]}"
