#!/usr/bin/env bash
# The language models of CrossLinCD's Tables 3 and 5: tunes each in three seeds, merges it, and asks it for the tables.
# Needs a GPU with 24 GB or more, the extra "qlora" or "finetune", and weeks of it; what is there already is not tuned again.
# Usage: runs/crosslincd_llm.sh LLAMA3_8B GLM4_9B QWEN2_5_7B [FOLDER WITH THE PUBLIC CORPORA [CHAINS.jsonl]]
# The models are folders or names of the hub that are on this machine. CHAINS.jsonl is what `untwist generate chains` leaves
# after people chose; without it the model of reasons (LLaMA3-8B-I) is left out.
set -euo pipefail
cd "$(dirname "$0")/.."
llama=$1 glm=$2 qwen=$3 folder=${4:-corpora} chains=${5:-}
made=local/crosslincd-llm
config=$made/crosslincd.toml
mkdir -p "$made"
cp runs/crosslincd.toml "$config"

tune() { # column, table, question, preset, model, --data ...
    local column=$1 table=$2 question=$3 preset=$4 model=$5 seed out
    shift 5
    for seed in 42 43 44; do
        out=$made/$column-table$table-$seed
        [ -d "$out/merged" ] || {
            untwist train llm "$preset" --model "$model" --folder "$folder" --accept-licence all \
                --set seed=$seed --name "$column-$seed" --out "$out" "$@"
            untwist tune merge "$out/adapter" "$out/merged"
        }
        printf '\n[[llm]]\nname = "%s"\ntable = %s\nseed = %s\nquestion = "%s"\nsource = "llm:local:%s"\ncache = "%s"\n' \
            "$column" "$table" "$seed" "$question" "$out/merged" "$out/answers.sqlite" >> "$config"
    done
}

four=(--data socialcd --data reframing --data therapist-part --data therapist-whole)
for table in 3 5; do
    data=("${four[@]}")
    [ $table = 3 ] || data=(--data crosslincd)
    tune LLaMA3-8B $table names crosslincd-llm "$llama" "${data[@]}"
    tune GLM-4-9B $table names crosslincd-llm-glm4 "$glm" "${data[@]}"
    tune Qwen2.5-7B $table names crosslincd-llm-qwen2.5 "$qwen" "${data[@]}"
done
[ -z "$chains" ] || tune LLaMA3-8B-I 5 reasons crosslincd-chains "$llama" --data "$chains"
for table in 3 5; do
    untwist evaluate crosslincd "$config" --table $table --folder "$folder" --accept-licence all \
        --work local/crosslincd --out results/crosslincd-table$table-llm > /dev/null
done
