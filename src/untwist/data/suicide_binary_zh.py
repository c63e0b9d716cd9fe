"""High or low suicide risk of Weibo comments.

Source: HongzhiQ/SupervisedVsLLM-EfficacyEval, data/suicide (Qi et al.).
Licence: not stated by the source; for research only, bring your own copy.
Language: Chinese.
Labels: 0 low, 1 high. Low reaches up to a wish to die without a plan, so it says nothing of our
    levels.
Splits: published, train 999 and validation 250.
Known faults: the same comments as SOS-1K with the same high and low (1,210 match word for word),
    so it is no second witness; what holds of that labelling holds here; one text stands in both
    parts.
Size: 1,249 comments, 601 high.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from untwist.data.refusals import Refusals, build_each
from untwist.data.risklabels import EVERY, judged, level_of, message, parts_in
from untwist.data.sos_1k import LOW_HIGH
from untwist.data.tables import Row, read_table
from untwist.errors import DataError
from untwist.schema import Dialogue
from untwist.taxonomy import Risk

CORPUS = "suicide_binary_zh"
FILES = {
    "train": "suicide_binary_zh/suicide_binary_train.tsv",
    "val": "suicide_binary_zh/suicide_binary_val.tsv",
}
_ID, _LABEL, _TEXT = "id", "label", "comment"


def load(path: Path | str, refusals: Refusals | None = None) -> Iterator[Dialogue]:
    """Both published parts below a folder, or one file.

    Args:
        path: the folder, or one TSV file (its name ends in the part: `…_val.tsv`).
        refusals: collects refused rows; without it the first one raises.

    Raises:
        DataError: a file or column is missing, or a row is refused and there is no collector.
    """
    for file, part in parts_in(path, FILES):
        yield from _part(file, part, refusals)


def _part(file: Path, part: str | None, refusals: Refusals | None) -> Iterator[Dialogue]:
    split = "validation" if part == "val" else part

    def build(row: Row) -> Dialogue:
        id = row.cells[_ID].strip()
        if not id:
            raise DataError(f"column {_ID} is empty")
        high = level_of(row, _LABEL, 1)
        labels = judged((LOW_HIGH[high],), frozenset({Risk.HIGH}) if high else EVERY)
        return message(CORPUS, f"{part or 'all'}-{id}", row.cells[_TEXT], labels, split)

    rows = read_table(file, "\t", [_ID, _LABEL, _TEXT], refusals)
    yield from build_each(rows, build, file, refusals)
