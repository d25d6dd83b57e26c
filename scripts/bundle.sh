#!/usr/bin/env bash
# Puts programs into a folder with every library they need but the C library's, so that they run on
# another Linux of the same processor family whose glibc is not older than this machine's:
#   scripts/bundle.sh [--without-torch] FOLDER PROGRAM...      then FOLDER/run scion transcribe ...
#
#   --without-torch   leaves out libtorch and what it brings, CUDA's libraries among it; the other
#                     machine has the same version, and FOLDER/run is told where:
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
[ ! -e "$folder" ] || fail "'$folder' is there already" "name a new folder, or remove it"
new=$folder.new.$$
trap 'rm -rf "$new"' EXIT
mkdir -p "$new/bin" "$new/lib"

# Their paths, a line each; the C library's own parts fit the system they are on.
libraries_of() {
  ldd "$1" | awk '$2 == "=>" && $3 ~ /^\// {print $3}' |
    grep -Ev '/(ld-linux[^/]*|lib(c|m|dl|rt|pthread|util|resolv))\.so[^/]*$'
}

for program in "$@"; do
  [ -x "$program" ] || fail "there is no program '$program'" "'make build' builds build/cpu/bin/scion"
  missing=$(ldd "$program" | awk '/not found/ {printf "%s ", $1}')
  # Here a CUDA build finds no CUDA libraries where libtorch came without them.
  [ $with_torch = 0 ] || [ -z "$missing" ] ||
    fail "'$program' does not find ${missing% }" "does it run here? with --without-torch it need not"
  libraries=$(libraries_of "$program")
  cp "$program" "$new/bin/"
  while read -r library; do
    case $library in
      # CUDA's may also be those of a toolkit.
      */torch/lib/* | */nvidia/* | */libcu[bdfprs]*.so* | */libnccl.so* | */libnv*.so*)
        [ $with_torch = 1 ] || continue
        ;;
    esac
    cp -nL "$library" "$new/lib/"
  done <<<"$libraries"
done

cat >"$new/run" <<'EOF'
#!/bin/sh
# run PROGRAM ARGUMENTS...: one of bin/, with the libraries of lib/
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
