#!/usr/bin/env bash
# Runs a test program: scripts/run_tests.sh PROGRAM [option of GoogleTest]...
# Prints failures, then a summary. (ctest would start one process per test, and each loads libtorch.)
set -uo pipefail
cd "$(dirname "$0")/.." || exit
program=$1
shift
report=$(mktemp)
trap 'rm -f "$report"' EXIT
# LeakSanitizer cannot tell libtorch's permanent allocations from leaks.
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=0}
"$program" --gtest_brief=1 --gtest_output="xml:$report" "$@"
status=$?
if [ -s "$report" ]; then
  # <testsuites tests="97" failures="0" …>; a skipped test contains <skipped>
  awk 'match($0, /<testsuites tests="[0-9]+" failures="[0-9]+"/) {
         split(substr($0, RSTART, RLENGTH), part, "\""); tests = part[2]; failed = part[4] }
       /result="suppressed"|status="notrun"/ {unrun++}
       /<skipped/ {skipped++}
       END {printf "%d passed, %d failed, %d skipped\n",
            tests - failed - skipped - unrun, failed, skipped}' "$report" | tee build/tests.txt
else
  echo "error: $program exited early with status $status" >&2
fi
exit $status
