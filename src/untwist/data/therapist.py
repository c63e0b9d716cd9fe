"""The therapist corpus: the distorted part (D_t1) and the whole question (D_t2).

Source: Shreevastava and Foltz (2021); SusannaMazzocchi/DECODE-Cognitive-Distortions,
    Dataset/Annotated_data.csv.
Licence: not stated where the file is published; for research only, bring your own copy.
Language: English.
Labels: dominant and optional secondary distortion, both counted, taxonomy "therapist-10".
Splits: not published as files; 6:2:2 by `Id_Number`, which both forms share as their group.
Known faults: a distorted part is a piece of a whole question, so a split by row leaks across the
    two forms; one question occurs twice, seven distorted parts are repeated; 933 of 2,530 whole
    questions are undistorted, and they are no shorter than the others while the parts are.
Size: 2,530 questions, 1,597 with a distorted part.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from untwist.data.refusals import Refusals, build_each
from untwist.data.tables import Row, locate, read_table, single
from untwist.errors import DataError
from untwist.schema import Dialogue, Finding, Labels
from untwist.taxonomy import taxonomy

PART_CORPUS = "therapist-part"
WHOLE_CORPUS = "therapist-whole"
TAXONOMY = "therapist-10"
FILE = "therapist_qa/therapist_qa_all.csv"
_ID, _WHOLE, _PART = "Id_Number", "Patient Question", "Distorted part"
_DOMINANT, _SECONDARY = "Dominant Distortion", "Secondary Distortion (Optional)"
_UNDISTORTED = "No Distortion"


def load_part(path: Path | str, refusals: Refusals | None = None) -> Iterator[Dialogue]:
    """D_t1: the distorted parts; questions without distortion have none and are no items.

    Args:
        path: the CSV file or a folder above it.
        refusals: collects refused rows; without it the first one raises.

    Raises:
        DataError: the file or a column is missing, or a row is refused and there is no collector.
    """
    yield from _load(path, PART_CORPUS, refusals)


def load_whole(path: Path | str, refusals: Refusals | None = None) -> Iterator[Dialogue]:
    """D_t2: the whole questions; the distorted part is the dominant label's evidence.

    Args:
        path: the CSV file or a folder above it.
        refusals: collects refused rows; without it the first one raises.

    Raises:
        DataError: the file or a column is missing, or a row is refused and there is no collector.
    """
    yield from _load(path, WHOLE_CORPUS, refusals)


def _load(path: Path | str, corpus: str, refusals: Refusals | None) -> Iterator[Dialogue]:
    file = locate(path, FILE)
    build = _build_part if corpus == PART_CORPUS else _build_whole
    rows = read_table(file, ",", [_ID, _WHOLE, _PART, _DOMINANT, _SECONDARY], refusals)
    yield from build_each(rows, build, file, refusals)


def _build_part(row: Row) -> Dialogue | None:
    names, part = _names(row), row.cells[_PART]
    if bool(names) != bool(part.strip()):
        raise DataError(f"column {_PART} and column {_DOMINANT} contradict each other")
    return _dialogue(row, PART_CORPUS, part, names, ()) if names else None


def _build_whole(row: Row) -> Dialogue:
    names, whole, part = _names(row), row.cells[_WHOLE], row.cells[_PART]
    start = whole.find(part) if names and part else -1
    evidence: tuple[Finding, ...] = ()
    if start >= 0:
        dominant = taxonomy(TAXONOMY).from_label(names[0])
        evidence = tuple(Finding(d, 1.0, start, start + len(part)) for d in dominant)
    return _dialogue(row, WHOLE_CORPUS, whole, names, evidence)


def _names(row: Row) -> list[str]:
    """The labels as written, the dominant one first.

    Raises:
        DataError: the dominant label is missing.
    """
    names = [row.cells[_DOMINANT].strip(), row.cells[_SECONDARY].strip()]
    if not names[0]:
        raise DataError(f"column {_DOMINANT} is empty")
    return [name for name in names if name not in ("", _UNDISTORTED)]


def _dialogue(
    row: Row, corpus: str, text: str, names: list[str], evidence: tuple[Finding, ...]
) -> Dialogue:
    id = row.cells[_ID].strip()
    if not id:
        raise DataError(f"column {_ID} is empty")
    labels = taxonomy(TAXONOMY)
    found = frozenset(d for name in names for d in labels.from_label(name))
    values = Labels(found, labels.covered, evidence=evidence)
    return single(corpus, id, text, values, group=f"therapist:{id}")
