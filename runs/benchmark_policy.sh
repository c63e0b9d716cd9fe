#!/usr/bin/env bash
# Measures the simulated people and learning beside PyTorch (pip install torch). About ten minutes; wants an idle machine.
set -euo pipefail
cd "$(dirname "$0")/.."
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1
python benchmarks/policy.py --out results/benchmark-policy
