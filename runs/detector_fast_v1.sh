#!/usr/bin/env bash
# Trains the shipped detector from the open corpus and puts it in place. About three minutes on one core.
set -euo pipefail
cd "$(dirname "$0")/.."
rm -rf results/train-detector-fast-v1
untwist train detector runs/detector_fast_v1.toml
rm -rf src/untwist/weights/detector-fast-v1
mv results/train-detector-fast-v1/detector src/untwist/weights/detector-fast-v1
