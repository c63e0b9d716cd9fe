"""PatternReframe: thoughts written to show one pattern, and what others saw in them.

Source: mer0o/contrastive-reframings, valid.txt (votes), and seowookim/Aifelton, 9-class table;
    both from Maddela et al. (2023).
Licence: not stated by the two repositories (the original task's code: MIT); for research only,
    bring your own copy.
Language: English.
Labels: votes of several annotators a pattern, taxonomy "patternreframe-10"; `MIN_VOTES` votes make
    a label. In the 9-class table the pattern that the writer was asked for, and no votes.
Splits: the votes are the published validation part, of which no other part is here, so parts are
    derived; a persona stays on one side.
Known faults: the first record is cut off in the source and left out; 18 thoughts have two votes for
    "None" beside a pattern (the patterns are kept), three have two votes for nothing (the labels
    are not known); nobody could be asked for emotional reasoning. In the 9-class table 36 cells
    have lost an apostrophe (18 thoughts), and "Discounting the positive" is absent.
Size: 960 thoughts with votes, four of them undistorted; 1,726 in the 9-class table.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from untwist.data.jsonlines import Record
from untwist.data.jsonlist import read_objects
from untwist.data.ownlabels import VoteLabels
from untwist.data.refusals import Refusals, build_each
from untwist.data.splits import near_key
from untwist.data.tables import Row, locate, read_table, single
from untwist.errors import DataError
from untwist.schema import Dialogue, Json, Labels
from untwist.taxonomy import Distortion, taxonomy

CORPUS = "patternreframe"
NINE_CORPUS = "patternreframe-9class"
TAXONOMY = "patternreframe-10"
FILE = "patternreframe/patternreframe_valid.jsonl"
NINE_FILE = "patternreframe/patternreframe_9class_with_scenario.csv"
MIN_VOTES = 2
"""Votes that make a label, as the corpus's paper counts them: one vote alone is often a slip."""
MAX_VOTES = 5
"""Most votes that a pattern can get."""

_LONG = {
    "Jumping to conclusions: mind reading": "Mind reading",
    "Jumping to conclusions: Fortune-telling": "Fortune-telling",
    "Black-and-white or polarized thinking / All or nothing thinking": "All or nothing",
}
_NONE = "None"
_NEVER_ASKED = "Emotional reasoning"
_PERSONA, _PATTERN, _THOUGHT = "persona", "pattern", "thought"


def load(path: Path | str, refusals: Refusals | None = None) -> Iterator[Dialogue]:
    """Every thought with its votes, in the order of the file.

    Patterns with `MIN_VOTES` or more are the labels. A thought is undistorted when only "None" has
    so many; when nothing has, its labels are not known.

    Args:
        path: the JSONL file or a folder above it.
        refusals: collects refused rows; without it the first one raises.

    Raises:
        DataError: the file is missing, or a row is refused and there is no collector.
    """
    file = locate(path, FILE)
    yield from build_each(read_objects(file, refusals), _build, file, refusals)


def load_nine(path: Path | str, refusals: Refusals | None = None) -> Iterator[Dialogue]:
    """Every thought of the 9-class table with the pattern that was asked for, in its order.

    The machine-written scenario beside a thought is not read.

    Args:
        path: the CSV file or a folder above it.
        refusals: collects refused rows; without it the first one raises.

    Raises:
        DataError: the file or a column is missing, or a row is refused and there is no collector.
    """
    file = locate(path, NINE_FILE)
    rows = read_table(file, ",", [_PERSONA, _PATTERN, _THOUGHT], refusals)
    yield from build_each(rows, _build_nine, file, refusals)


def _build(record: Record) -> Dialogue:
    persona, pattern, thought = (_string(record.data, k) for k in (_PERSONA, _PATTERN, _THOUGHT))
    labels = _labels(_votes(record.data), _pattern(pattern))
    return single(CORPUS, str(record.line), thought, labels, group=_group(persona))


def _build_nine(row: Row) -> Dialogue:
    pattern = _pattern(row.cells[_PATTERN])
    carried = taxonomy(TAXONOMY).covered - {Distortion.DISQUALIFYING_POSITIVE}
    if pattern not in carried:
        raise DataError(f"column {_PATTERN} holds a pattern that this table does not have")
    labels = Labels(frozenset({pattern}), carried)
    group = _group(row.cells[_PERSONA])
    return single(NINE_CORPUS, str(row.number), row.cells[_THOUGHT], labels, group=group)


def _labels(votes: dict[str, int], intended: Distortion) -> VoteLabels:
    none = votes.pop(_NONE)
    counted = tuple((_pattern(name), count) for name, count in votes.items())
    found = frozenset(distortion for distortion, count in counted if count >= MIN_VOTES)
    known = bool(found) or none >= MIN_VOTES
    carried = taxonomy(TAXONOMY).covered
    return VoteLabels(
        found if known else None, carried, votes=counted, none_votes=none, intended=intended
    )


def _votes(data: Json) -> dict[str, int]:
    """The votes for the ten patterns and for none, by name.

    Raises:
        DataError: a name or a count is not one of the corpus.
    """
    marked = data.get("marked_patterns")
    if not isinstance(marked, dict):
        raise DataError('"marked_patterns" is missing or no object')
    allowed = {str(count): count for count in range(MAX_VOTES + 1)}
    if any(str(count) not in allowed for count in marked.values()):
        raise DataError(f'"marked_patterns" holds no whole number from 0 to {MAX_VOTES}')
    votes = {name.strip(): allowed[str(count)] for name, count in marked.items()}
    if votes.pop(_NEVER_ASKED, 0):
        raise DataError(f'"marked_patterns" has votes for a pattern outside {TAXONOMY}')
    names = {_LONG.get(name, name) for name in votes}
    if names != {*taxonomy(TAXONOMY).labels, _NONE}:
        raise DataError(f'"marked_patterns" are not the patterns of {TAXONOMY} and "{_NONE}"')
    return votes


def _pattern(name: str) -> Distortion:
    (pattern,) = taxonomy(TAXONOMY).from_label(_LONG.get(name.strip(), name))
    return pattern


def _string(data: Json, key: str) -> str:
    value = data.get(key)
    if not isinstance(value, str):
        raise DataError(f'"{key}" is missing or no string')
    return value


def _group(persona: str) -> str:
    """The same for a persona however it is spaced and cased, without its words.

    Raises:
        DataError: there is no persona.
    """
    if not persona.strip():
        raise DataError(f'"{_PERSONA}" is empty')
    digest = hashlib.sha256(near_key(persona).encode("utf-8")).hexdigest()
    return f"{CORPUS}:{digest[:16]}"
