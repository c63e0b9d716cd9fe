#!/usr/bin/env bash
# CrossLinCD Table 5: the aligned corpus, learnt and tested by language, and language models.
# Both splits, three seeds, XLM-R-large: a GPU, and days of it for Tables 2 and 3; stopped, it goes on when it is started again.
# Usage: runs/crosslincd_table5.sh [FOLDER WITH THE PUBLIC CORPORA [MORE OPTIONS]], by default ./corpora
# To see that it runs: runs/crosslincd_table5.sh corpora --tiny --teacher open --out local/t5
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:-corpora}
[ $# -eq 0 ] || shift
untwist evaluate crosslincd runs/crosslincd.toml --table 5 --folder "$folder" --accept-licence all \
    --work local/crosslincd --out results/crosslincd-table5 "$@" > /dev/null
