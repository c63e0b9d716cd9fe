#!/usr/bin/env bash
# Measures the training throughput of the encoder detector beside a plain Trainer of transformers, on
# random weights. Needs torch and the extra "finetune"; about five minutes on two cores.
set -euo pipefail
cd "$(dirname "$0")/.."
python benchmarks/encoder_training.py --out results/benchmark-encoder "$@"
