#!/usr/bin/env bash
# Scores the shipped detector on corpora it has never seen, and on the open corpus's test part. About one minute.
# Usage: runs/zero_shot.sh [FOLDER WITH THE PUBLIC CORPORA], by default ./corpora
set -euo pipefail
cd "$(dirname "$0")/.."
rm -rf results/zero-shot results/open-test
untwist evaluate detector --corpora open --out results/open-test > /dev/null
untwist evaluate detector --folder "${1:-corpora}" --accept-licence all --out results/zero-shot \
    --corpora socialcd,reframing,therapist-part,therapist-whole,crosslincd,patternreframe,cbt-bench > /dev/null
