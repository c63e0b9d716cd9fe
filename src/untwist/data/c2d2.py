"""C2D2 (D_c): everyday thoughts with one of seven distortions or none.

Source: given by its authors on application; CrossLinCD (2025) has it as three TSV files
    `Dc_MC-7_…_Zh`. Bring your own copy.
Licence: the authors'; not to be passed on.
Language: Chinese.
Labels: single-label, taxonomy "c2d2-7"; an all-zero row is undistorted. The twelve columns of
    CrossLinCD are there, five of them never hold a 1.
Splits: published, train 4,500, validation 1,500 and test 1,500.
Known faults: in CrossLinCD's files every digit for which there is a label number became "digit:
    name of the label", in the middle of the texts too, which gives labels away and spoils what is
    read. Such rows are refused unless the caller says what to do with them. 0, 1, 6 and 7 are the
    only numbers whose labels are known.
Size: 7,500 rows, 2,050 of them undistorted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Literal

from untwist.data.refusals import Refusals, build_each
from untwist.data.tables import Row, header_of, marked, read_table, single
from untwist.errors import ConfigError, DataError
from untwist.schema import Dialogue, Labels
from untwist.taxonomy import Distortion, parse, taxonomy

CORPUS = "c2d2"
TAXONOMY = "c2d2-7"
COLUMNS_TAXONOMY = "aligned-12"
FOLDER = "c2d2"
FILES = {
    "train": ("Dc_MC-7_train_4500_Zh", "train"),
    "validation": ("Dc_MC-7_val_1500_Zh", "val", "validation"),
    "test": ("Dc_MC-7_test_1500_Zh", "test"),
}
"""The published parts, and the names that their files may have without the ending."""
ENDINGS = (".tsv", ".txt", ".csv")
UNDISTORTED = ("非歪曲", "无歪曲", "无扭曲", "无标签", "无", "none", "no distortion", "undistorted")
"""What the plain form may call a thought without distortion."""
CODES: dict[str, Distortion | None] = {
    "0": Distortion.ALL_OR_NOTHING,
    "1": Distortion.EMOTIONAL_REASONING,
    "6": Distortion.PERSONALIZATION,
    "7": None,
}
"""The label numbers that are known; None is no distortion."""
Corrupted = Literal["refuse", "clean", "keep"]

_TEXT = "原始文本"
_PLAIN_TEXT, _PLAIN_LABEL = "text", "label"
_NAMES = (
    *(
        name
        for name, meant in taxonomy(COLUMNS_TAXONOMY).labels.items()
        if taxonomy(TAXONOMY).covered.issuperset(meant)
    ),
    UNDISTORTED[0],
)
_INJECTED = re.compile(rf"(\d)[:：] ?({'|'.join(_NAMES)})")


def load(
    path: Path | str,
    refusals: Refusals | None = None,
    *,
    corrupted: Corrupted = "refuse",
    encoding: str = "utf-8",
) -> Iterator[Dialogue]:
    """All three parts below a folder, or one file, in CrossLinCD's form or as `text` and `label`.

    Args:
        path: a folder with the three files, or the folder above `c2d2`, or one file; CSV or TSV by
            its ending. A file's part is told by its name.
        refusals: collects refused rows; without it the first one raises.
        corrupted: what to do with a text that has label names where digits stood: "refuse" the
            row, "clean" the text, or "keep" it as it is.
        encoding: of the files.

    Raises:
        DataError: a file or column is missing, or a row is refused and there is no collector.
        ConfigError: `corrupted` is none of the three, or the encoding is unknown.
    """
    if corrupted not in ("refuse", "clean", "keep"):
        raise ConfigError(f'corrupted is "{corrupted}": give "refuse", "clean" or "keep"')
    for file, part in _parts(Path(path)):
        delimiter = "," if file.suffix.lower() == ".csv" else "\t"
        published = _TEXT in header_of(file, delimiter, encoding)
        columns = (
            [_TEXT, *taxonomy(COLUMNS_TAXONOMY).labels]
            if published
            else [_PLAIN_TEXT, _PLAIN_LABEL]
        )
        rows = read_table(file, delimiter, columns, refusals, encoding)
        build = partial(_build, part=part, published=published, corrupted=corrupted)
        yield from build_each(rows, build, file, refusals)


def injected(text: str) -> int:
    """How many label names stand in a text where digits stood."""
    return len(_INJECTED.findall(text))


def clean(text: str) -> str:
    """The text with every "digit: label name" put back to the digit alone."""
    return _INJECTED.sub(r"\1", text)


def _parts(path: Path) -> list[tuple[Path, str | None]]:
    if path.is_file():
        words = re.split(r"[_\-. ]", path.stem.lower())
        return [(path, next((p for p, names in FILES.items() if {*names} & {*words}), None))]
    return [(_find(path, part, names), part) for part, names in FILES.items()]


def _find(path: Path, part: str, names: tuple[str, ...]) -> Path:
    # in a folder of all corpora a file called "train" would be anybody's
    places = [path / FOLDER] if (path / FOLDER).is_dir() else [path]
    for place in places:
        for name in names:
            for ending in ENDINGS:
                if (place / f"{name}{ending}").is_file():
                    return place / f"{name}{ending}"
    raise DataError(
        f"no {part} part in {places[0]}: C2D2 is given by its authors on application; "
        f"put {names[0]}{ENDINGS[0]} there, or give one file"
    )


def _build(row: Row, part: str | None, published: bool, corrupted: Corrupted) -> Dialogue:
    text = _text(row.cells[_TEXT if published else _PLAIN_TEXT], corrupted)
    found = _marked(row) if published else _label(row.cells[_PLAIN_LABEL])
    labels = Labels(found, taxonomy(TAXONOMY).covered)
    return single(CORPUS, f"{part or 'all'}-{row.number}", text, labels, split=part)


def _text(text: str, corrupted: Corrupted) -> str:
    if corrupted == "clean":
        return clean(text)
    count = injected(text)
    if count and corrupted == "refuse":
        raise DataError(
            f"label names stand where digits stood, {count} in all: get the authors' file, or put "
            'the digits back with corrupted="clean" (--corrupted clean)'
        )
    return text


def _marked(row: Row) -> frozenset[Distortion]:
    found = marked(row, taxonomy(COLUMNS_TAXONOMY))
    if len(found) > 1:
        raise DataError(f"{len(found)} labels where at most one can be")
    return _carried(found)


def _label(cell: str) -> frozenset[Distortion]:
    """The label of the plain form: a name, a slug or a number.

    Raises:
        DataError: it is unknown, or its number and its name contradict each other.
    """
    name = cell.strip()
    both = _INJECTED.fullmatch(name)
    if both is not None:
        meant = _label(both[2])
        if both[1] in CODES and _label(both[1]) != meant:
            raise DataError(f"column {_PLAIN_LABEL}: number and name contradict each other")
        return meant
    if not name:
        raise DataError(f"column {_PLAIN_LABEL} is empty")
    if name.casefold() in UNDISTORTED:
        return frozenset()
    if not name.isdecimal():
        return _carried(frozenset({parse(name)}))
    if name not in CODES:
        known = ", ".join(CODES)
        raise DataError(f"label number {name} is not known ({known} are): write the label's name")
    coded = CODES[name]
    return frozenset() if coded is None else frozenset({coded})


def _carried(found: frozenset[Distortion]) -> frozenset[Distortion]:
    if not taxonomy(TAXONOMY).covered.issuperset(found):
        raise DataError(f"a label that {TAXONOMY} does not have")
    return found
