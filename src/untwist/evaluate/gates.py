"""Gates: do annotators agree well enough on a joint sample for the whole annotation to start?

CrossLinCD let two annotators label 50 joint samples until Cohen's kappa reached 0.8551, CoPoLLM
three of them 100 until kappa reached 0.70. Labels of which several may hold are compared one by one
against the rest and averaged (CoPoLLM C.3); values of which one holds, as a whole.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

import numpy as np

from untwist.errors import ConfigError, DataError
from untwist.evaluate.cells import Floats
from untwist.evaluate.krippendorff import Alpha, krippendorff_alpha
from untwist.evaluate.resample import RESAMPLES, Estimate, group_weights, percentiles
from untwist.evaluate.votes import cohen_of_pairs, fleiss_of, vote_table

Kind = Literal["labels", "levels", "names"]
"""Several may hold; one holds, and they have an order; one holds."""
Measure = Literal["cohen", "fleiss", "alpha"]
RARE = 0.05
"""A share of yes below it, or above one less it: kappa says little then."""

_Votes = Sequence[Sequence[Hashable | None]]


@dataclass(frozen=True, slots=True)
class Facet:
    """One thing that annotators judge.

    Attributes:
        name: of it.
        kind: what its values are like; of "labels" a judgement is a frozenset of values.
        values: all that can be given; levels the lowest first.
        always: whether it is judged on every item; else only where there is something to judge,
            and a gate cannot ask for a number of items.
    """

    name: str
    kind: Kind
    values: tuple[Hashable, ...]
    always: bool = True


@dataclass(frozen=True, slots=True)
class PartAgreement:
    """One value of a facet against the rest.

    Attributes:
        value: which.
        marked: items on which at least one annotator gave it.
        prevalence: share of the judgements that give it; None of no judgement.
        same: share of pairs of judgements of one item that agree about it.
        positive: of the pairs in which at least one gives it, how likely the other gives it too
            (specific agreement); None when nobody gave it.
        cohen: mean over pairs of annotators; None when not known.
        fleiss: for any number of annotators; None when all say one and the same throughout.
    """

    value: Hashable
    marked: int
    prevalence: float | None
    same: float | None
    positive: float | None
    cohen: float | None
    fleiss: float | None

    @property
    def rare(self) -> bool:
        """Whether it was given so seldom, or so often, that kappa says little."""
        share = self.prevalence
        return share is not None and not RARE <= share <= 1 - RARE

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "value": _plain(self.value),
            "marked": self.marked,
            "prevalence": self.prevalence,
            "same": self.same,
            "positive": self.positive,
            "cohen": self.cohen,
            "fleiss": self.fleiss,
            "rare": self.rare,
        }


@dataclass(frozen=True, slots=True)
class FacetAgreement:
    """How far annotators agree on one thing, beyond chance.

    Attributes:
        facet: what they judged.
        annotators: how many there are in all.
        items: judged by at least two.
        joint: judged by all.
        same: share of pairs of judgements of one item that are equal as a whole.
        cohen: mean over pairs of annotators; of labels, mean over those for which it is known.
        fleiss: the same of Fleiss' kappa, with its interval over items.
        alpha: Krippendorff's; by ranks for levels, by the distance of sets for labels.
        parts: each value against the rest.
    """

    facet: Facet
    annotators: int
    items: int
    joint: int
    same: float | None
    cohen: float | None
    fleiss: Estimate
    alpha: Alpha
    parts: tuple[PartAgreement, ...]

    def value(self, measure: Measure) -> float | None:
        """The one number that a gate looks at; None when it is not known."""
        if measure == "cohen":
            return self.cohen
        return self.fleiss.value if measure == "fleiss" else self.alpha.value

    def low(self, measure: Measure) -> float | None:
        """The lower end of the interval of that number; None when it is not known."""
        found = {"cohen": None, "fleiss": self.fleiss.interval, "alpha": self.alpha.interval}
        interval = found[measure]
        return interval.low if interval else None

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "facet": self.facet.name,
            "kind": self.facet.kind,
            "annotators": self.annotators,
            "items": self.items,
            "joint": self.joint,
            "same": self.same,
            "cohen": self.cohen,
            "fleiss": self.fleiss.to_dict(),
            "alpha": self.alpha.to_dict(),
            "parts": [part.to_dict() for part in self.parts],
        }


def facet_agreement(
    votes: _Votes, facet: Facet, rng: np.random.Generator, resamples: int = RESAMPLES
) -> FacetAgreement:
    """Agreement of annotators on one facet.

    Args:
        votes: one row per item, one column per annotator; None where an annotator did not judge.
        facet: what they judged.
        rng: the source of chance for the intervals.
        resamples: of items with replacement.

    Raises:
        DataError: rows differ in length, or a judgement holds what the facet does not.
    """
    _require_values(votes, facet)
    judged = [[v for v in row if v is not None] for row in votes]
    pairs = [row for row in judged if len(row) > 1]
    against = [_against_the_rest(votes, facet, value) for value in facet.values]
    parts = tuple(_part(v, one) for v, one in zip(facet.values, against, strict=True))
    several = facet.kind == "labels"
    tables = [vote_table(one, (True, False)) for one in against]
    if not several:
        tables = [vote_table(votes, facet.values)]
    metric, values = _metric(facet)
    return FacetAgreement(
        facet=facet,
        annotators=len(votes[0]) if votes else 0,
        items=len(pairs),
        joint=sum(None not in row for row in votes),
        same=_mean([_alike(row) for row in pairs]),
        cohen=_mean([p.cohen for p in parts]) if several else cohen_of_pairs(votes),
        fleiss=_fleiss(tables, rng, resamples),
        alpha=krippendorff_alpha(votes, metric, rng, resamples, values),
        parts=parts,
    )


@dataclass(frozen=True, slots=True)
class Gate:
    """What must hold before the whole annotation starts.

    Attributes:
        measure: the number that is looked at.
        at_least: what it must reach on every facet.
        items: how many items all annotators must have judged.
        annotators: how many annotators there must be.
        every: what each value against the rest must reach, too; None asks nothing of them.
            Krippendorff's alpha is taken of facets as a whole, so it cannot ask.
        sure: the lower end of the 95 % interval must reach it, not the number alone; Cohen's kappa
            has no interval here.

    Raises:
        ConfigError: a number is out of its range.
    """

    measure: Measure
    at_least: float
    items: int
    annotators: int = 2
    every: float | None = None
    sure: bool = False

    def __post_init__(self) -> None:
        for name, value in (("at_least", self.at_least), ("every", self.every)):
            if value is not None and not 0 < value <= 1:
                raise ConfigError(f"{name} is {value}: give a number above 0, at most 1")
        if self.items < 1 or self.annotators < 2:
            raise ConfigError("a gate needs one item and two annotators at least")
        if self.every is not None and self.measure == "alpha":
            raise ConfigError("each value against the rest is asked of cohen or fleiss")
        if self.sure and self.measure == "cohen":
            raise ConfigError("to be sure, an interval is needed: ask for fleiss or alpha")


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One reason why a gate stays shut.

    Attributes:
        facet: where.
        why: in words, with both numbers.
    """

    facet: str
    why: str


