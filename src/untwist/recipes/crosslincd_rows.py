"""The corpora of a CrossLinCD table: which rows are learnt from, tuned on and tested on.

Pure numpy; nothing here trains.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from untwist.data import Loaded, Mode, Refusals
from untwist.detect import Example
from untwist.errors import DataError
from untwist.recipes.crosslincd_config import Crosslincd, Language, Model
from untwist.recipes.rows import Bools, Progress, Rows, joint_groups, load_each, rows_of

PARTS = ("train", "validation", "test")
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Corpora:
    """Everything that was read.

    Attributes:
        rows: of each corpus, by name.
        sources: the group of each row, joined over all corpora, by name.
        names: of the corpora that the table is about, in order.
        teacher: the name of the teacher's corpus; empty where there is none.
        taxonomies: the label set of each published corpus, by name; None where there is none.
        limit: so many texts of a train or validation part at most; 0 is all.
        files: that were read.
        refused: rows that were refused, by reason.
    """

    rows: Mapping[str, Rows]
    sources: Mapping[str, NDArray[np.str_]]
    names: tuple[str, ...]
    teacher: str
    taxonomies: Mapping[str, str | None]
    limit: int
    files: tuple[Path, ...]
    refused: Mapping[str, int]

    def places(self, name: str, split: Mode, part: str, lang: Language = "both") -> Places:
        """The rows of one part, in order."""
        rows = self.rows[name]
        here: Bools = np.asarray(rows.parts[split] == part)
        if lang != "both":
            here = here & np.array([u.lang == lang for u in rows.utterances])
        return np.flatnonzero(here)

    def learnt(self, name: str, split: Mode, part: str, lang: Language = "both") -> Places:
        """The rows of a train or validation part that a model sees."""
        return self._limited(self._apart(name, split, part, lang))

    def taught_by(self, split: Mode, part: str) -> Places:
        """The rows of the teacher's corpus that it learns from: those with one label or none."""
        rows = self.rows[self.teacher]
        places = self._apart(self.teacher, split, part)
        single: Bools = np.asarray(rows.gold[places].sum(axis=1) <= 1)
        return self._limited(places[single])

    def left_out(self, name: str, split: Mode) -> int:
        """How many rows of a train or validation part are left out; see `_apart`."""
        return sum(
            len(self.places(name, split, part)) - len(self._apart(name, split, part))
            for part in PARTS[:2]
        )

    def _apart(self, name: str, split: Mode, part: str, lang: Language = "both") -> Places:
        """By the grouped split, without rows whose source is held out in another corpus.

        That is tested for all, and for training rows also what is tuned on. The splits that ship
        keep the published corpora apart; a teacher's corpus and files of the user's own are split
        by themselves, and overlap may be left.
        """
        places = self.places(name, split, part, lang)
        later = PARTS[PARTS.index(part) + 1 :]
        others = [own for own in self.names if own != name]
        if split != "grouped" or not others:
            return places
        held = [
            self.sources[own][self.places(own, split, one)] for own, one in product(others, later)
        ]
        kept: Places = places[~np.isin(self.sources[name][places], np.concatenate(held))]
        return kept

    def _limited(self, places: Places) -> Places:
        """At most `limit` of them, from the first to the last: files are sorted by language."""
        if not self.limit or len(places) <= self.limit:
            return places
        chosen: Places = places[np.linspace(0, len(places) - 1, self.limit).astype(int)]
        return chosen

    def examples(self, name: str, places: Places) -> list[Example]:
        """Rows as training takes them."""
        rows = self.rows[name]
        return [Example(rows.utterances[p], rows.labels[p], rows.groups[p]) for p in places]

    def digest(self, name: str, places: Places) -> str:
        """What tells these rows and their labels from all others."""
        rows, told = self.rows[name], hashlib.sha256()
        for place in places:
            told.update(hashlib.sha256(rows.utterances[place].text.encode()).digest())
        told.update(rows.gold[places].tobytes() + rows.mask[places].tobytes())
        return told.hexdigest()

    def seen(self, model: Model, split: Mode, name: str, places: Places) -> int:
        """How many of these rows have their source or a near-duplicate among what was learnt."""
        taught = [
            self.sources[own][self.learnt(own, split, "train", model.lang)] for own in model.corpora
        ]
        if model.taught:
            taught.append(self.sources[self.teacher][self.taught_by(split, "train")])
        return int(np.isin(self.sources[name][places], np.concatenate(taught)).sum())


def read_corpora(config: Crosslincd, progress: Progress) -> Corpora:
    """Read what the table is about, and the teacher's corpus where there is a teacher.

    Raises:
        DataError: one cannot be read, or a part of it has nothing to learn, tune or test on.
    """
    refusals = Refusals()
    teacher = config.teacher_corpus if config.table != 5 else ""
    # first, since it is the one that is not there
    taught_by = _load_teacher(config, teacher, refusals) if teacher else []
    loaded = [*load_each(config.sources, config.reading, refusals, progress), *taught_by]
    rows = [rows_of(one.entry.name, one.dialogues) for one in loaded]
    names = [one.corpus for one in rows]
    if len(set(names)) < len(names):
        raise DataError(
            f"{names[-1]} is tested on, so it cannot teach: name another teacher_corpus"
        )
    found = Corpora(
        dict(zip(names, rows, strict=True)),
        dict(zip(names, joint_groups(loaded, rows), strict=True)),
        tuple(names[: len(config.sources)]),
        names[-1] if teacher else "",
        {one.entry.name: one.entry.taxonomy for one in loaded},
        config.limit,
        tuple(file for one in loaded for file in one.files),
        refusals.by_reason(),
    )
    _require(config, found)
    return found


def _load_teacher(config: Crosslincd, teacher: str, refusals: Refusals) -> list[Loaded]:
    try:
        return load_each((teacher,), config.reading, refusals)
    except DataError as error:
        way = "" if config.table == 4 else '. Or leave the taught models out: teacher_corpus = ""'
        raise DataError(f"{error}{way}") from error


def _require(config: Crosslincd, corpora: Corpora) -> None:
    """Check that every model has what it needs."""
    langs: tuple[Language, ...] = ("en", "zh") if config.table == 5 else ("both",)
    for name, split, lang in product(corpora.names, config.splits, langs):
        for part in PARTS:
            learnt = part != "test"
            found = (corpora.learnt if learnt else corpora.places)(name, split, part, lang)
            rows = corpora.rows[name]
            if not ((rows.gold & rows.mask)[found].any() if learnt else len(found)):
                where = "" if lang == "both" else f', "{lang}"'
                raise DataError(
                    f"{name}, {split} split{where}: no {'label' if learnt else 'row'} in the "
                    f"{part} part: leave this corpus out, or name other parts"
                )
    for split, part in product(config.splits, PARTS[:2]):
        if corpora.teacher and not len(corpora.taught_by(split, part)):
            raise DataError(
                f"{corpora.teacher}, {split} split: no text with one label or none in the {part} "
                "part, so it cannot teach: name another teacher_corpus"
            )
