"""SocialCD-3k (D_s): Weibo comments with twelve distortions.

Source: HongzhiQ/SupervisedVsLLM-EfficacyEval, data/SocialCD-3k (Qi et al.).
Licence: not stated by the source; for research only, bring your own copy.
Language: Chinese (one text is English).
Labels: multi-label, taxonomy "socialcd-12"; every row has at least one.
Splits: published, train 2,725 and test 682.
Known faults: three texts stand in both train and test, one of them with other labels; labeling is
    on 58 % of the rows; no undistorted row, so nothing can be said about false alarms; four texts
    end in a space.
Size: 3,407 rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from untwist.data.refusals import Refusals, build_each
from untwist.data.tables import Row, locate, marked, read_table, single
from untwist.errors import DataError
from untwist.schema import Dialogue, Labels
from untwist.taxonomy import taxonomy

CORPUS = "socialcd"
TAXONOMY = "socialcd-12"
FILES = {
    "train": "socialcd_3k/socialcd_3k_train.tsv",
    "test": "socialcd_3k/socialcd_3k_test.tsv",
}
_TEXT = "内容"


def load(path: Path | str, refusals: Refusals | None = None) -> Iterator[Dialogue]:
    """Both published parts below a folder, or one file.

    Args:
        path: the folder, or one TSV file (its name ends in the part: `…_test.tsv`).
        refusals: collects refused rows; without it the first one raises.

    Raises:
        DataError: a file or column is missing, or a row is refused and there is no collector.
    """
    if Path(path).is_file():
        yield from _part(Path(path), _part_of(Path(path)), refusals)
        return
    for split, relative in FILES.items():
        yield from _part(locate(path, relative), split, refusals)


def _part_of(file: Path) -> str | None:
    ending = file.stem.rsplit("_", 1)[-1]
    return ending if ending in FILES else None


def _part(file: Path, split: str | None, refusals: Refusals | None) -> Iterator[Dialogue]:
    labels = taxonomy(TAXONOMY)

    def build(row: Row) -> Dialogue:
        found = marked(row, labels)
        if not found:
            raise DataError("no label is marked, which this corpus never has")
        id = f"{split or 'all'}-{row.number}"
        return single(CORPUS, id, row.cells[_TEXT], Labels(found, labels.covered), split=split)

    rows = read_table(file, "\t", [*labels.labels, _TEXT], refusals)
    yield from build_each(rows, build, file, refusals)
