#!/usr/bin/env bash
# How far a second, blind labelling of 1,200 messages of the open corpus agrees with the first. Seconds.
# Usage: runs/agreement.sh
set -euo pipefail
cd "$(dirname "$0")/.."
rm -rf results/agreement
untwist evaluate agreement open src/untwist/data/open/second.jsonl --out results/agreement > /dev/null
