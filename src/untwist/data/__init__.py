"""The corpora: every one loads into the same values, every row is checked, every split is fixed.

Purpose: turn published files, our own corpus and the caller's rows into frozen values.
Takes: files that the user brings; the open corpus ships.
Gives: dialogues with labels, streams of items and failures, splits, leakage reports, a manifest.
May import: schema, safety, taxonomy, text, errors.
Heavy doors: none.
"""

from untwist.data import convert, jsonl, open
from untwist.data.cases import Case, read_cases, shipped_cases
from untwist.data.convert import to_row, write_jsonl
from untwist.data.drafts import Draft, read_drafts, shipped_drafts
from untwist.data.jsonlines import Failure, Item, Record, read_items, read_records, text_of
from untwist.data.leakage import Leak, Leakage, Part, find_leakage
from untwist.data.logged import LoggedTurn, read_logged, write_logged
from untwist.data.manifest import (
    Checked,
    CorpusFile,
    Entry,
    check,
    corpora_of,
    entry_of,
    known_corpora,
    sha256_of,
)
from untwist.data.ownlabels import BeliefLabels, BinaryLabels, VoteLabels, WordLabels
from untwist.data.refusals import Refusal, Refusals
from untwist.data.registry import (
    Loaded,
    Loader,
    card_of,
    digest_of,
    letters_of,
    load_corpus,
    loader_of,
    locate_files,
    parts_of,
)
from untwist.data.replies import ReplyRow, read_replies, reply_row_of
from untwist.data.risklabels import RiskLabels
from untwist.data.sources import Reading, load_source
from untwist.data.splits import (
    Mode,
    folds,
    group_parts,
    grouped,
    near_key,
    row_parts,
)
from untwist.data.stats import Stats, Turns, stats_of
from untwist.data.tabular import Columns
from untwist.data.triples import Triple, Vote, read_triples, shipped_triples
from untwist.data.xlsx import read_xlsx, xlsx_bytes

load_jsonl = jsonl.load
load_open = open.load


__all__ = [
    "BeliefLabels",
    "BinaryLabels",
    "Case",
    "Checked",
    "Columns",
    "CorpusFile",
    "Draft",
    "Entry",
    "Failure",
    "Item",
    "Leak",
    "Leakage",
    "Loaded",
    "Loader",
    "LoggedTurn",
    "Mode",
    "Part",
    "Reading",
    "Record",
    "Refusal",
    "Refusals",
    "ReplyRow",
    "RiskLabels",
    "Stats",
    "Triple",
    "Turns",
    "Vote",
    "VoteLabels",
    "WordLabels",
    "card_of",
    "check",
    "convert",
    "corpora_of",
    "digest_of",
    "entry_of",
    "find_leakage",
    "folds",
    "group_parts",
    "grouped",
    "known_corpora",
    "letters_of",
    "load_corpus",
    "load_jsonl",
    "load_open",
    "load_source",
    "loader_of",
    "locate_files",
    "near_key",
    "parts_of",
    "read_cases",
    "read_drafts",
    "read_items",
    "read_logged",
    "read_records",
    "read_replies",
    "read_triples",
    "read_xlsx",
    "reply_row_of",
    "row_parts",
    "sha256_of",
    "shipped_cases",
    "shipped_drafts",
    "shipped_triples",
    "stats_of",
    "text_of",
    "to_row",
    "write_jsonl",
    "write_logged",
    "xlsx_bytes",
]
