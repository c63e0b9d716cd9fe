"""Other label sets and ours, row by row; a crosswalk says what it loses.

A taxonomy is versioned (`name@1`); `taxonomy("beck-8")` takes the newest version. Each foreign
label stands for one or more canonical distortions. The way back is partial: what a taxonomy cannot
carry is "not representable" and is masked in training and in scores, never counted as an error.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from untwist.errors import DataError
from untwist.taxonomy.distortions import Distortion
from untwist.taxonomy.words import words


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """A named, versioned label set and how it maps onto ours.

    Attributes:
        name: for example "beck-8@1".
        form: "multi-label" or "single-label" and the like.
        source: paper or file it comes from.
        labels: foreign label to the canonical distortions it stands for, in the order of the
            source.
        merge: canonical distortions the set lacks, to the foreign labels nearest to them; used only
            when asked for.
    """

    name: str
    form: str
    source: str
    labels: dict[str, tuple[Distortion, ...]]
    merge: dict[Distortion, tuple[str, ...]]

    @property
    def covered(self) -> frozenset[Distortion]:
        """The distortions that the set can carry: its label mask (CrossLinCD 5.3)."""
        return frozenset(d for ds in self.labels.values() for d in ds)

    def from_label(self, label: str) -> tuple[Distortion, ...]:
        """What one foreign label means here.

        Raises:
            DataError: the label is not in the set; the message names the nearest one.
        """
        found = self.labels.get(label.strip())
        if found is None:
            near = difflib.get_close_matches(label, self.labels, n=1, cutoff=0.0)
            raise DataError(f'unknown label "{label}" for {self.name}; did you mean "{near[0]}"?')
        return found

    def to(self, distortion: Distortion, *, merge: bool = False) -> tuple[str, ...]:
        """The labels of this set for one of ours; empty means not representable.

        Args:
            distortion: one of ours.
            merge: accept the nearest label where the set has none of its own.
        """
        own = tuple(k for k, ds in self.labels.items() if distortion in ds)
        return own or (self.merge.get(distortion, ()) if merge else ())


@cache
def taxonomies() -> dict[str, Taxonomy]:
    """Every taxonomy by its versioned name."""
    return {
        name: Taxonomy(
            name,
            t["form"],
            t["source"],
            {k: tuple(Distortion(d) for d in ds) for k, ds in t["labels"].items()},
            {Distortion(d): tuple(ls) for d, ls in t.get("merge", {}).items()},
        )
        for name, t in words()["taxonomies"].items()
    }


def taxonomy(name: str) -> Taxonomy:
    """A taxonomy by name; without "@version" the newest.

    Raises:
        DataError: there is none of that name.
    """
    known = taxonomies()
    matches = [n for n in known if n == name or n.split("@")[0] == name]
    if not matches:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)[0]
        there = ", ".join(sorted(known))
        raise DataError(f'unknown taxonomy "{name}"; did you mean "{near}"? There are: {there}')
    return known[max(matches, key=lambda n: int(n.split("@")[1]))]


@cache
def _spellings() -> dict[str, Distortion]:
    table: dict[str, Distortion] = {}
    for d in Distortion:
        names = [
            d.value,
            d.name_in("en"),
            d.name_in("zh"),
            *d.aliases_in("en"),
            *d.aliases_in("zh"),
        ]
        table.update({n.casefold(): d for n in names})
    return table


def parse(label: str) -> Distortion:
    """A distortion from its slug, or from any name or alias in either language.

    Raises:
        DataError: nobody calls a distortion that; the message names the nearest slug.
    """
    found = _spellings().get(label.strip().casefold())
    if found is None:
        near = difflib.get_close_matches(label.casefold(), _spellings(), n=1, cutoff=0.0)
        raise DataError(
            f'unknown distortion "{label}"; did you mean "{_spellings()[near[0]].value}"?'
        )
    return found


def parse_all(labels: Iterable[str]) -> frozenset[Distortion]:
    """`parse` over several labels."""
    return frozenset(parse(label) for label in labels)
