#!/usr/bin/env bash
# Runs every fuzzer: scripts/fuzz.sh LIMIT JOBS
# LIMIT is libFuzzer's -max_total_time=SECONDS or -runs=INPUTS.
# Inputs that reach new code are kept in build/fuzz/corpus; the input of a fault in build/fuzz.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
limit=$1 jobs=$2

fuzz_one() {
  local limit=$1 program=$2 name
  name=$(basename "$program" _fuzz)
  local kept=build/fuzz/corpus/$name log=build/fuzz/$name.log
  mkdir -p "$kept"
  # libtorch and SentencePiece leak at start-up, so leaks are not reported.
  if ASAN_OPTIONS=detect_leaks=0 "$program" "$limit" -max_len=4096 \
    -timeout=20 -rss_limit_mb=3000 -print_final_stats=1 -verbosity=1 \
    -artifact_prefix="build/fuzz/$name-" "$kept" "fuzz/corpus/$name" >"$log" 2>&1; then
    awk -v name="$name" '/stat::number_of_executed_units/ {n = $2} END {
      printf "  %-12s %d inputs, no fault\n", name, n}' "$log"
  else
    tail -n 40 "$log" >&2
    echo "error: the $name fuzzer found a fault: input build/fuzz/$name-*, log $log" >&2
    return 1
  fi
}
export -f fuzz_one

echo "fuzz: ${limit#-} for each reader"
printf '%s\0' build/fuzz/bin/*_fuzz |
  xargs -0 -n 1 -P "$jobs" bash -c 'fuzz_one "$0" "$1"' "$limit"
