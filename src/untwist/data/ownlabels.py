"""Labels that say less, or something else, than which of the canonical distortions there are."""

from __future__ import annotations

from dataclasses import dataclass, field

from untwist.schema import Labels
from untwist.taxonomy import CANONICAL, Distortion


@dataclass(frozen=True, slots=True)
class BinaryLabels(Labels):
    """Whether an utterance is distorted at all.

    `distortions` is empty when it is not, and None when it is: which one is not known.

    Attributes:
        distorted: what the annotators said.
    """

    distorted: bool = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class WordLabels(Labels):
    """Distortions, and the corpus's own words for them where several mean one of ours.

    Attributes:
        own: as the corpus writes them, in its order.
    """

    own: tuple[str, ...] = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class VoteLabels(Labels):
    """How many annotators saw which distortion in an utterance.

    Attributes:
        votes: each distortion that could be voted for and how many did, 0 included.
        none_votes: how many said that there is none.
        intended: the distortion that the writer of the text was asked for.
    """

    votes: tuple[tuple[Distortion, int], ...] = field(kw_only=True)
    none_votes: int = field(kw_only=True)
    intended: Distortion = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class BeliefLabels(Labels):
    """Which core beliefs stand behind an utterance; distortions are not annotated.

    Attributes:
        beliefs: names of the corpus, in the order of its list of them; never empty.
    """

    beliefs: tuple[str, ...] = field(kw_only=True)


def binary(distorted: bool) -> BinaryLabels:
    """Labels of a corpus that tells distorted from undistorted and nothing more."""
    return BinaryLabels(
        None if distorted else frozenset(), frozenset(CANONICAL), distorted=distorted
    )


def own_words(labels: Labels) -> tuple[str, ...]:
    """What a corpus says in words of its own, for a row that cannot hold it otherwise.

    Votes are written as "label: number", those for none included; labels in our own words alone
    give nothing.
    """
    if isinstance(labels, BinaryLabels):
        return ("distorted" if labels.distorted else "not distorted",)
    if isinstance(labels, BeliefLabels):
        return labels.beliefs
    if isinstance(labels, VoteLabels):
        cast = tuple(f"{distortion.value}: {n}" for distortion, n in labels.votes if n)
        return (*cast, f"none: {labels.none_votes}")
    return tuple(getattr(labels, "own", ()))
