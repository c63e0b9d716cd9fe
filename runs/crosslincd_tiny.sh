#!/usr/bin/env bash
# CrossLinCD's Tables 2 to 5 from end to end by a tiny encoder of random weights: shows that the recipe runs, is no result.
# Two minutes of one core. The teacher learns from our own corpus, since the paper's (C2D2) is given on application only.
# Usage: runs/crosslincd_tiny.sh [FOLDER WITH THE PUBLIC CORPORA], by default ./corpora
set -euo pipefail
cd "$(dirname "$0")/.."
export OMP_NUM_THREADS=1
rm -rf results/crosslincd-tiny   # local/crosslincd-tiny keeps what was trained: a stopped run goes on
for table in 2 3 4 5; do
    untwist evaluate crosslincd --table $table --tiny --teacher open --folder "${1:-corpora}" --accept-licence all \
        --work local/crosslincd-tiny --out results/crosslincd-tiny/table$table > /dev/null
done
