"""Votes of several models, or of several samples of one, counted into labels or into an open case.

A label stands when more than half of the voters gave it, and is open when exactly half did, or when
half hear something and no label has a majority. Danger
is treated with care: a single vote for the highest risk leaves the case open to people unless the
safety screen says the same, and no vote lowers what the screen says. What is open is not written as
data: it goes to the disagreement queue (CoPoLLM 3.1 removes it, or has it adjudicated).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeVar

from untwist.errors import DataError
from untwist.schema import Finding, Json, Labels, Screening
from untwist.taxonomy import CANONICAL, Distortion, Intensity, Risk

T = TypeVar("T")
INTENSITY, RISK = "intensity", "risk"
"""Aspects of a case beside its distortions, which are named by their slugs."""


@dataclass(frozen=True, slots=True)
class Vote:
    """What one voter said of one message.

    Attributes:
        voter: which model, and which sample of it.
        distortions: the labels; empty means "no distortion".
        intensity: None where there is no distortion, or it was not judged.
        risk: None means not judged.
        evidence: spans in the message.
        rationale: why, in the voter's words; may be empty.
    """

    voter: str
    distortions: frozenset[Distortion]
    intensity: Intensity | None = None
    risk: Risk | None = None
    evidence: tuple[Finding, ...] = ()
    rationale: str = ""

    def to_dict(self) -> Json:
        """As JSON values."""
        return {
            "voter": self.voter,
            "labels": [d.value for d in Distortion if d in self.distortions],
            "intensity": self.intensity.value if self.intensity else None,
            "risk": self.risk.value if self.risk else None,
            "evidence": [finding.to_dict() for finding in self.evidence],
            "rationale": self.rationale,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Vote:
        """From JSON values.

        Raises:
            DataError: it is no vote.
        """
        try:
            return cls(
                data["voter"],
                frozenset(Distortion(name) for name in data["labels"]),
                Intensity(data["intensity"]) if data["intensity"] else None,
                Risk(data["risk"]) if data["risk"] else None,
                tuple(Finding.from_dict(span) for span in data["evidence"]),
                data["rationale"],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise DataError("not a vote: leave the journal as it was written") from error


@dataclass(frozen=True, slots=True)
class Count:
    """What the votes come to.

    Attributes:
        labels: what has a majority; what is open is left out of them.
        open: aspects without a majority, slugs of distortions first; people must decide.
        split: aspects on which not all voters agree, open or not.
    """

    labels: Labels
    open: tuple[str, ...]
    split: tuple[str, ...]


def count(
    votes: Sequence[Vote],
    screening: Screening,
    carried: frozenset[Distortion] = frozenset(CANONICAL),
) -> Count:
    """The labels that most voters gave to one message.

    Args:
        votes: at least one.
        screening: of the message in its conversation; its level is the floor of the risk.
        carried: the labels that voters could give.

    Raises:
        DataError: nobody voted.
    """
    if not votes:
        raise DataError("no votes to count")
    given = Counter(d for vote in votes for d in vote.distortions)
    found = frozenset(d for d, n in given.items() if 2 * n > len(votes))
    some = sum(bool(vote.distortions) for vote in votes)
    # that there is something, and not what: no majority for "no distortion"
    unnamed = not found and 2 * some >= len(votes)
    open_ = [
        d.value for d in Distortion if 2 * given[d] == len(votes) or (unnamed and given[d] > 0)
    ]
    split = [d.value for d in Distortion if 0 < given[d] < len(votes)]
    intensity = _most([vote.intensity for vote in votes if found & vote.distortions])
    if len({vote.intensity for vote in votes if vote.distortions}) > 1:
        split.append(INTENSITY)
    if found and intensity is None and any(vote.intensity for vote in votes):
        open_.append(INTENSITY)
    risks = [vote.risk for vote in votes if vote.risk is not None]
    if len(set(risks)) > 1:
        split.append(RISK)
    risk = _risk(risks, screening.level)
    if risk is None:
        open_.append(RISK)
    labels = Labels(
        distortions=found,
        carried=carried | found,
        intensity=intensity if found else None,
        risk=risk or max([screening.level, *risks]),
        acuity=screening.acuity,
        evidence=tuple(agreed_spans(votes, found)),
    )
    return Count(labels, tuple(open_), tuple(split))


def _most(values: Sequence[T | None]) -> T | None:
    """What more than half of those who judged said; None without such a value."""
    judged = [value for value in values if value is not None]
    for value, n in Counter(judged).most_common(1):
        return value if 2 * n > len(judged) else None
    return None


def _risk(risks: Sequence[Risk], floor: Risk) -> Risk | None:
    """The level of the majority, never below the floor; None when people must decide."""
    if not risks or floor is Risk.HIGH:
        return floor
    if Risk.HIGH in risks and set(risks) != {Risk.HIGH}:
        return None
    most = _most(risks)
    if most is None:
        return floor if max(risks) <= floor else None
    return max(most, floor)


def agreed_spans(votes: Iterable[Vote], found: frozenset[Distortion]) -> list[Finding]:
    """For each label the stretches that more than half of its voters with spans marked.

    Args:
        votes: with spans in one and the same text.
        found: the labels to keep.

    Returns:
        Spans with score 1, in the order of `Distortion`, then of the text.
    """
    spans: list[Finding] = []
    marked = [[f for f in vote.evidence if f.start is not None] for vote in votes]
    for distortion in (d for d in Distortion if d in found):
        covers = [_covered(one, distortion) for one in marked]
        covers = [cover for cover in covers if cover]
        places = Counter(place for cover in covers for place in cover)
        kept = sorted(place for place, n in places.items() if 2 * n > len(covers))
        for _, run in groupby(enumerate(kept), key=lambda pair: pair[1] - pair[0]):
            stretch = [place for _, place in run]
            spans.append(Finding(distortion, 1.0, stretch[0], stretch[-1] + 1))
    return spans


def _covered(evidence: Sequence[Finding], distortion: Distortion) -> set[int]:
    """The characters that one voter marked for one label."""
    return {
        place
        for finding in evidence
        if finding.distortion is distortion
        for place in range(finding.start or 0, finding.end or 0)
    }
