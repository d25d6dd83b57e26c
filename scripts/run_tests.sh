#!/usr/bin/env bash
# Runs a test program, a part of its tests on each of two processes:
# scripts/run_tests.sh PROGRAM [option of GoogleTest]...
# Prints what the tests printed, then a summary. (ctest would start one process per test, and each
# loads libtorch.)
set -uo pipefail
cd "$(dirname "$0")/.." || exit
program=$1
shift
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# LeakSanitizer cannot tell libtorch's permanent allocations from leaks.
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=0}
export GTEST_TOTAL_SHARDS=2
processes=()
for part in 0 1; do
  GTEST_SHARD_INDEX=$part "$program" --gtest_brief=1 --gtest_output="xml:$folder/$part.xml" "$@" \
    >"$folder/$part.txt" 2>&1 &
  processes+=($!)
done
status=0
for process in "${processes[@]}"; do wait "$process" || status=$?; done
cat "$folder"/[01].txt
for part in 0 1; do
  [ -s "$folder/$part.xml" ] ||
    { echo "error: $program exited early with status $status" >&2 && exit 1; }
done
# <testsuites tests="97" failures="0" …>; a skipped test contains <skipped>
awk 'match($0, /<testsuites tests="[0-9]+" failures="[0-9]+"/) {
       split(substr($0, RSTART, RLENGTH), part, "\""); tests += part[2]; failed += part[4] }
     /result="suppressed"|status="notrun"/ {unrun++}
     /<skipped/ {skipped++}
     END {printf "%d passed, %d failed, %d skipped\n",
          tests - failed - skipped - unrun, failed, skipped}' "$folder"/[01].xml | tee build/tests.txt
exit $status
