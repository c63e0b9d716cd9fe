#!/usr/bin/env bash
# Finds what the corpora at hand share, and what leaks between the published parts of four of them. About ten seconds.
# Usage: runs/overlap.sh [FOLDER WITH THE PUBLIC CORPORA], by default ./corpora
set -euo pipefail
cd "$(dirname "$0")/.."
rm -rf results/overlap results/overlap-published
untwist data overlap --accept-licence all --folder "${1:-corpora}" --pairs 20 --out results/overlap > /dev/null
untwist data overlap socialcd sos_1k sos_4k suicide_binary_zh --by published --pairs 20 \
    --accept-licence all --folder "${1:-corpora}" --out results/overlap-published > /dev/null
