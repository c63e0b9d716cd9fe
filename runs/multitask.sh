#!/usr/bin/env bash
# Trains on four public corpora at once, six ways, by three splits. About half an hour on one core.
# Usage: runs/multitask.sh [FOLDER WITH THE PUBLIC CORPORA], by default ./corpora
set -euo pipefail
cd "$(dirname "$0")/.."
export OMP_NUM_THREADS=1
rm -rf results/multitask
untwist evaluate multitask --folder "${1:-corpora}" --accept-licence all --out results/multitask > /dev/null
