#!/usr/bin/env bash
# Scores the safety screen on the labelled cases that ship, the rules alone and with the second reader. About a minute.
set -euo pipefail
cd "$(dirname "$0")/.."
rm -rf results/screen-cases
untwist evaluate screen --out results/screen-cases
