#!/usr/bin/env bash
# Makes the parts that ship (src/untwist/data/splits.json) from the published files.
# Usage: runs/fix_splits.sh [FOLDER WITH THE PUBLIC CORPORA], by default ./corpora
set -euo pipefail
cd "$(dirname "$0")/.."
python - "${1:-corpora}" <<'PY'
import sys
from untwist.data import Reading, known_corpora, load_source
from untwist.recipes import fix_splits

how = Reading(sys.argv[1], accept=("all",))
loaded = [load_source(name, how) for name in known_corpora() if name != "c2d2"]
fix_splits.write(fix_splits.fix(loaded), "src/untwist/data/splits.json")
PY
