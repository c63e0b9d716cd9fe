"""What the corpora are, under which licence, and whether the files at hand are the known ones."""

from __future__ import annotations

import difflib
import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

from untwist.errors import DataError

State = Literal["ok", "missing", "differs", "unknown"]
"""Of a file; "unknown" is there, and no sha256 of it is known."""
Task = Literal["distortions", "distorted", "risk", "beliefs"]
"""What the labels are: which distortions, whether any, risk, or core beliefs."""


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
        name: as in `LOADERS`.
        title: as it is known in papers.
        symbol: its name in tables, for example "D_s"; empty when it has none.
        task: what its labels are.
        taxonomy: of its labels; None when they are ours or no distortions.
        licence: as the source states it; "not stated" is no permission.
        free: True when the licence lets anyone use and pass on the corpus.
        source: where the files were published.
        lang: languages of the texts.
        cuts: shares of the two cuts of the published row split, see `splits.row_parts`.
        files: empty for the corpus that ships and for one whose files are not known here.
        others: names of published files whose sha256 is not known here.
    """

    name: str
    title: str
    symbol: str
    task: Task
    taxonomy: str | None
    licence: str
    free: bool
    source: str
    lang: tuple[str, ...]
    cuts: tuple[float, float]
    files: tuple[CorpusFile, ...]
    others: tuple[str, ...] = ()

    @property
    def ships(self) -> bool:
        """Whether the corpus comes with the package."""
        return self.free and not self.files


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
            e["symbol"],
            e["task"],
            e["taxonomy"],
            e["licence"],
            e["free"],
            e["source"],
            tuple(e["lang"]),
            (e["cuts"][0], e["cuts"][1]),
            tuple(CorpusFile(path, sha256) for path, sha256 in e["files"].items()),
            tuple(e["others"]),
        )
        for name, e in json.loads(raw)["corpora"].items()
    }


def corpora_of(*tasks: Task) -> tuple[str, ...]:
    """Names of the corpora whose labels are of these kinds, in the order of the manifest."""
    return tuple(name for name, entry in known_corpora().items() if entry.task in tasks)


def entry_of(name: str) -> Entry:
    """The entry of one corpus.

    Raises:
        DataError: there is no such corpus; the message names the nearest one.
    """
    known = known_corpora()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)[0]
        raise DataError(f'unknown corpus "{name}"; did you mean "{near}"?')
    return known[name]


def check(folder: Path | str) -> tuple[Checked, ...]:
    """The state of every file of the manifest below a folder; nothing is loaded.

    Raises:
        DataError: there is no such folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"no folder {folder}: give the folder that holds the corpora")
    return tuple(
        Checked(entry.name, file.path, state_of(folder / file.path, file.sha256))
        for entry in known_corpora().values()
        for file in entry.files
    )


def sha256_of(file: Path) -> str:
    """The sha256 of a file's bytes, in hex."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def state_of(file: Path, sha256: str) -> State:
    """Whether a file is at hand and the known one."""
    if not file.is_file():
        return "missing"
    return "ok" if sha256_of(file) == sha256 else "differs"
