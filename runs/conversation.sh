#!/usr/bin/env bash
# Two thousand conversations with simulated people in each language. About forty minutes on one idle core.
# Usage: runs/conversation.sh
set -euo pipefail
cd "$(dirname "$0")/.."
rm -rf results/conversation
untwist evaluate conversation --out results/conversation > /dev/null
