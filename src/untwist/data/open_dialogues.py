"""Dialogues of the open corpus: a person and a helper, each of the person's turns labelled.

Source: written for untwist by the guide in docs/guides/annotation.md.
Licence: CC BY 4.0 (open/LICENSE).
Language: English 160 and Chinese 160 dialogues.
Labels: multi-label over the canonical twelve for each turn of the person, with evidence spans,
    intensity, risk and acuity; the strategy of each turn of the helper.
Splits: published, train 128 and test 32 a language; a dialogue is one invented persona.
Known faults: written by language models, four of them; about 45 % of the helper's turns are
    empathic validation, most of them end in a question, and most dialogues end on an easier note
    than life does; nobody of the two is real.
Size: 320 dialogues of 6 to 16 turns, 3,719 turns, 1,983 of them the person's.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from untwist.data import jsonl, open
from untwist.data.refusals import Refusals
from untwist.schema import Dialogue

CORPUS = "open-dialogues"
FILES = ("open/dialogues-en.jsonl", "open/dialogues-zh.jsonl")


def load(path: Path | str | None = None, refusals: Refusals | None = None) -> Iterator[Dialogue]:
    """Both files, English first.

    Args:
        path: another folder with the same two files; None means the files that ship.
        refusals: collects refused rows; without it the first one raises.

    Raises:
        DataError: a file is missing, or a row is refused and there is no collector.
    """
    for file in open.files_in(path, FILES):
        yield from jsonl.load(file, refusals, corpus=CORPUS)


def load_shipped(path: Path | str, refusals: Refusals | None = None) -> Iterator[Dialogue]:
    """Those of the package, whatever the folder; for another copy use `load`."""
    yield from load(None, refusals)
