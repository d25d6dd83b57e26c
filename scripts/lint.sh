#!/usr/bin/env bash
# Checks the sources with clang-format and clang-tidy: scripts/lint.sh JOBS
set -euo pipefail
cd "$(dirname "$0")/.."
jobs=$1
folder=build/lint

mapfile -t files < <(git ls-files '*.h' '*.cc' '*.cu')
echo "clang-format: ${#files[@]} files"
clang-format --dry-run -Werror "${files[@]}" ||
  { echo "error: the formatting differs ('make format' fixes it)" >&2 && exit 1; }

# Clang can read neither GCC's precompiled header nor all of its options, so it gets a separate
# compilation database and precompiled header. As in the build, a folder's sources form one translation
# unit, because most of the time is spent on torch's headers.
mkdir -p "$folder"
cmake --preset cpu -B "$folder/cmake" >"$folder/configure.log" 2>&1 ||
  { cat "$folder/configure.log" >&2 && exit 1; }
header=$PWD/$folder/precompiled.pch
sed -E -e "s| -include [^ ]*cmake_pch\.hxx| -include-pch $header|" \
  -e 's/ (-fpch-preprocess|-Winvalid-pch|-Wno-restrict|-Wno-stringop-overflow)//g' \
  "$folder/cmake/compile_commands.json" >"$folder/compile_commands.json"
if ! [ -f "$header" ] || [ cmake/precompiled.h -nt "$header" ] || [ CMakeLists.txt -nt "$header" ]; then
  echo "clang++: compiling cmake/precompiled.h"
  options=$(grep -m 1 -o '"command": .*-include-pch.*' "$folder/compile_commands.json" |
    sed -E -e 's/^"command": "[^ ]+ //' -e 's/ -include-pch .*//' -e 's/\\"/"/g' -e 's/\\\\/\\/g')
  # Time stamps of system headers may change although their text does not.
  eval "clang++ $options -Xclang -fno-pch-timestamp -x c++-header cmake/precompiled.h -o '$header'"
fi

# CUDA sources are left out: clang would need its own CUDA toolkit.
mapfile -t units < <(grep -o '"file": "[^"]*"' "$folder/compile_commands.json" | cut -d'"' -f4 |
  grep -v 'cmake_pch')
echo "clang-tidy: ${#units[@]} translation units"
printf '%s\0' "${units[@]}" |
  xargs -0 -n 1 -P "$jobs" bash -c '
    log=$(clang-tidy --quiet -p "$0" "$1" 2>/dev/null)
    status=$?
    echo "  $(basename "$1")"
    [ -z "$log" ] || echo "$log"
    exit $status' "$folder" ||
  { echo "error: lint failed, see above" >&2 && exit 1; }
echo "lint: no findings"
