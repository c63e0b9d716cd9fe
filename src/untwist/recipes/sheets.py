"""Sheets that people fill in: CSV, and XLSX for programs that spoil CSV; both are read back."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from untwist.data import read_xlsx, xlsx_bytes
from untwist.errors import DataError

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_LARGEST = 64 * 1024 * 1024


def csv_text(rows: Sequence[Sequence[str]]) -> str:
    """A CSV text; a cell that a spreadsheet would take for a formula has an apostrophe before it.

    Begins with a byte-order mark, without which spreadsheet programs misread Chinese.
    """
    out = io.StringIO()
    guarded = ([f"'{c}" if c.startswith(_FORMULA) else c for c in row] for row in rows)
    csv.writer(out).writerows(guarded)
    return "\ufeff" + out.getvalue()


def write_sheet(
    folder: Path, name: str, rows: Sequence[Sequence[str]], choices: Mapping[int, Sequence[str]]
) -> None:
    """Write a sheet twice, as NAME.csv and NAME.xlsx.

    Args:
        folder: where to; it must be there.
        name: of the files, without an ending.
        rows: the first one is the header.
        choices: by column the values that a cell offers, for XLSX.
    """
    (folder / f"{name}.csv").write_bytes(csv_text(rows).encode("utf-8"))
    (folder / f"{name}.xlsx").write_bytes(xlsx_bytes(rows, choices))


def read_sheet_rows(path: Path | str) -> list[list[str]]:
    """The rows of a CSV or XLSX file, as texts.

    Commas, semicolons and tabs are told apart by the header.

    Raises:
        DataError: it cannot be read, or is of another kind.
    """
    file = Path(path)
    if file.suffix.lower() == ".xlsx":
        return read_xlsx(file)
    if file.suffix.lower() != ".csv":
        raise DataError(f"{path}: give a CSV or XLSX file")
    try:
        if file.stat().st_size > _LARGEST:
            raise DataError(f"{path} is larger than {_LARGEST:,} bytes: split it")
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f'{path} is not UTF-8: save it as "CSV UTF-8" or as XLSX') from error
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    header = text.partition("\n")[0]
    mark = max(",;\t", key=header.count)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=mark))
    except csv.Error as error:
        raise DataError(f"{path} is no CSV file that can be read: {error}") from error
