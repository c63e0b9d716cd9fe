#!/usr/bin/env bash
# Measures speed and memory beside scikit-learn. About five minutes; wants an idle machine.
set -euo pipefail
cd "$(dirname "$0")/.."
python benchmarks/detect.py --out results/benchmark-detect
