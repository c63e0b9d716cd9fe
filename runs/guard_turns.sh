#!/usr/bin/env bash
# Scores the guard of generated turns on drafts of single turns, each through the gate of a stream. Two minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
rm -rf results/guard-turns
untwist evaluate guard --turns --out results/guard-turns tests/respond/drafts/en.jsonl tests/respond/drafts/zh.jsonl
