#!/usr/bin/env bash
# Scores the guard of generated turns on drafts of single turns, while one half of them was unseen. A minute.
set -euo pipefail
cd "$(dirname "$0")/.."
rm -rf results/guard-turns-first
untwist evaluate guard --turns --out results/guard-turns-first tests/respond/drafts/en.jsonl tests/respond/drafts/zh.jsonl
