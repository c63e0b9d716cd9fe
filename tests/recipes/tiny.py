"""Made-up corpora in our own format, small enough to be counted by hand."""

import json
from pathlib import Path

from tests.tiny_corpora import write_lines
from untwist.data import Reading, load_source
from untwist.recipes.rows import rows_of
from untwist.taxonomy import Distortion

D = Distortion
KEYWORDS = {"failure": D.LABELING, "go wrong": D.FORTUNE_TELLING}


def row(id, text, split, *labels, **more):
    return {"id": id, "text": text, "split": split, "labels": [d.value for d in labels], **more}


def own_rows():
    """Two labels; every part has both, and test has a row without a label."""
    return [
        row("a1", "I am a failure at this", "train", D.LABELING),
        row("a2", "Tomorrow it will go wrong", "train", D.FORTUNE_TELLING),
        row("a3", "The tea is warm", "train"),
        row("v1", "Such a failure again", "validation", D.LABELING),
        row("v2", "The exam will go wrong", "validation", D.FORTUNE_TELLING),
        row("t1", "My sister calls me a failure", "test", D.LABELING),
        row("t2", "Our trip will go wrong", "test", D.FORTUNE_TELLING, D.LABELING),
        row("t3", "We bought apples", "test"),
        row("t4", "Everyone must like me", "test", D.SHOULD_STATEMENTS),
    ]


def write_own(folder: Path, rows=None, name="own.jsonl") -> str:
    return str(write_lines(folder / name, own_rows() if rows is None else rows))


def read_rows(source: str, how: Reading | None = None):
    loaded = load_source(source, how or Reading())
    return rows_of(loaded.entry.name, loaded.dialogues)


def metrics_of(path: Path):
    return json.loads((path / "metrics.json").read_text(encoding="utf-8"))


def text_of(path: Path, name="report.md"):
    return (path / name).read_text(encoding="utf-8")
