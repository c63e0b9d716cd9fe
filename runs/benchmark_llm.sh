#!/usr/bin/env bash
# Measures a run over a model: throughput, memory, cache, journal. About three minutes; wants an idle machine,
# else `chrt -f 1` in front, which the report then says.
set -euo pipefail
cd "$(dirname "$0")/.."
OMP_NUM_THREADS=1 python benchmarks/llm.py --out results/benchmark-llm
