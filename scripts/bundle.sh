#!/usr/bin/env bash
# Copies programs and every library they need except the C library into a folder, so that they run on
# any Linux of the same processor family with a glibc at least as new as this machine's:
#   scripts/bundle.sh [--without-torch] FOLDER PROGRAM...      then FOLDER/run scion transcribe ...
#
#   --without-torch   leaves out libtorch and its dependencies, including CUDA's libraries. The other
#                     machine must have the same version; FOLDER/run finds it through
#                     TORCH=<folder that holds lib/libtorch_cpu.so>
set -euo pipefail

fail() {
  echo "error: $1" >&2
  echo "hint: $2" >&2
  exit 2
}

with_torch=1
[ "${1:-}" != --without-torch ] || { with_torch=0 && shift; }
[ $# -ge 2 ] || fail "$# arguments" "scripts/bundle.sh [--without-torch] FOLDER PROGRAM..."
folder=$1
shift
[ ! -e "$folder" ] || fail "'$folder' already exists" "name a new folder, or remove it"
new=$folder.new.$$
trap 'rm -rf "$new"' EXIT
mkdir -p "$new/bin" "$new/lib"

# Paths of a program's libraries, one per line, without the C library, which must match its system.
libraries_of() {
  ldd "$1" | awk '$2 == "=>" && $3 ~ /^\// {print $3}' |
    grep -Ev '/(ld-linux[^/]*|lib(c|m|dl|rt|pthread|util|resolv))\.so[^/]*$'
}

for program in "$@"; do
  [ -x "$program" ] || fail "no such program: '$program'" "'make build' builds build/cpu/bin/scion"
  missing=$(ldd "$program" | awk '/not found/ {printf "%s ", $1}')
  # A CUDA build finds no CUDA libraries here if libtorch was installed without them.
  [ $with_torch = 0 ] || [ -z "$missing" ] ||
    fail "libraries of '$program' are missing: ${missing% }" "install them, or use --without-torch"
  libraries=$(libraries_of "$program")
  cp "$program" "$new/bin/"
  while read -r library; do
    case $library in
      # CUDA's libraries may also come from a toolkit.
      */torch/lib/* | */nvidia/* | */libcu[bdfprs]*.so* | */libnccl.so* | */libnv*.so*)
        [ $with_torch = 1 ] || continue
        ;;
    esac
    cp -nL "$library" "$new/lib/"
  done <<<"$libraries"
done

cat >"$new/run" <<'EOF'
#!/bin/sh
# run PROGRAM ARGUMENTS...: runs a program of bin/ with the libraries of lib/
here=$(cd "$(dirname "$0")" && pwd)
libraries=$here/lib
if [ -n "${TORCH:-}" ]; then
  libraries=$libraries:$TORCH/lib
  for folder in "$TORCH"/../nvidia/*/lib; do libraries=$libraries:$folder; done
fi
LD_LIBRARY_PATH=$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export LD_LIBRARY_PATH
program=$1
shift
exec "$here/bin/$program" "$@"
EOF
chmod +x "$new/run"
mv "$new" "$folder"
du -sh "$folder" | awk '{print $2 ": " $1}'
