#!/usr/bin/env bash
# Recognises one recording of some hours: time and the most memory that the process takes.
#   bench/long_recording.sh PROGRAM MODEL [hours] [threads]
# The recording: AN4's test set over and over, as 16-bit WAV.
set -euo pipefail
cd "$(dirname "$0")/.."
program=$(realpath "$1") model=$(realpath "$2") hours=${3:-3} threads=${4:-2}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

find "$PWD/data/an4/test" -name '*.opus' | sort | sed "s/.*/file '&'/" >"$folder/once.txt"
for ((i = 0; i < 12 * hours; ++i)); do cat "$folder/once.txt"; done >"$folder/list.txt"
ffmpeg -v error -f concat -safe 0 -i "$folder/list.txt" -t $((hours * 3600)) -ar 16000 -ac 1 \
  "$folder/long.wav" </dev/null

python3 - "$program" "$model" "$folder/long.wav" "$threads" <<'EOF'
import resource
import subprocess
import sys
import time

program, model, audio, threads = sys.argv[1:]
start = time.monotonic()
text = subprocess.run(
    [program, "transcribe", "--threads", threads, model, audio], check=True, capture_output=True, text=True
).stdout
seconds = time.monotonic() - start
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
print(f"{seconds:.0f} s, at most {peak / 1e6:.0f} MB, {len(text.split())} words")
EOF
