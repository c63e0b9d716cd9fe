#!/usr/bin/env bash
# Measures speed and memory beside scikit-learn. About two minutes; wants an idle machine.
# Without --largest it goes on to a million texts, about four minutes more.
set -euo pipefail
cd "$(dirname "$0")/.."
python benchmarks/detect.py --out results/benchmark-detect --largest 100000
