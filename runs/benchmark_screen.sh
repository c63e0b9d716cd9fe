#!/usr/bin/env bash
# Measures the speed of the safety screen. About two minutes; wants an idle machine.
set -euo pipefail
cd "$(dirname "$0")/.."
OMP_NUM_THREADS=1 python benchmarks/screen.py --out results/benchmark-screen
