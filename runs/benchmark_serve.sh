#!/usr/bin/env bash
# Measures the server: 200 people for ten minutes, then 500 and 2,000 for two; about 16 minutes (SECONDS_EACH=120 makes the first shorter) on an idle machine of two cores.
set -euo pipefail
cd "$(dirname "$0")/.."
python -m benchmarks.serve_load --users 200 --seconds "${SECONDS_EACH:-600}" --out results/benchmark-serve
python -m benchmarks.serve_load --users 200 --seconds 120 --workers 2 --out results/benchmark-serve-two
python -m benchmarks.serve_load --users 500 --seconds 120 --out results/benchmark-serve-500
python -m benchmarks.serve_load --users 2000 --seconds 120 --out results/benchmark-serve-2000
