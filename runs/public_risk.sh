#!/usr/bin/env bash
# Scores the safety screen on public corpora of suicide risk; nothing is trained or tuned on them. About one minute.
# Usage: runs/public_risk.sh [FOLDER WITH THE PUBLIC CORPORA], by default ./corpora
# The second labels are no output: they were made once, by hand, and are kept through every run.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p local
if [ -f results/public-risk/second-labels.jsonl ]; then
    mv results/public-risk/second-labels.jsonl local/second-labels.jsonl
fi
rm -rf results/public-risk
untwist evaluate risk --folder "${1:-corpora}" --accept-licence all --second local/second-labels.jsonl --out results/public-risk > /dev/null
