#!/usr/bin/env bash
# `scion prepare` on MP3 beside an ffmpeg process for each file, which is what a wav.scp with pipes
# runs, on one core each; and on the same audio as WAV.
#   bench/prepare_speed.sh PROGRAM [rounds]
# The files: AN4's test set, three utterances joined, as Common Voice has them (32 kHz, 48 kbit/s).
set -euo pipefail
cd "$(dirname "$0")/.."
program=$1 rounds=${2:-3}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

make_files() {
  local number=0 one two three
  find data/an4/test -name '*.opus' | sort | while read -r one && read -r two && read -r three; do
    for kind in mp3 wav; do
      mkdir -p "$folder/$kind"
      ffmpeg -v error -i "$one" -i "$two" -i "$three" -filter_complex 'concat=n=3:v=0:a=1' \
        -ar 32000 -b:a 48k "$folder/$kind/$number.$kind" </dev/null
      printf '%s.%s\tsome words\n' "$number" "$kind" >>"$folder/$kind.list"
    done
    number=$((number + 1))
  done
  for kind in mp3 wav; do
    { printf 'path\tsentence\n' && cat "$folder/$kind.list"; } >"$folder/$kind/clips.tsv"
  done
}

prepare() { # kind
  rm -rf "$folder/out"
  taskset -c 0 "$program" --quiet prepare "$folder/$1/clips.tsv" --out "$folder/out" >/dev/null
}

decode() {
  for file in "$folder"/mp3/*.mp3; do
    taskset -c 0 ffmpeg -v error -threads 1 -i "$file" -ar 16000 -ac 1 -f f32le - </dev/null >/dev/null
  done
}

measure() { # name, command …
  local start=$EPOCHREALTIME
  "${@:2}"
  awk -v name="$1" -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN {printf "%s\t%.3f\n", name, b - a}' >>"$folder/times"
}

make_files
for ((round = 0; round < rounds; ++round)); do
  measure "prepare, MP3" prepare mp3
  measure "prepare, WAV" prepare wav
  measure "ffmpeg processes, MP3" decode
done
count=$(wc -l <"$folder/mp3.list")
seconds=$(awk -F '"duration":' 'NF > 1 {split($2, a, /[,}]/); sum += a[1]} END {print sum}' "$folder/out/manifest.jsonl")
echo "$count files, $seconds s of audio"
# The median of each case.
sort -t $'\t' -k 1,1 -k 2,2n "$folder/times" | awk -F '\t' -v n="$rounds" -v seconds="$seconds" '
  {times[$1] = times[$1] " " $2}
  END {
    for (name in times) {split(times[name], a, " "); median[name] = a[int((n + 1) / 2)]}
    base = median["prepare, MP3"]
    printf "%-24s %9s %14s %15s\n", "case", "seconds", "x real time", "beside prepare"
    for (name in median)
      printf "%-24s %9.2f %14.0f %15.2f\n", name, median[name], seconds / median[name], median[name] / base
  }'
