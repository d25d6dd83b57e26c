#!/usr/bin/env bash
# Layout by clang-format, habits by clang-tidy's checks: scripts/lint.sh JOBS [FILE]...
# Without files: every tracked source.
#
# The checks (.clang-tidy) run inside clangd: it looks at the file itself, where the clang-tidy
# program looks at the whole of torch's headers again and again, 20 times as long.
# shellcheck disable=SC2016 # what stands in single quotes is for the inner shell
set -euo pipefail
cd "$(dirname "$0")/.."
jobs=$1
shift
export folder=build/lint

# Prints what clangd finds in one file as FILE:LINE: message [check]; fails if that is anything.
check() {
  local log
  log=$(clangd --check="$1" --check-lines=1-1 --compile-commands-dir="$folder" 2>&1) || true
  if ! grep -q 'All checks completed' <<<"$log"; then
    echo "$1: clangd did not finish"
    tail -n 3 <<<"$log"
    return 1
  fi
  ! sed -n -E "s|^[EWI]\[[0-9:.]+\] (\[[a-z_-]+\]) Line ([0-9]+): (.*)|$1:\2: \3 \1|p" <<<"$log" |
    grep .
}
export -f check

if [ $# -gt 0 ]; then files=("$@"); else mapfile -t files < <(git ls-files '*.h' '*.cc' '*.cu'); fi
echo "clang-format: ${#files[@]} files"
printf '%s\0' "${files[@]}" |
  xargs -0 -n 1 bash -c 'clang-format --dry-run -Werror "$0" 2>/dev/null ||
    { echo "$0: another layout" && exit 1; }' ||
  { echo "error: the layout differs (make format mends it)" >&2 && exit 1; }

# Clang cannot read GCC's precompiled header and does not know all of GCC's options: it gets a
# compilation database of its own, and a header that it compiled itself.
mkdir -p "$folder"
cmake --preset cpu -B "$folder/cmake" -D SCION_UNITY=OFF >"$folder/configure.log" 2>&1 ||
  { cat "$folder/configure.log" >&2 && exit 1; }
header=$PWD/$folder/precompiled.pch
sed -E -e "s| -include [^ ]*cmake_pch\.hxx| -include-pch $header|" \
  -e 's/ (-fpch-preprocess|-Winvalid-pch|-Wno-restrict|-Wno-stringop-overflow)//g' \
  "$folder/cmake/compile_commands.json" >"$folder/compile_commands.json"
if ! [ -f "$header" ] || [ cmake/precompiled.h -nt "$header" ] ||
  [ CMakeLists.txt -nt "$header" ]; then
  echo "clang++: compiling cmake/precompiled.h"
  options=$(grep -m 1 -o '"command": .*-include-pch.*' "$folder/compile_commands.json" |
    sed -E -e 's/^"command": "[^ ]+ //' -e 's/ -include-pch .*//' -e 's/\\"/"/g' -e 's/\\\\/\\/g')
  # The time stamps of system headers may change without their text.
  eval "clang++ $options -Xclang -fno-pch-timestamp -x c++-header cmake/precompiled.h -o '$header'"
fi

# CUDA sources are nvcc's; clangd would need a CUDA toolkit of its own.
mapfile -t sources < <(printf '%s\n' "${files[@]}" | grep -E '\.(cc|h)$')
echo "clang-tidy's checks: ${#sources[@]} files"
printf '%s\0' "${sources[@]}" |
  xargs -0 -n 1 -P "$jobs" bash -c 'check "$0"' ||
  { echo "error: lint found what stands above" >&2 && exit 1; }
echo "lint: no complaints"
