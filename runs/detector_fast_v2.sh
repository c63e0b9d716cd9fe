#!/usr/bin/env bash
# Trains the shipped detector from the open corpus and puts it in place. About five minutes on one core.
set -euo pipefail
cd "$(dirname "$0")/.."
rm -rf results/train-detector-fast-v2
untwist train detector runs/detector_fast_v2.toml
rm -rf src/untwist/weights/detector-fast-v2
mv results/train-detector-fast-v2/detector src/untwist/weights/detector-fast-v2
