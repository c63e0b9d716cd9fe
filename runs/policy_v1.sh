#!/usr/bin/env bash
# Trains the shipped policy and, to compare, a one-step learner and one with the Huber bound at 1, three seeds each; scores
# them beside the matrix and the other baselines; puts seed 1 in place. About twenty minutes on one core.
set -euo pipefail
cd "$(dirname "$0")/.."
export OMP_NUM_THREADS=1
rm -rf local/policy-v1 results/policy-v1
for seed in 1 2 3; do
    untwist train policy runs/policy_v1.toml --seed $seed --out local/policy-v1/seed-$seed
    untwist train policy runs/policy_one_step.toml --seed $seed --out local/policy-v1/one-step-$seed
    untwist train policy runs/policy_huber_1.toml --seed $seed --out local/policy-v1/huber-1-$seed
done
# the stock DQN that is there already; runs/stock_dqn.sh makes it again from results/train-policy-v1
untwist evaluate policy local/policy-v1/{seed,one-step,huber-1}-{1,2,3}/policy results/stock-dqn/seed-{1,2,3} \
    --out results/policy-v1 > /dev/null
rm -rf results/train-policy-v1 src/untwist/weights/policy-v1
mv local/policy-v1/seed-1 results/train-policy-v1
mv results/train-policy-v1/policy src/untwist/weights/policy-v1
