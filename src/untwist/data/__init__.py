"""The corpora: every one loads into the same values, every row is checked, every split is fixed.

Purpose: turn published files, our own corpus and the caller's rows into frozen values.
Takes: files that the user brings; the open corpus ships.
Gives: dialogues with labels, streams of items and failures, splits, leakage reports, a manifest.
May import: schema, safety, taxonomy, text, errors.
Heavy doors: none.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from untwist.data import (
    crosslincd,
    jsonl,
    open,
    psysuicide,
    reddit_cssrs,
    reframing,
    socialcd,
    sos_1k,
    sos_4k,
    suicide_binary_zh,
    therapist,
)
from untwist.data.cases import Case, read_cases, shipped_cases
from untwist.data.drafts import Draft, read_drafts, shipped_drafts
from untwist.data.jsonlines import Failure, Item, Record, read_items, read_records, text_of
from untwist.data.manifest import Checked, CorpusFile, Entry, check, known_corpora, sha256_of
from untwist.data.refusals import Refusal, Refusals
from untwist.data.risklabels import RiskLabels
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
"""Loaders of distortions by corpus name."""

RISK_CORPORA: dict[str, Loader] = {
    psysuicide.CORPUS: psysuicide.load,
    sos_1k.CORPUS: sos_1k.load,
    sos_4k.CORPUS: sos_4k.load,
    suicide_binary_zh.CORPUS: suicide_binary_zh.load,
    reddit_cssrs.CORPUS: reddit_cssrs.load,
}
"""Loaders of risk by corpus name; every label is a `RiskLabels`."""

__all__ = [
    "CORPORA",
    "RISK_CORPORA",
    "Case",
    "Checked",
    "CorpusFile",
    "Draft",
    "Entry",
    "Failure",
    "Item",
    "Loader",
    "Overlap",
    "Record",
    "Refusal",
    "Refusals",
    "RiskLabels",
    "Shared",
    "check",
    "grouped",
    "known_corpora",
    "load_jsonl",
    "load_open",
    "near_key",
    "overlap",
    "read_cases",
    "read_drafts",
    "read_items",
    "read_records",
    "sha256_of",
    "shipped_cases",
    "shipped_drafts",
    "split",
    "text_of",
]
