"""The open corpus: messages written for this project, the only corpus that ships.

Source: written for untwist by the guide in docs/guides/annotation.md.
Licence: CC BY 4.0 (LICENSE beside the files).
Language: English (en.jsonl) and Chinese (zh.jsonl).
Labels: multi-label over the canonical twelve, with evidence spans, intensity, risk and acuity.
Splits: published, train and test; items of one invented persona are one group and on one side.
Known faults: written by few hands, so it is narrower than real messages; no message comes from a
    real person.
Size: 17,279 messages, 8,628 of them English; DATA.md counts their labels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.resources import as_file, files
from pathlib import Path

from untwist.data import jsonl
from untwist.data.refusals import Refusals
from untwist.data.tables import locate
from untwist.schema import Dialogue

CORPUS = "open"
FILES = ("open/en.jsonl", "open/zh.jsonl")


def load(path: Path | str | None = None, refusals: Refusals | None = None) -> Iterator[Dialogue]:
    """Both files, English first.

    Args:
        path: another folder with the same two files; None means the files that ship.
        refusals: collects refused rows; without it the first one raises.

    Raises:
        DataError: a file is missing, or a row is refused and there is no collector.
    """
    for file in files_in(path, FILES):
        yield from jsonl.load(file, refusals, corpus=CORPUS)


def files_in(path: Path | str | None, relatives: Iterable[str]) -> Iterator[Path]:
    """Files of the open corpus: below a folder, or those that ship.

    Raises:
        DataError: a file is missing.
    """
    with as_file(files("untwist.data")) as shipped:
        for relative in relatives:
            yield locate(shipped if path is None else path, relative)


def load_shipped(path: Path | str, refusals: Refusals | None = None) -> Iterator[Dialogue]:
    """The open corpus from the package, whatever the folder; for another copy use `load`."""
    yield from load(None, refusals)
