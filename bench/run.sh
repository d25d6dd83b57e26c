#!/usr/bin/env bash
# Prints the benchmarks of the parts, one line a case.
set -euo pipefail
cd "$(dirname "$0")/.."
exec build/bench/bin/scion_bench "$@"