def obstacles(found: Sequence[FacetAgreement], gate: Gate) -> tuple[Obstacle, ...]:
    """Why the gate stays shut; empty when it is open.

    Raises:
        DataError: there is no facet.
    """
    if not found:
        raise DataError("a gate needs something that annotators judged")
    return tuple(
        Obstacle(one.facet.name, why) for one in found for why in _reasons(one, gate) if why
    )


def _reasons(one: FacetAgreement, gate: Gate) -> list[str]:
    value = one.value(gate.measure)
    reasons = []
    if one.annotators < gate.annotators:
        reasons.append(f"{one.annotators} of {gate.annotators} annotators")
    if one.facet.always and one.joint < gate.items:
        reasons.append(f"{one.joint} of {gate.items} items judged by all")
    if value is None:
        reasons.append(f"{gate.measure} is not known: too few items, or all say one thing")
    elif value < gate.at_least:
        reasons.append(f"{gate.measure} {value:.3f} is below {gate.at_least:g}")
    elif gate.sure and (low := one.low(gate.measure) or 0.0) < gate.at_least:
        reasons.append(
            f"the interval of {gate.measure} begins at {low:.3f}, below {gate.at_least:g}"
        )
    return reasons + [_short(part, gate) for part in one.parts if gate.every is not None]


