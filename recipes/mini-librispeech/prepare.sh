#!/usr/bin/env bash
# Prepares the data of compare.toml: recipes/mini-librispeech/prepare.sh TRAIN CLEAN OTHER
# Each is a folder in LibriSpeech's layout (speaker/chapter/*.trans.txt), e.g. train-clean-5 and
# dev-clean-2 of Mini LibriSpeech (OpenSLR 31) and test-other of LibriSpeech (OpenSLR 12).
set -euo pipefail
if [ $# -ne 3 ]; then
  sed -n '2,4s/^# //p' "$0" >&2
  exit 2
fi
here=$(cd "$(dirname "$0")/../.." && pwd)
out=$here/exp/mini-librispeech/data
scion=$here/build/cpu/bin/scion
mkdir -p "$out"
[ -d "$out/train" ] ||
  "$scion" prepare "$1" --out "$out/train" --tokenizer.kind bpe --tokenizer.vocabulary 100 \
    --dev_speakers 2
[ -d "$out/clean" ] ||
  "$scion" prepare "$2" --out "$out/clean" --tokenizer_path "$out/train/tokenizer.model"
[ -d "$out/other" ] ||
  "$scion" prepare "$3" --out "$out/other" --tokenizer_path "$out/train/tokenizer.model"
