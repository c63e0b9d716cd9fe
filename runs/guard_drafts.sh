#!/usr/bin/env bash
# Scores the guard on the labelled drafts that ship, the patterns alone and with the reader. Under a minute.
set -euo pipefail
cd "$(dirname "$0")/.."
rm -rf results/guard-drafts
untwist evaluate guard --out results/guard-drafts
