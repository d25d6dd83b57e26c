#!/usr/bin/env bash
# Training speed of `scion train` beside the same model in plain PyTorch, one line per case:
#   bench/training_speed.sh [--presets an4-student] [--precisions bf16] [--threads 1] [--turns 2]
exec "$(dirname "$0")/python.sh" training_speed.py "$@"
