"""SOS-1K: Weibo comments with eleven levels of suicide risk, and high or low.

Source: HongzhiQ/FineGrainedSuicideDetection, suicideDataProcessing/data (2024).
Licence: not stated by the source; for research only, bring your own copy.
Language: Chinese.
Labels: level 0-10 (0-3 suffering without a wish to die, 4-5 a wish to die, 6-10 planned, means or
    date decided, under way) and high or low, from two files with the same rows; both are kept.
Splits: published, five folds ("train") and test 250.
Known faults: the source's rule is high = levels 6-10, but 127 rows depart from it (81 at 0-5 are
    high, 46 at 6-10 low); a reader must guess much, since most comments answer a post that is not
    here; one text stands in a fold and in the test part.
Size: 1,249 comments, 601 high.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from untwist.data.refusals import Refusals, build_each
from untwist.data.risklabels import judged, level_of, message
from untwist.data.tables import Row, locate, read_table
from untwist.errors import DataError
from untwist.schema import Dialogue
from untwist.taxonomy import Risk

CORPUS = "sos_1k"
FILES = ("sos_1k/sos_fgc_1k_all.tsv", "sos_1k/sos_hl_1k_all.tsv")
TEXT, LEVEL = "comment", "myLabel"
HIGHEST = 10
LOW_HIGH = ("low", "high")
_TWO, _PART = "twoClass", "part"


def accepted(level: int) -> frozenset[Risk]:
    """The levels of ours that agree with one of the eleven."""
    if level >= 5:
        return frozenset({Risk.HIGH})
    if level == 4:
        return frozenset({Risk.MEDIUM, Risk.HIGH})
    return frozenset({Risk.LOW, Risk.MEDIUM} if level else {Risk.NONE, Risk.LOW})


def load(path: Path | str, refusals: Refusals | None = None) -> Iterator[Dialogue]:
    """Every comment with its level and, as second label, high or low.

    Args:
        path: a folder above the two files.
        refusals: collects refused rows; without it the first one raises.

    Raises:
        DataError: a file or column is missing, or a row is refused and there is no collector.
    """
    fine, coarse = (locate(path, file) for file in FILES)
    two = {r.number: r for r in read_table(coarse, "\t", [TEXT, _TWO, _PART], refusals)}

    def build(row: Row) -> Dialogue:
        level = level_of(row, LEVEL, HIGHEST)
        own = (str(level), LOW_HIGH[_two(row, two.get(row.number))])
        part = row.cells[_PART].strip()
        if part != "test" and not part.startswith("fold"):
            raise DataError(f"column {_PART} names neither a fold nor test")
        split = "test" if part == "test" else "train"
        labels = judged(own, accepted(level))
        return message(CORPUS, str(row.number), row.cells[TEXT], labels, split)

    rows = read_table(fine, "\t", [TEXT, LEVEL, _PART], refusals)
    yield from build_each(rows, build, fine, refusals)


def _two(row: Row, other: Row | None) -> int:
    if other is None or any(other.cells[c] != row.cells[c] for c in (TEXT, _PART)):
        raise DataError("the row is another one in the file of high and low")
    return level_of(other, _TWO, 1)
