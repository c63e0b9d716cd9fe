#!/usr/bin/env bash
# Kills the server 200 times under eight writers and looks for what was lost; about 15 minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
python -m benchmarks.serve_kill --rounds "${1:-200}" --out results/serve-kill
