#!/usr/bin/env bash
# Measures speed and memory beside scikit-learn and, where torch and transformers are installed, the
# architecture of XLM-R-large. About half an hour on an idle machine, most of it for ten million
# texts; --largest 1000000 ends after six minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
python benchmarks/detect.py --out results/benchmark-detect "$@"
