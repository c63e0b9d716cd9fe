"""Train a detector on the open corpus, save it, use it."""

import tempfile
from pathlib import Path

from untwist.data import load_open
from untwist.detect import Example, FastConfig, FastDetector, fit


def main(quick: bool = False) -> None:
    """Train; `quick` takes every tenth text and few steps."""
    dialogues = [d for d in load_open() if d.split == "train"]
    examples = [
        Example(d.utterances[0], d.labels[0], d.group)
        for d in dialogues[:: 10 if quick else 1]
        if d.labels[0] is not None
    ]
    config = FastConfig(folds=2, steps=8) if quick else FastConfig()
    detector = fit(examples, config, seed=42, name="example-v1")
    print(detector.about["held_out"])
    with tempfile.TemporaryDirectory() as folder:
        detector.save(Path(folder), "# An example\n")
        again = FastDetector.load(Path(folder))
    print(again.name, *(rule.labels.round(2) for rule in again.rules))


if __name__ == "__main__":
    main()
