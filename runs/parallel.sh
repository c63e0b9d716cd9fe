#!/usr/bin/env bash
# Whether the shipped detector says the same of 400 thoughts in English and in Chinese. Seconds.
# Usage: runs/parallel.sh
set -euo pipefail
cd "$(dirname "$0")/.."
rm -rf results/parallel
untwist evaluate parallel --out results/parallel > /dev/null
