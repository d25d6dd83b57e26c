#!/usr/bin/env bash
# Runs a test program: scripts/run_tests.sh PROGRAM [option of GoogleTest]...
# Shows what fails and ends with the numbers. (ctest starts a process for every single test, and
# each has to load libtorch.)
set -uo pipefail
cd "$(dirname "$0")/.." || exit
program=$1
shift
report=$(mktemp)
trap 'rm -f "$report"' EXIT
# LeakSanitizer cannot tell what libtorch keeps for ever from what is lost.
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=0}
"$program" --gtest_brief=1 --gtest_output="xml:$report" "$@"
status=$?
if [ -s "$report" ]; then
  # <testsuites tests="97" failures="0" …>; a skipped test has <skipped> within
  awk 'match($0, /<testsuites tests="[0-9]+" failures="[0-9]+"/) {
         split(substr($0, RSTART, RLENGTH), part, "\""); tests = part[2]; failed = part[4] }
       /result="suppressed"|status="notrun"/ {unrun++}
       /<skipped/ {skipped++}
       END {printf "%d passed, %d failed, %d skipped\n",
            tests - failed - skipped - unrun, failed, skipped}' "$report" | tee build/tests.txt
else
  echo "error: $program ended early with status $status" >&2
fi
exit $status
