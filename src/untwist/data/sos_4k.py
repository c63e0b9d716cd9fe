"""SOS-4K: Weibo comments with eleven levels of suicide risk.

Source: HongzhiQ/RSLF-Framework-and-SOS4K-Dataset, data_final.
Licence: not stated by the source; for research only, bring your own copy.
Language: Chinese.
Labels: level 0-10 as in SOS-1K. The explanations beside them were written by a language model and
    are not read.
Splits: published, train 2,693, validation 673 and test 842.
Known faults: holds SOS-1K, 165 of whose test rows are in the train part here; 48 of the shared
    texts have another level; one text lies in train and validation, and a few nearly do.
Size: 4,208 comments.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from untwist.data.refusals import Refusals, build_each
from untwist.data.risklabels import judged, level_of, message, parts_in
from untwist.data.sos_1k import HIGHEST, LEVEL, TEXT, accepted
from untwist.data.tables import Row, read_table
from untwist.schema import Dialogue

CORPUS = "sos_4k"
FILES = {
    "train": "sos_4k/sos_4k_train.tsv",
    "val": "sos_4k/sos_4k_val.tsv",
    "test": "sos_4k/sos_4k_test.tsv",
}


def load(path: Path | str, refusals: Refusals | None = None) -> Iterator[Dialogue]:
    """All published parts below a folder, or one file.

    Args:
        path: the folder, or one TSV file (its name ends in the part: `…_test.tsv`).
        refusals: collects refused rows; without it the first one raises.

    Raises:
        DataError: a file or column is missing, or a row is refused and there is no collector.
    """
    for file, part in parts_in(path, FILES):
        yield from _part(file, part, refusals)


def _part(file: Path, part: str | None, refusals: Refusals | None) -> Iterator[Dialogue]:
    split = "validation" if part == "val" else part

    def build(row: Row) -> Dialogue:
        level = level_of(row, LEVEL, HIGHEST)
        labels = judged((str(level),), accepted(level))
        id = f"{part or 'all'}-{row.number}"
        return message(CORPUS, id, row.cells[TEXT], labels, split)

    rows = read_table(file, "\t", [TEXT, LEVEL], refusals)
    yield from build_each(rows, build, file, refusals)
