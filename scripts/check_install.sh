#!/usr/bin/env bash
# Installs a build, compiles examples/ against the installed package, and runs them:
#   scripts/check_install.sh BUILD MODEL        e.g. build/cpu exp/ci/teachers/seed-1/model.safetensors
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1 model=$(realpath "$2")
torch=${Torch_ROOT:-$PWD/.deps/python/torch}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
prefix=$folder/prefix audio=$PWD/$(find data/an4/test -type f | sort | sed -n 1p)

cmake --install "$build" --prefix "$prefix" >"$folder/install.log"
# A copy: no header may come from the source tree.
cp -r examples "$folder/examples"
configure() {
  cmake -S "$1" -B "$2" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$prefix" \
    -DTorch_ROOT="$torch" >"$folder/configure.log" || { cat "$folder/configure.log" >&2 && exit 1; }
  cmake --build "$2"
}
configure "$folder/examples/loss" "$folder/loss"
configure "$folder/examples" "$folder/build"

"$folder/loss/loss_in_training"
"$folder/build/recognise_file" "$model" "$audio"
"$folder/build/select_student" "$model" "$folder/student.safetensors"
"$prefix/bin/scion" inspect "$folder/student.safetensors" >/dev/null
# One epoch on a few utterances: a streaming model, whatever it recognises.
cat >"$folder/stream.toml" <<TOML
[model]
preset = "an4-student-streaming"
[data]
train = ["$PWD/data/an4/dev.jsonl"]
[train]
epochs = 1
TOML
"$prefix/bin/scion" --quiet train --config "$folder/stream.toml" --out "$folder/stream"
"$folder/build/recognise_stream" "$folder/stream/model.safetensors" "$audio"
for file in share/man/man1/scion.1 share/bash-completion/completions/scion share/doc/scion/LICENSE; do
  test -s "$prefix/$file" || { echo "error: $file is not installed" >&2 && exit 1; }
done
echo "the installed package compiles and runs every example"
