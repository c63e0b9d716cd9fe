"""Trains a tiny encoder as one of several processes; the first writes what came of it.

python -m tests.detect.train_together OUT SETTINGS
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

from safetensors.torch import save_file

from tests.detect import tiny, tiny_encoder
from untwist.detect import fit_encoder

EXAMPLES = {"first": tiny.examples()[:25], "second": tiny.examples()[25:]}
CONFIG = replace(tiny_encoder.CONFIG, epochs=2, patience=2, batch=8, learning_rate=1e-3)


def train(changes):
    """The same in every process."""
    config = replace(CONFIG, **changes)
    return fit_encoder(EXAMPLES, config, EXAMPLES, base=tiny_encoder.base())


def main(out, changes):
    """Train, and write weights and epochs."""
    fitted = train(json.loads(changes))
    if fitted.main:
        save_file(fitted.detector.network.state_dict(), Path(out) / "weights.safetensors")
        (Path(out) / "epochs.json").write_text(json.dumps(fitted.epochs), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
