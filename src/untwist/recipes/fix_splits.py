"""Recipe: the parts that ship, so that everyone scores on the same rows.

    all corpora at hand -> leakage -> groups over all corpora at once -> data/splits.json

The file holds one letter a row (t train, v validation, e test) and the sha256 of ids and texts by
which a corpus knows its parts again; no text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from untwist.data import (
    Leakage,
    Loaded,
    Part,
    digest_of,
    find_leakage,
    group_parts,
    letters_of,
    row_parts,
)
from untwist.data.splits import SEED
from untwist.schema import Json


def fix(loaded: Sequence[Loaded]) -> Json:
    """The parts of every corpus by both splits.

    Excerpts and rewritten texts are joined to the groups, beside sources and near-duplicates. The
    open corpus is left out of that: the shipped model knows its published parts, which were made
    by persona, so they stay.
    """
    rows = {one.entry.name: one.dialogues for one in loaded}
    ours = [one.entry.name for one in loaded if one.entry.ships]
    own = {name: rows.pop(name) for name in ours}
    links = _links(find_leakage([Part(name, dialogues) for name, dialogues in rows.items()]))
    together = group_parts(rows, links)
    for name in ours:
        together |= group_parts({name: own[name]})
    return {
        "seed": SEED,
        "letters": {"t": "train", "v": "validation", "e": "test"},
        "corpora": {
            one.entry.name: {
                "sha256": digest_of(one.dialogues),
                "published": letters_of(row_parts(one.dialogues, one.entry.cuts)),
                "grouped": letters_of(together[one.entry.name]),
            }
            for one in loaded
        },
    }


def write(splits: Json, path: Path | str) -> None:
    """Write them, one corpus a line for each split."""
    Path(path).write_text(json.dumps(splits, indent=1) + "\n", encoding="utf-8", newline="\n")


def _links(report: Leakage) -> Iterator[tuple[str, str]]:
    for leak in (*report.between, *(within.leak for within in report.within)):
        for pair in leak.pairs:
            yield f"{leak.part}:{pair.first}", f"{leak.other}:{pair.second}"
