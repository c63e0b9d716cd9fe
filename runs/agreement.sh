#!/usr/bin/env bash
# How far a second, blind labelling of 1,560 messages of the open corpus agrees with the first. Seconds.
# Usage: runs/agreement.sh
set -euo pipefail
cd "$(dirname "$0")/.."
rm -rf results/agreement
untwist evaluate agreement src/untwist/data/open/first.jsonl src/untwist/data/open/second.jsonl --out results/agreement > /dev/null
