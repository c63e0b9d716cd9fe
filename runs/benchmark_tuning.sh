#!/usr/bin/env bash
# Measures tuning beside plain TRL. About ten minutes; wants an idle machine, PyTorch and the extra finetune.
set -euo pipefail
cd "$(dirname "$0")/.."
python benchmarks/tuning.py --out results/benchmark-tuning
