"""CrossLinCD's alignment dataset (D_a): three corpora under one scheme of twelve.

Source: HongzhiQ/CrossLinCD, data/Standardized alignment dataset (2025).
Licence: not stated by the source; holds Cognitive Reframing texts (CC BY-NC-ND 4.0); for research
    only, bring your own copy.
Language: Chinese 3,404 and English 2,293.
Labels: multi-label, taxonomy "aligned-12"; 886 English rows have none.
Splits: not published; the paper's sizes fit 20 %, then 25 % of the rest.
Known faults: all of its texts are in SocialCD-3k, Cognitive Reframing or the therapist corpus, so
    never train on one and test on the other; ASCII commas became full-width ones, which hides
    1,299 shared texts from exact matching; five repeated texts; in ten rows an apostrophe became
    "__".
Size: 5,697 rows (the paper says 5,702).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from untwist.data.refusals import Refusals, build_each
from untwist.data.tables import Row, locate, marked, read_table, single
from untwist.schema import Dialogue, Labels
from untwist.taxonomy import taxonomy

CORPUS = "crosslincd"
TAXONOMY = "aligned-12"
FILE = "crosslincd_da/crosslincd_da_all.tsv"
_TEXT = "原始文本"


def load(path: Path | str, refusals: Refusals | None = None) -> Iterator[Dialogue]:
    """Every row of the file, in its order.

    Args:
        path: the TSV file or a folder above it.
        refusals: collects refused rows; without it the first one raises.

    Raises:
        DataError: the file or a column is missing, or a row is refused and there is no collector.
    """
    file = locate(path, FILE)
    labels = taxonomy(TAXONOMY)

    def build(row: Row) -> Dialogue:
        values = Labels(marked(row, labels), labels.covered)
        return single(CORPUS, str(row.number), row.cells[_TEXT], values)

    rows = read_table(file, "\t", [_TEXT, *labels.labels], refusals)
    yield from build_each(rows, build, file, refusals)
