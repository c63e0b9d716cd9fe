"""The corpora: every one loads into the same values, every row is checked, every split is fixed.

Purpose: turn published files, our own corpus and the caller's rows into frozen values.
Takes: files that the user brings; the open corpus ships.
Gives: dialogues with labels, streams of items and failures, splits, leakage reports, a manifest.
May import: schema, taxonomy, text, errors.
Heavy doors: none.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from untwist.data import crosslincd, jsonl, open, reframing, socialcd, therapist
from untwist.data.jsonlines import Failure, Item, Record, read_items, read_records, text_of
from untwist.data.manifest import Checked, CorpusFile, Entry, check, known_corpora, sha256_of
from untwist.data.refusals import Refusal, Refusals
from untwist.data.splits import Overlap, Shared, grouped, near_key, overlap, split
from untwist.schema import Dialogue

Loader = Callable[[Path | str, Refusals | None], Iterator[Dialogue]]
"""Takes the folder that holds the corpora (or the file) and a collector of refused rows."""

load_jsonl = jsonl.load
load_open = open.load


def _load_shipped(path: Path | str, refusals: Refusals | None) -> Iterator[Dialogue]:
    """The open corpus from the package, whatever the folder; for another copy use `load_open`."""
    return open.load(None, refusals)


CORPORA: dict[str, Loader] = {
    socialcd.CORPUS: socialcd.load,
    reframing.CORPUS: reframing.load,
    therapist.PART_CORPUS: therapist.load_part,
    therapist.WHOLE_CORPUS: therapist.load_whole,
    crosslincd.CORPUS: crosslincd.load,
    open.CORPUS: _load_shipped,
}
"""Loaders by corpus name."""

__all__ = [
    "CORPORA",
    "Checked",
    "CorpusFile",
    "Entry",
    "Failure",
    "Item",
    "Loader",
    "Overlap",
    "Record",
    "Refusal",
    "Refusals",
    "Shared",
    "check",
    "grouped",
    "known_corpora",
    "load_jsonl",
    "load_open",
    "near_key",
    "overlap",
    "read_items",
    "read_records",
    "sha256_of",
    "split",
    "text_of",
]
