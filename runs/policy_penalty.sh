#!/usr/bin/env bash
# Property 4.2 by experiment: eighteen short trainings with growing penalties. About six minutes on one core.
set -euo pipefail
cd "$(dirname "$0")/.."
rm -rf results/policy-penalty
OMP_NUM_THREADS=1 python -c 'from untwist.recipes.policy_penalty import *; run(PolicyPenalty("results/policy-penalty"))'
