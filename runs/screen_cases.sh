#!/usr/bin/env bash
# Scores the safety screen on the labelled cases: half was looked at while the rules were written, half was only scored.
set -euo pipefail
cd "$(dirname "$0")/.."
rm -rf results/screen-cases
untwist evaluate screen --out results/screen-cases tests/safety/cases/en.jsonl tests/safety/cases/zh.jsonl
