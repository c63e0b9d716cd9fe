#!/usr/bin/env bash
# Trains on each corpus and tests on each: the fixed n-gram model, then our own. Runs for long on one core.
# Usage: runs/matrix.sh [FOLDER WITH THE PUBLIC CORPORA], by default ./corpora
set -euo pipefail
cd "$(dirname "$0")/.."
export OMP_NUM_THREADS=1
rm -rf results/matrix results/matrix-fast
untwist evaluate matrix --model ngrams --accept-licence all --folder "${1:-corpora}" --out results/matrix > /dev/null
untwist evaluate matrix --model fast --accept-licence all --folder "${1:-corpora}" --out results/matrix-fast > /dev/null
