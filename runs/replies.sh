#!/usr/bin/env bash
# The scripted single replies to every message of the open corpus, beside templates, with the
# second reading of 100 replies in each language. Four minutes.
# Usage: runs/replies.sh
set -euo pipefail
cd "$(dirname "$0")/.."
rm -rf results/replies
untwist evaluate replies --templates --sample 500 \
    --reading runs/replies_reading_en.jsonl --reading runs/replies_reading_zh.jsonl \
    --out results/replies > /dev/null
