#!/usr/bin/env bash
# Counts every corpus that is at hand, beside what the papers print. A few seconds.
# Usage: runs/data_stats.sh [FOLDER WITH THE PUBLIC CORPORA], by default ./corpora
set -euo pipefail
cd "$(dirname "$0")/.."
rm -rf results/data-stats
untwist data stats --accept-licence all --folder "${1:-corpora}" --out results/data-stats > /dev/null
