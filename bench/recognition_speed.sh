#!/usr/bin/env bash
# Recognition by one build beside that by another, and by one search beside another: processor time
# of `transcribe` on one thread, decoding of files and features included, turn by turn.
#   bench/recognition_speed.sh BEFORE AFTER MODEL [rounds] [audio file ...]
# BEFORE and AFTER are programs. A case that a program does not know is left out. Without files:
# AN4's test set.
set -euo pipefail
cd "$(dirname "$0")/.."
before=$1 after=$2 model=$3 rounds=${4:-5}
shift $(($# < 4 ? $# : 4))
files=("$@")
[ $# -gt 0 ] || mapfile -t files < <(find data/an4/test -name '*.opus' | sort)
times=$(mktemp)
trap 'rm -f "$times"' EXIT

measure() { # name, program, options ...
  local name=$1 program=$2 seconds
  shift 2
  TIMEFORMAT='%U %S'
  seconds=$({ time "$program" --quiet transcribe --threads 1 "$@" "$model" "${files[@]}" >/dev/null 2>&1; } 2>&1) || return 0
  awk -v name="$name" '{printf "%s\t%.3f\n", name, $1 + $2}' <<<"$seconds" >>"$times"
}

for ((round = 0; round < rounds; ++round)); do
  measure "before, greedy, fp32" "$before"
  measure "after, greedy, fp32" "$after"
  measure "after, greedy, bf16" "$after" --precision bf16
  measure "after, beam 4, fp32" "$after" --beam 4
  measure "after, beam 4, bf16" "$after" --beam 4 --precision bf16
done

audio=$("$after" transcribe --threads 1 "$model" "${files[@]}" 2>&1 >/dev/null | grep -o '[0-9.]* s of speech' | cut -d' ' -f1)
sort -t $'\t' -k1,1 -k2,2n "$times" | awk -F'\t' -v audio="$audio" '
  function close_case() { if (n) printf "%s\t%.5f\n", name, (n % 2 ? t[(n + 1) / 2] : (t[n / 2] + t[n / 2 + 1]) / 2) / audio }
  $1 != name { close_case(); name = $1; n = 0 }
  { t[++n] = $2 }
  END { close_case() }' | awk -F'\t' '
  { factor[$1] = $2; order[++n] = $1 }
  END {
    printf "%-22s %16s %16s\n", "case", "real-time factor", "before / it"
    for (i = 1; i <= n; ++i) {
      printf "%-22s %16.5f %16.2f\n", order[i], factor[order[i]], factor["before, greedy, fp32"] / factor[order[i]]
    }
  }'
