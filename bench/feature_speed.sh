#!/usr/bin/env bash
# Speed of scion's filter banks beside those of torchaudio and kaldi-native-fbank, one line each:
#   make bench BENCH_FLAGS=--benchmark_filter=features   # builds build/cpu/bin/scion_bench
#   bench/feature_speed.sh [--turns 5]
exec "$(dirname "$0")/python.sh" feature_speed.py "$@"
