#!/usr/bin/env bash
# Trains the guard's reader of drafts from the labelled drafts and puts it in place. About two minutes on one core.
set -euo pipefail
cd "$(dirname "$0")/.."
rm -rf results/train-draft-reader-v1
untwist train drafts runs/draft_reader_v1.toml
rm -rf src/untwist/weights/draft-reader-v1
mv results/train-draft-reader-v1/reader src/untwist/weights/draft-reader-v1
