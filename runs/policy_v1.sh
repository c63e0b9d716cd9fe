#!/usr/bin/env bash
# Trains the shipped policy and, to compare, a one-step learner, three seeds each; scores them beside
# the matrix and the other baselines; puts seed 1 in place. About fifteen minutes on one core.
set -euo pipefail
cd "$(dirname "$0")/.."
export OMP_NUM_THREADS=1
rm -rf results/policy-v1
for seed in 1 2 3; do
    untwist train policy runs/policy_v1.toml --seed $seed --out local/policy-v1/seed-$seed
    untwist train policy runs/policy_one_step.toml --seed $seed --out local/policy-v1/one-step-$seed
done
untwist evaluate policy local/policy-v1/seed-{1,2,3}/policy local/policy-v1/one-step-{1,2,3}/policy \
    --out results/policy-v1 > /dev/null
rm -rf results/train-policy-v1 src/untwist/weights/policy-v1
mv local/policy-v1/seed-1 results/train-policy-v1
mv results/train-policy-v1/policy src/untwist/weights/policy-v1
