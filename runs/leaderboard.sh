#!/usr/bin/env bash
# Makes results/leaderboard.jsonl from the runs of this project; lines of others are added by `untwist evaluate leaderboard --add`.
# Usage: runs/leaderboard.sh, after runs/zero_shot.sh and runs/ngrams.sh
set -euo pipefail
cd "$(dirname "$0")/.."
rm -f results/leaderboard.jsonl
for run in ngrams open-test zero-shot; do
    untwist evaluate leaderboard results/leaderboard.jsonl --add "results/$run/leaderboard.jsonl" > /dev/null
done
