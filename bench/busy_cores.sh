#!/usr/bin/env bash
# Recognition with one and several threads on idle and on busy cores: what waiting threads cost.
#   bench/busy_cores.sh PROGRAM MODEL [rounds] [audio file ...]
# Each round runs every case once, in turn; a busy core runs a loop of its own. Without files: those
# of AN4's test set. "spinning": libgomp's own waiting, which the program otherwise shortens.
set -euo pipefail
cd "$(dirname "$0")/.."
program=$1 model=$2 rounds=${3:-5}
shift $(($# < 3 ? $# : 3))
files=("$@")
[ $# -gt 0 ] || mapfile -t files < <(find data/an4/test -name '*.opus' | sort | sed -n 1,60p)
cores=$(nproc)
times=$(mktemp)
loops=()
stop_loops() {
  [ ${#loops[@]} -eq 0 ] || kill "${loops[@]}" 2>/dev/null || true
  loops=()
}
trap 'stop_loops; rm -f "$times"' EXIT

measure() { # name, variable to set or -, threads
  local start=$EPOCHREALTIME
  env ${2#-} "$program" --quiet transcribe --threads "$3" "$model" "${files[@]}" >/dev/null
  awk -v name="$1" -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN {printf "%s\t%.3f\n", name, b - a}' >>"$times"
}

for ((round = 0; round < rounds; ++round)); do
  for busy in 0 "$cores"; do
    for ((i = 0; i < busy; ++i)); do
      (while :; do :; done) &
      loops+=($!)
    done
    measure "$busy busy, 1 thread" - 1
    measure "$busy busy, $cores threads" - "$cores"
    measure "$busy busy, $cores threads, spinning" GOMP_SPINCOUNT=300000 "$cores"
    measure "$busy busy, 16 threads asked for" - 16
    stop_loops
  done
done
# The median of each case, and its ratio to one thread under the same load.
sort -k1,1 -t $'\t' -s "$times" | awk -F '\t' '
  {value[$1, ++count[$1]] = $2; names[$1]}
  function median(name,  n, i, j, t) {
    n = count[name]
    for (i = 1; i <= n; ++i) for (j = i + 1; j <= n; ++j)
      if (value[name, j] < value[name, i]) {t = value[name, i]; value[name, i] = value[name, j]; value[name, j] = t}
    return value[name, int((n + 1) / 2)]
  }
  END {for (name in names) {
    split(name, part, ","); one = part[1] ", 1 thread"
    printf "%-34s %8.2f s  %5.2f\n", name, median(name), median(name) / median(one)}}' | sort
