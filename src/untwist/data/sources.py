"""A corpus by its name, or a file of the user's own: read through one door."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from untwist.data import jsonl, tabular
from untwist.data.manifest import Entry, known_corpora
from untwist.data.refusals import Refusals
from untwist.data.registry import Loaded, load_corpus
from untwist.data.tables import header_of
from untwist.data.tabular import Columns
from untwist.errors import DataError
from untwist.schema import Dialogue

ID = "id"
"""The column that names the rows of a table when the caller names none."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How sources are read.

    Attributes:
        folder: holds the public corpora.
        accept: names of the corpora whose licence is accepted; "all" for every one.
        unverified: read files whose sha256 is not the known one.
        corrupted: what is done with rows of C2D2 whose digits became label names: "refuse",
            "clean" or "keep".
        unmarked: what a turn of CogBiasESC without annotation is: "unknown" or "undistorted".
        columns: of a table of the user's own.
        taxonomy: label names of that table; None for any name or alias of ours.
        encoding: of that table.
    """

    folder: str = "."
    accept: tuple[str, ...] = ()
    unverified: bool = False
    corrupted: str = "refuse"
    unmarked: str = "unknown"
    columns: Columns = field(default_factory=lambda: Columns(labels="labels"))
    taxonomy: str | None = None
    encoding: str = "utf-8"


def load_source(source: str, how: Reading, refusals: Refusals | None = None) -> Loaded:
    """A corpus by name, else a file of the user's own.

    A `.csv`, `.tsv`, `.tab` or `.txt` file is a table with a header, any other is JSON Lines in our
    own format (docs/guides/data.md).

    Args:
        source: name in the manifest, "name=path" when that corpus lies elsewhere, or path of a file
            of the user's own.
        how: how to read it.
        refusals: collects refused rows; without it the first one raises.

    Raises:
        DataError: it is neither, or cannot be read; see `load_corpus`.
    """
    name, _, place = source.partition("=")
    if place and name in known_corpora() and known_corpora()[name].ships:
        raise DataError(f'"{name}" is read from the package: leave "={place}" out')
    if name in known_corpora():
        return load_corpus(
            name,
            place or how.folder,
            refusals,
            accept=how.accept,
            unverified=how.unverified,
            options={"corrupted": how.corrupted, "unmarked": how.unmarked},
        )
    path = Path(source)
    if path.is_dir():
        raise DataError(f"{source} is a folder: name a file in it, or a corpus")
    if not path.is_file() and (path.suffix or path.name != source):
        raise DataError(f"no file {source}: name a file of your own, or a corpus")
    if not path.is_file():
        names = list(known_corpora())
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.0)[0]
        raise DataError(
            f'"{source}" is neither a file nor a corpus; did you mean "{near}"? Corpora: '
            + ", ".join(names)
        )
    return Loaded(_own(path, how), tuple(_rows(path, how, refusals)), (path,), ())


def id_column(file: Path, how: Reading) -> str | None:
    """The column that names the rows of a table: the one that was named, else "id" if it is there.

    Raises:
        DataError: there is no such file, or its first line cannot be read.
        ConfigError: the encoding is unknown.
    """
    if how.columns.id is not None:
        return how.columns.id
    if not file.is_file():
        raise DataError(f"no file {file}: give a CSV, TSV or JSON Lines file")
    header = header_of(file, tabular.DELIMITERS[file.suffix.lower()], how.encoding)
    return ID if ID in header else None


def _own(path: Path, how: Reading) -> Entry:
    return Entry(
        # a leaderboard line and the name of a picture take no spaces or colons
        name=re.sub(r"[\s:]+", "-", path.stem),
        title=str(path),
        symbol="",
        task="distortions",
        taxonomy=how.taxonomy,
        licence="its maker's",
        free=True,
        source=str(path),
        lang=("en", "zh"),
        cuts=(0.2, 0.25),
        files=(),
    )


def _rows(path: Path, how: Reading, refusals: Refusals | None) -> Iterator[Dialogue]:
    if path.suffix.lower() in tabular.DELIMITERS:
        return tabular.load(
            path,
            refusals,
            columns=replace(how.columns, id=id_column(path, how)),
            taxonomy=how.taxonomy,
            corpus=path.stem,
            encoding=how.encoding,
        )
    return jsonl.load(path, refusals, corpus=path.stem)
