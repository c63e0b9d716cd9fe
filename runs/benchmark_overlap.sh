#!/usr/bin/env bash
# Measures the leakage report beside datasketch. About four minutes; wants an idle machine and pip install datasketch.
set -euo pipefail
cd "$(dirname "$0")/.."
python benchmarks/overlap.py --out results/benchmark-overlap
