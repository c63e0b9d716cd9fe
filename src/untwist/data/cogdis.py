"""CogDis: sentences of Chinese help seekers, distorted or not.

Source: 405200144/Dataset-of-Cognitive-Distortion-detection-and-Positive-Reconstruction, CogDis.txt
    (Lin et al., Findings of ACL 2024).
Licence: Apache-2.0 (the repository); the sentences come from PsyQA, whose own agreement forbids
    passing data on, so bring your own copy.
Language: Chinese.
Labels: binary, 1 distorted and 0 not; which distortion is not known.
Splits: not published; five folds are derived.
Known faults: three repeated sentences; 0 means "not distorted" and never "safe": at least 42 of
    these rows speak of suicide or of not wanting to live.
Size: 4,001 sentences, 1,129 distorted.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from untwist.data.ownlabels import binary
from untwist.data.refusals import Refusals, build_each
from untwist.data.tables import Row, locate, read_table, single
from untwist.errors import DataError
from untwist.schema import Dialogue

CORPUS = "cogdis"
FILE = "cogdis_zh/cogdis_all.tsv"
_TEXT, _LABEL = "text", "label"


def load(path: Path | str, refusals: Refusals | None = None) -> Iterator[Dialogue]:
    """Every row of the file, in its order; the file has no header.

    Args:
        path: the TSV file or a folder above it.
        refusals: collects refused rows; without it the first one raises.

    Raises:
        DataError: the file is missing, or a row is refused and there is no collector.
    """
    file = locate(path, FILE)
    rows = read_table(file, "\t", [_TEXT, _LABEL], refusals, header=False)
    yield from build_each(rows, _build, file, refusals)


def _build(row: Row) -> Dialogue:
    label = row.cells[_LABEL].strip()
    if label not in ("0", "1"):
        raise DataError("the second cell is neither 0 nor 1")
    return single(CORPUS, str(row.number), row.cells[_TEXT], binary(label == "1"))
