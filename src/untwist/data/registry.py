"""The door to every corpus: its licence first, then its files, then its rows, then its parts."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from importlib.resources import files
from pathlib import Path

from untwist.data.manifest import CorpusFile, Entry, State, entry_of, sha256_of, state_of
from untwist.data.refusals import Refusals
from untwist.data.splits import PARTS, SEED, Mode, group_parts, row_parts
from untwist.data.tables import locate
from untwist.errors import DataError
from untwist.schema import Dialogue

Loader = Callable[[Path | str, Refusals | None], Iterator[Dialogue]]
"""Takes the folder that holds the corpora (or the file) and a collector of refused rows."""

OPTIONS = {"c2d2": ("corrupted",), "cogbias": ("unmarked",)}
"""What the loader of a corpus can be told beside the folder."""

ALL = "all"
"""Accepts every licence."""

HEADINGS = ("Source", "Licence", "Language", "Labels", "Splits", "Known faults", "Size")
_LETTERS = dict(zip("tve", PARTS, strict=True))

_WHERE: dict[str, tuple[str, str]] = {
    "open": ("open", "load_shipped"),
    "open-dialogues": ("open_dialogues", "load_shipped"),
    "open-parallel": ("open_parallel", "load_shipped"),
    "socialcd": ("socialcd", "load"),
    "c2d2": ("c2d2", "load"),
    "reframing": ("reframing", "load"),
    "therapist-part": ("therapist", "load_part"),
    "therapist-whole": ("therapist", "load_whole"),
    "crosslincd": ("crosslincd", "load"),
    "cogbias": ("cogbias", "load"),
    "patternreframe": ("patternreframe", "load"),
    "patternreframe-9class": ("patternreframe", "load_nine"),
    "cbt-bench": ("cbtbench", "load"),
    "cbt-bench-core-major": ("cbtbench", "load_core_major"),
    "cbt-bench-core-fine": ("cbtbench", "load_core_fine"),
    "cogdis": ("cogdis", "load"),
    "babacan": ("babacan", "load"),
    "psysuicide": ("psysuicide", "load"),
    "sos_1k": ("sos_1k", "load"),
    "sos_4k": ("sos_4k", "load"),
    "suicide_binary_zh": ("suicide_binary_zh", "load"),
    "reddit_cssrs": ("reddit_cssrs", "load"),
}


def loader_of(name: str) -> Loader:
    """The plain loader of a corpus: no licence asked, no file compared.

    Raises:
        DataError: there is no such corpus.
    """
    module, function = _WHERE[entry_of(name).name]
    load: Loader = getattr(import_module(f"untwist.data.{module}"), function)
    return load


def card_of(name: str) -> dict[str, str]:
    """The headings of a corpus (`HEADINGS`) with what stands under each in its loader's file.

    Raises:
        DataError: there is no such corpus.
    """
    module, _ = _WHERE[entry_of(name).name]
    text = inspect.cleandoc(import_module(f"untwist.data.{module}").__doc__ or "")
    card: dict[str, str] = {}
    heading = ""
    for line in text.splitlines():
        begin, _, rest = line.partition(":")
        if begin in HEADINGS:
            heading = begin
            card[heading] = rest.strip()
        elif heading and line.strip():
            card[heading] += " " + line.strip()
    return card


@dataclass(frozen=True, slots=True)
class Loaded:
    """One corpus as it was read.

    Attributes:
        entry: what the manifest says of it.
        dialogues: its rows in the order of its files.
        files: the files that the manifest knows, where they were found, or the one that was named.
        changed: those of them whose sha256 is another than the manifest's.
    """

    entry: Entry
    dialogues: tuple[Dialogue, ...]
    files: tuple[Path, ...]
    changed: tuple[Path, ...]


def load_corpus(
    name: str,
    folder: Path | str,
    refusals: Refusals | None = None,
    *,
    accept: Collection[str] = (),
    unverified: bool = False,
    options: Mapping[str, str] | None = None,
) -> Loaded:
    """One corpus, whole.

    Args:
        name: as in the manifest.
        folder: the folder that holds the corpora, or a file of this one.
        refusals: collects refused rows; without it the first one raises.
        accept: names of the corpora whose licence the caller has read and accepts; "all" accepts
            every one. A free corpus needs none.
        unverified: read files whose sha256 is not the known one.
        options: of the loader, those of `OPTIONS`; one that this corpus does not have is ignored.

    Raises:
        DataError: the corpus is unknown, its licence was not accepted, a file is missing or is not
            the known one, or a row is refused and there is no collector.
    """
    entry = entry_of(name)
    require_licence(entry, accept)
    found = tuple(_files(entry, folder))
    changed = tuple(path for path, sha256 in found if sha256 and sha256_of(path) != sha256)
    if changed and not unverified:
        raise DataError(
            f"{changed[0]}: its sha256 is not that of a published file of {name}: get the file "
            f"again ({entry.source}), or read it as it is with --unverified"
        )
    own = {key: (options or {})[key] for key in OPTIONS.get(name, ()) if key in (options or {})}
    dialogues = tuple(partial(loader_of(name), **own)(folder, refusals))
    return Loaded(entry, dialogues, tuple(path for path, _ in found), changed)


def require_licence(entry: Entry, accept: Collection[str]) -> None:
    """Check that a corpus may be read.

    Raises:
        DataError: it is not free and its licence was not accepted.
    """
    if not (entry.free or entry.name in accept or ALL in accept):
        raise DataError(
            f"{entry.title} is not free. Licence: {entry.licence}. Source: {entry.source}. Read "
            f"it there; if you may use the corpus, say --accept-licence {entry.name}"
        )


def _files(entry: Entry, folder: Path | str) -> Iterator[tuple[Path, str | None]]:
    """The files to be read, each with the sha256 that it should have; None where none is known.

    A single file stands for the one of its name; under another name it is not a known one.
    """
    path = Path(folder)
    if path.is_file():
        known = {Path(file.path).name: file.sha256 for file in entry.files}
        free = path.name in entry.others or not known
        yield path, None if free else known.get(path.name, "another name")
        return
    others = [path / name for name in entry.others if (path / name).is_file()]
    yield from ((other, None) for other in others)
    for file in () if others else entry.files:
        yield locate(path, file.path), file.sha256


def locate_files(entry: Entry, folder: Path | str) -> tuple[tuple[str, State], ...]:
    """The files of a corpus, relative to the folder, and whether each is at hand.

    They are looked for where `load_corpus` looks: also in the folder itself, and a single file
    stands for the one of its name; under another name it is not a known one.
    """
    path = Path(folder)
    if path.is_file():
        known = {Path(file.path).name: file.sha256 for file in entry.files}
        free = path.name in entry.others or not known
        return ((str(path), "unknown" if free else state_of(path, known.get(path.name, ""))),)
    others = [name for name in entry.others if (path / name).is_file()]
    if others:
        return tuple((name, "unknown") for name in others)
    return tuple((file.path, _state(path, file)) for file in entry.files)


def _state(folder: Path, file: CorpusFile) -> State:
    try:
        return state_of(locate(folder, file.path), file.sha256)
    except DataError:
        return "missing"


def parts_of(
    name: str, dialogues: Sequence[Dialogue], mode: Mode, seed: int = SEED
) -> tuple[str, ...]:
    """The part of each row: "train", "validation" or "test".

    With the published files and the usual seed the parts are those that ship (`data/splits.json`),
    so that everyone has the same: "published" is the row split of the papers, "grouped" was made
    over all corpora at once, so no group, near-duplicate or excerpt lies on two sides even across
    corpora. For other rows or another seed the parts are made here, from these rows alone.

    Args:
        name: of the corpus; an unknown one (your own file) has no parts that ship.
        dialogues: its rows in the order of its files.
        mode: which split.
        seed: of a split that is made here.

    Raises:
        DataError: the rows name their parts only here and there, or name one that there is not.
    """
    shipped = shipped_splits().get(name)
    if shipped and seed == SEED and shipped["sha256"] == digest_of(dialogues):
        return tuple(_LETTERS[letter] for letter in shipped[mode])
    if mode == "grouped":
        return tuple(group_parts({name: dialogues}, seed=seed)[name])
    cuts = entry_of(name).cuts if name in _WHERE else (0.2, 0.25)
    parts = tuple(row_parts(dialogues, cuts, seed))
    strange = [part for part in parts if part not in PARTS]
    if strange:
        raise DataError(
            f'{name} has rows of a part "{strange[0]}": call it one of {", ".join(PARTS)}, '
            "or give no parts"
        )
    return parts


@cache
def shipped_splits() -> dict[str, dict[str, str]]:
    """By corpus: "sha256" of its rows, and one letter a row for each split ("published", …)."""
    raw = files("untwist.data").joinpath("splits.json").read_text(encoding="utf-8")
    splits: dict[str, dict[str, str]] = json.loads(raw)["corpora"]
    return splits


def digest_of(dialogues: Sequence[Dialogue]) -> str:
    """The sha256 of ids and texts in their order, by which shipped parts know their rows."""
    digest = hashlib.sha256()
    for dialogue in dialogues:
        digest.update(dialogue.id.encode() + b"\n")
        for utterance in dialogue.utterances:
            digest.update(utterance.text.encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()


def letters_of(parts: Sequence[str]) -> str:
    """Parts as they are written in `splits.json`, one letter a row."""
    letter = {part: key for key, part in _LETTERS.items()}
    return "".join(letter[part] for part in parts)
