"""Babacan's set: passages that are distorted or not.

Source: aigents/pygents, data/corpora/English/distortions/halilbabacan (Babacan 2023).
Licence: MIT (the repository); the set's own card states none; bring your own copy.
Language: English.
Labels: binary, "Distortion" and "No Distortion"; which distortion is not known.
Splits: not published.
Known faults: 1,597 distorted rows and all 933 undistorted ones are the therapist corpus, without
    its ids, so never train on one and test on the other; only 997 rows are new, all distorted and
    apparently machine-written. Undistorted rows are whole questions (median 504 characters),
    distorted ones short passages (median 87): length alone nearly separates them. 23 repeated
    texts; many begin with a space.
Size: 3,527 rows, 2,594 distorted.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from untwist.data.ownlabels import binary
from untwist.data.refusals import Refusals, build_each
from untwist.data.tables import Row, locate, read_table, single
from untwist.errors import DataError
from untwist.schema import Dialogue

CORPUS = "babacan"
FILE = "babacan_binary/babacan_binary_all.csv"
_TEXT, _LABEL = "Text", "Label"
_DISTORTED, _UNDISTORTED = "Distortion", "No Distortion"


def load(path: Path | str, refusals: Refusals | None = None) -> Iterator[Dialogue]:
    """Every row of the file, in its order.

    Args:
        path: the CSV file or a folder above it.
        refusals: collects refused rows; without it the first one raises.

    Raises:
        DataError: the file or a column is missing, or a row is refused and there is no collector.
    """
    file = locate(path, FILE)
    rows = read_table(file, ",", [_TEXT, _LABEL], refusals)
    yield from build_each(rows, _build, file, refusals)


def _build(row: Row) -> Dialogue:
    label = row.cells[_LABEL].strip()
    if label not in (_DISTORTED, _UNDISTORTED):
        raise DataError(f'column {_LABEL} is neither "{_DISTORTED}" nor "{_UNDISTORTED}"')
    return single(CORPUS, str(row.number), row.cells[_TEXT], binary(label == _DISTORTED))
