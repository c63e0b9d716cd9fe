"""Parallel pairs of the open corpus: one thought, said once in English and once in Chinese.

Source: written for untwist by the guide in docs/guides/annotation.md.
Licence: CC BY 4.0 (open/LICENSE).
Language: English and Chinese, 400 messages each.
Labels: multi-label over the canonical twelve, with evidence spans, intensity, risk and acuity; both
    messages of a pair have the same.
Splits: test alone: nothing of this project learns from them.
Known faults: written by two language models; each label is the main one 28 times, so the mixture is
    not that of life; one pair in six has no distortion; many texts are wry.
Size: 400 pairs, 800 messages.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from untwist.data import jsonl, open
from untwist.data.refusals import Refusals
from untwist.schema import Dialogue

CORPUS = "open-parallel"
FILES = ("open/parallel.jsonl",)


def load(path: Path | str | None = None, refusals: Refusals | None = None) -> Iterator[Dialogue]:
    """Every message, the two of a pair together; their `group` is the pair.

    Args:
        path: another folder with the same file; None means the file that ships.
        refusals: collects refused rows; without it the first one raises.

    Raises:
        DataError: a file is missing, or a row is refused and there is no collector.
    """
    for file in open.files_in(path, FILES):
        yield from jsonl.load(file, refusals, corpus=CORPUS)


def load_shipped(path: Path | str, refusals: Refusals | None = None) -> Iterator[Dialogue]:
    """Those of the package, whatever the folder; for another copy use `load`."""
    yield from load(None, refusals)
