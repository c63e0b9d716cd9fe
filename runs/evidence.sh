#!/usr/bin/env bash
# Scores the evidence spans of the shipped detector against gold spans, beside baselines that read nothing. About a minute.
# Usage: runs/evidence.sh [FOLDER WITH THE PUBLIC CORPORA], by default ./corpora
set -euo pipefail
cd "$(dirname "$0")/.."
rm -rf results/evidence
untwist evaluate evidence --folder "${1:-corpora}" --accept-licence therapist-whole --out results/evidence \
    --corpora open,therapist-whole,open-dialogues > /dev/null
