#!/usr/bin/env bash
# Measures the scores beside scikit-learn and SciPy, the data room beside pandas. About six minutes; wants an idle machine.
# Usage: runs/benchmark_data.sh [FOLDER WITH THE PUBLIC CORPORA], by default ./corpora
set -euo pipefail
cd "$(dirname "$0")/.."
python benchmarks/data.py --folder "${1:-corpora}" --out results/benchmark-data
