#!/usr/bin/env bash
# Measures tuning beside plain TRL. About twenty minutes; wants an idle machine, PyTorch and the extra finetune.
set -euo pipefail
cd "$(dirname "$0")/.."
python benchmarks/tuning.py --out results/benchmark-tuning
