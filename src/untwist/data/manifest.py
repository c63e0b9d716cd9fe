"""What the corpora are, under which licence, and whether the files at hand are the known ones."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

from untwist.errors import DataError

State = Literal["ok", "missing", "differs"]


@dataclass(frozen=True, slots=True)
class CorpusFile:
    """One file of a corpus.

    Attributes:
        path: relative to the folder that holds all corpora.
        sha256: of the file that the loaders were checked on.
    """

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One corpus in the manifest.

    Attributes:
        name: as in `CORPORA`.
        title: as it is known in papers.
        licence: as the source states it; "not stated" is no permission.
        free: True when the licence lets anyone use and pass on the corpus.
        source: where the files were published.
        lang: languages of the texts.
        files: empty for the corpus that ships.
    """

    name: str
    title: str
    licence: str
    free: bool
    source: str
    lang: tuple[str, ...]
    files: tuple[CorpusFile, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """Whether one file is at hand.

    Attributes:
        corpus: name of the corpus.
        path: relative to the folder.
        state: "ok", "missing", or "differs" when its sha256 is another.
    """

    corpus: str
    path: str
    state: State


@cache
def known_corpora() -> dict[str, Entry]:
    """Every corpus by name."""
    raw = files("untwist.data").joinpath("manifest.json").read_text(encoding="utf-8")
    return {
        name: Entry(
            name,
            e["title"],
            e["licence"],
            e["free"],
            e["source"],
            tuple(e["lang"]),
            tuple(CorpusFile(path, sha256) for path, sha256 in e["files"].items()),
        )
        for name, e in json.loads(raw)["corpora"].items()
    }


def check(folder: Path | str) -> tuple[Checked, ...]:
    """The state of every file of the manifest below a folder; nothing is loaded.

    Raises:
        DataError: there is no such folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"no folder {folder}: give the folder that holds the corpora")
    return tuple(
        Checked(entry.name, file.path, _state(folder / file.path, file.sha256))
        for entry in known_corpora().values()
        for file in entry.files
    )


def sha256_of(file: Path) -> str:
    """The sha256 of a file's bytes, in hex."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _state(file: Path, sha256: str) -> State:
    if not file.is_file():
        return "missing"
    return "ok" if sha256_of(file) == sha256 else "differs"
