#!/usr/bin/env bash
# Scores the guard of generated turns while one half of the drafts was unseen: only at the revision in its manifest. A minute.
set -euo pipefail
cd "$(dirname "$0")/.."
rm -rf results/guard-turns-first
untwist evaluate guard --turns --out results/guard-turns-first tests/respond/drafts/en.jsonl tests/respond/drafts/zh.jsonl
