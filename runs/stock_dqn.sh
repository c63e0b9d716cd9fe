#!/usr/bin/env bash
# Trains a DQN of stable-baselines3 as long as the shipped policy, three seeds, in an environment of its own. After
# runs/policy_v1.sh; about a quarter of an hour on one core.
set -euo pipefail
cd "$(dirname "$0")/.."
export OMP_NUM_THREADS=1
python -m venv local/stock-env
local/stock-env/bin/pip install --quiet torch==2.13.0 stable-baselines3==2.9.2 .
rm -rf results/stock-dqn
local/stock-env/bin/python benchmarks/stock_dqn.py --like results/train-policy-v1 --seeds 1,2,3 --out results/stock-dqn
