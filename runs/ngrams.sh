#!/usr/bin/env bash
# The fixed n-gram model on every corpus, trained on that corpus' own train part, by both splits. About one minute.
# Usage: runs/ngrams.sh [FOLDER WITH THE PUBLIC CORPORA], by default ./corpora
set -euo pipefail
cd "$(dirname "$0")/.."
export OMP_NUM_THREADS=1
rm -rf results/ngrams
untwist evaluate detector --detector ngrams --folder "${1:-corpora}" --accept-licence all --out results/ngrams \
    --corpora socialcd,reframing,therapist-part,therapist-whole,crosslincd,open > /dev/null
