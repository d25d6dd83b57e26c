#!/usr/bin/env bash
# Prints the kernels of a command that uses a GPU by their share of its time, and how busy it was:
#   scripts/gpu_profile.sh [--lines 40] COMMAND...
#   scripts/gpu_profile.sh build/cuda/bin/scion train --config run.toml --out run
#   scripts/gpu_profile.sh --build          only builds the library, e.g. to take it to another machine
# Needs CUPTI: its headers and library are in a CUDA toolkit and in pip's nvidia-cuda-cupti.
#   CUPTI   the folder with include/cupti.h and lib/libcupti.so.* (default: found)
set -euo pipefail
cd "$(dirname "$0")/.."
library=build/cuda/libkernel_times.so
lines=40

fail() {
  echo "error: $1" >&2
  echo "hint: $2" >&2
  exit 2
}

find_cupti() {
  local folder
  for folder in ${CUPTI:-} .deps/python/nvidia/cu13 .deps/cuda/nvidia/cu13 /usr/local/cuda \
    /usr/local/cuda/extras/CUPTI; do
    [ -f "$folder/include/cupti.h" ] || continue
    for lib in "$folder"/lib/libcupti.so.* "$folder"/lib64/libcupti.so.*; do
      [ -f "$lib" ] && echo "$folder $lib" && return
    done
  done
  fail "CUPTI was not found" "pip install nvidia-cuda-cupti, or CUPTI=FOLDER"
}

build() {
  [ "$library" -nt bench/kernel_times.cc ] && return
  local folder lib toolkit=()
  read -r folder lib < <(find_cupti)
  [ -n "${lib:-}" ] || exit 2
  [ ! -d /usr/local/cuda/include ] || toolkit=(-isystem /usr/local/cuda/include)
  mkdir -p "$(dirname "$library")"
  c++ -std=c++20 -O2 -Wall -Wextra -shared -fPIC -isystem "$folder/include" "${toolkit[@]}" \
    bench/kernel_times.cc -o "$library" "$lib" -Wl,-rpath,"$(dirname "$(realpath "$lib")")"
}

case ${1:-} in
  --build) build && exit ;;
  --lines) lines=$2 && shift 2 ;;
esac
[ $# -gt 0 ] || fail "no command" "scripts/gpu_profile.sh [--lines N] COMMAND..."
build
table=$(mktemp)
trap 'rm -f "$table"' EXIT
status=0
CUDA_INJECTION64_PATH=$PWD/$library KERNEL_TIMES=$table "$@" || status=$?
[ -s "$table" ] || fail "the command left no records" "it may not have used the GPU"
head -n $((lines + 2)) "$table"
exit $status