def _short(part: PartAgreement, gate: Gate) -> str:
    value = part.cohen if gate.measure == "cohen" else part.fleiss
    if gate.every is None or value is None or value >= gate.every:
        return ""
    return f"{_plain(part.value)}: {gate.measure} {value:.3f} is below {gate.every:g}"


def _plain(value: Hashable) -> Hashable:
    return value.value if isinstance(value, Enum) else value


def _require_values(votes: _Votes, facet: Facet) -> None:
    known = frozenset(facet.values)
    width = len(votes[0]) if votes else 0
    for place, row in enumerate(votes, 1):
        if len(row) != width:
            raise DataError(f"item {place} has {len(row)} places for {width} annotators")
        for vote in row:
            if vote is not None and not _as_set(vote, facet) <= known:
                raise DataError(f"item {place}: a judgement that {facet.name} does not have")


def _as_set(vote: Hashable, facet: Facet) -> frozenset[Any]:
    if facet.kind != "labels":
        return frozenset({vote})
    if not isinstance(vote, frozenset):
        raise DataError(f"a judgement of {facet.name} is a set of labels")
    return vote


def _against_the_rest(votes: _Votes, facet: Facet, value: Hashable) -> list[list[bool | None]]:
    return [[None if v is None else value in _as_set(v, facet) for v in row] for row in votes]


def _part(value: Hashable, votes: list[list[bool | None]]) -> PartAgreement:
    given = [vote for row in votes for vote in row if vote is not None]
    table = vote_table(votes, (True, False))
    kappa = same = positive = None
    if len(table):
        found, alike = fleiss_of(table, np.ones((1, len(table))))
        kappa, same = _known(found[0]), float(alike[0])
        yes, size = table[:, 0], table.sum(axis=1)
        pairs = float((yes * (size - 1)).sum())
        positive = float((yes * (yes - 1)).sum()) / pairs if pairs else None
    return PartAgreement(
        value=value,
        marked=sum(True in row for row in votes),
        prevalence=sum(given) / len(given) if given else None,
        same=same,
        positive=positive,
        cohen=cohen_of_pairs(votes),
        fleiss=kappa,
    )


def _fleiss(tables: list[Floats], rng: np.random.Generator, resamples: int) -> Estimate:
    """Mean over tables of the same items; a resample leaves out those not known in it."""
    n = len(tables[0])
    if not n:
        return Estimate(None, None, 0)
    value = _known(_over_tables(tables, np.ones((1, n)))[0])
    if value is None:
        return Estimate(None, None, n)
    drawn = [_over_tables(tables, weights) for weights in group_weights(n, resamples, rng)]
    return Estimate(value, percentiles(np.concatenate(drawn)), n)


def _over_tables(tables: list[Floats], weights: Floats) -> Floats:
    each = np.stack([fleiss_of(table, weights)[0] for table in tables])
    sure = ~np.isnan(each)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: Floats = np.where(sure, each, 0).sum(axis=0) / sure.sum(axis=0)
    return mean


def _metric(facet: Facet) -> tuple[Any, tuple[Hashable, ...] | None]:
    if facet.kind == "labels":
        return "masi", None
    return ("ordinal" if facet.kind == "levels" else "nominal"), facet.values


def _alike(row: list[Hashable]) -> float:
    pairs = len(row) * (len(row) - 1)
    return sum(row.count(v) - 1 for v in row) / pairs


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
