"""What a judge's scores of replies are worth: steadiness, the effect of order, people's judgement.

A judge is asked several times, its scales in one order and turned round; of two replies it is asked
in both orders. Its numbers stand in no table before people judged some of the same replies and it
was found to agree with them better than by chance (`Standing.withheld`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from untwist.errors import DataError
from untwist.evaluate.cells import Floats
from untwist.evaluate.krippendorff import Alpha, krippendorff_alpha
from untwist.evaluate.proportions import Share
from untwist.evaluate.resample import (
    RESAMPLES,
    Difference,
    Estimate,
    Interval,
    group_codes,
    group_weights,
    grouped_mean,
    paired_means,
    percentiles,
)

MIN_RATED = 30
"""Fewest replies judged by two people or more on which a judge can be calibrated."""

Ratings = Sequence[Sequence[int | None]]
"""One row per reply, one entry per rater or repeat; None where it was left unscored."""


@dataclass(frozen=True, slots=True)
class Steadiness:
    """Whether a judge says the same when it is asked again.

    Attributes:
        rows: replies.
        asked: questions.
        unscored: questions without a score on this scale.
        same: of pairs of scores of one reply, how many are equal.
        alpha: ordinal, the repeats as coders.
        order: mean score with the scales in order minus that with the scales turned round, on the
            replies scored both ways; None when not known.
    """

    rows: int
    asked: int
    unscored: int
    same: Share
    alpha: Alpha
    order: Difference | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "rows": self.rows,
            "asked": self.asked,
            "unscored": self.unscored,
            "same": self.same.to_dict(),
            "alpha": self.alpha.to_dict(),
            "order": self.order.to_dict() if self.order else None,
        }


def steadiness(
    forward: Ratings,
    turned: Ratings,
    values: Sequence[int],
    groups: Sequence[str],
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> Steadiness:
    """How steady the repeated scores on one scale are.

    Args:
        forward: scores with the scales in order.
        turned: of the same replies, with the scales turned round.
        values: of the scale, the lowest first.
        groups: the group of each reply.
        rng: chance for intervals.
        resamples: of replies for alpha, of groups for the effect of order.

    Raises:
        DataError: the lengths differ, or a score is no value of the scale.
    """
    if not len(forward) == len(turned) == len(groups):
        raise DataError("give the scores in both orders, and the group, of each reply")
    both = [(*one, *other) for one, other in zip(forward, turned, strict=True)]
    pairs = [pair for row in both for pair in _pairs(row)]
    return Steadiness(
        rows=len(both),
        asked=sum(map(len, both)),
        unscored=sum(value is None for row in both for value in row),
        same=Share(sum(a == b for a, b in pairs), len(pairs)),
        alpha=krippendorff_alpha(both, "ordinal", rng, resamples, values),
        order=_order(forward, turned, groups, rng, resamples),
    )


def _pairs(row: Sequence[int | None]) -> list[tuple[int, int]]:
    known = [value for value in row if value is not None]
    return [(a, b) for at, a in enumerate(known) for b in known[at + 1 :]]


def _order(
    forward: Ratings,
    turned: Ratings,
    groups: Sequence[str],
    rng: np.random.Generator,
    resamples: int,
) -> Difference | None:
    means = [(mean_score(a), mean_score(b)) for a, b in zip(forward, turned, strict=True)]
    known = [
        (one, other, group)
        for (one, other), group in zip(means, groups, strict=True)
        if one is not None and other is not None
    ]
    if not known:
        return None
    first, second, held = zip(*known, strict=True)
    return paired_means(first, second, held, rng, resamples)


def mean_score(scores: Sequence[int | None]) -> float | None:
    """Mean of the scores of one reply; None when all are unscored."""
    known = [score for score in scores if score is not None]
    return sum(known) / len(known) if known else None


@dataclass(frozen=True, slots=True)
class Standing:
    """A judge beside people on one scale.

    Attributes:
        n: replies that two people or more scored, and the judge too.
        people: agreement of the people on those replies, ordinal.
        agreement: the judge's mean, taken for the nearest value, is that of the people's mean.
        within_one: the two values are at most one apart.
        kappa: Cohen's with quadratic weights between the two values; None when both always say one
            thing.
        interval: of `kappa`, 95 %, over groups.
        alpha: the judge as one more rater among the people, ordinal.
        bias: the judge's mean minus the people's, with an interval over groups; above 0 is kind.
    """

    n: int
    people: Alpha
    agreement: Share
    within_one: Share
    kappa: float | None
    interval: Interval | None
    alpha: Alpha
    bias: Estimate

    @property
    def withheld(self) -> str | None:
        """Why the judge's numbers on this scale may not be shown; None when they may."""
        if self.n < MIN_RATED:
            return f"{self.n} replies rated by two people or more; it takes {MIN_RATED}"
        if self.interval is None or self.interval.low <= 0:
            return "agrees with people no better than chance"
        return None

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "n": self.n,
            "people": self.people.to_dict(),
            "agreement": self.agreement.to_dict(),
            "within_one": self.within_one.to_dict(),
            "kappa": self.kappa,
            "interval": self.interval.to_dict() if self.interval else None,
            "alpha": self.alpha.to_dict(),
            "bias": self.bias.to_dict(),
            "withheld": self.withheld,
        }


def standing(
    judged: Ratings,
    people: Ratings,
    values: Sequence[int],
    groups: Sequence[str],
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> Standing:
    """How a judge stands beside people on one scale.

    Args:
        judged: the judge's repeated scores of each reply.
        people: what people gave the same replies.
        values: of the scale, the lowest first.
        groups: the group of each reply.
        rng: chance for intervals.
        resamples: of replies for alpha, of groups for the others.

    Raises:
        DataError: the lengths differ, or a score is no value of the scale.
    """
    if not len(judged) == len(people) == len(groups):
        raise DataError("give the judge's scores, people's scores and the group of each reply")
    kept = [
        (said, row, given, group)
        for row, given, group in zip(judged, people, groups, strict=True)
        if (said := mean_score(row)) is not None and sum(v is not None for v in given) > 1
    ]
    own = [said for said, *_ in kept]
    theirs = [mean_score(given) or 0.0 for _, _, given, _ in kept]
    held = [group for *_, group in kept]
    near, true = _nearest(own, values), _nearest(theirs, values)
    gap = np.abs(near - true)
    mixed = [(*given, int(value)) for (_, _, given, _), value in zip(kept, near, strict=True)]
    kappa, interval = quadratic_kappa(near, true, held, rng, resamples)
    return Standing(
        n=len(kept),
        people=krippendorff_alpha(
            [given for _, _, given, _ in kept], "ordinal", rng, resamples, values
        ),
        agreement=Share(int((gap == 0).sum()), len(kept)),
        within_one=Share(int((gap <= 1).sum()), len(kept)),
        kappa=kappa,
        interval=interval,
        alpha=krippendorff_alpha(mixed, "ordinal", rng, resamples, values),
        bias=grouped_mean(np.array(own) - np.array(theirs), held, rng, resamples),
    )


def _nearest(scores: Sequence[float], values: Sequence[int]) -> Floats:
    """The value of the scale nearest to each score, the lower of equals."""
    known = np.array(values, float)
    given = np.array(scores, float).reshape(-1, 1)
    return np.asarray(known[np.abs(given - known).argmin(axis=1)])


def quadratic_kappa(
    first: Sequence[float] | Floats,
    second: Sequence[float] | Floats,
    groups: Sequence[str],
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> tuple[float | None, Interval | None]:
    """Cohen's kappa with quadratic weights (Cohen 1968) and its interval over groups.

    Returns:
        None in place of a number that is not known.

    Raises:
        DataError: the lengths differ.
    """
    one, other = np.asarray(first, float), np.asarray(second, float)
    if not len(one) == len(other) == len(groups):
        raise DataError("give both scores and the group of each row")
    if not len(one):
        return None, None
    code, n = group_codes(groups)
    moments = np.stack([one, other, one**2, other**2, (one - other) ** 2, np.ones(len(one))], 1)
    totals = np.stack([np.bincount(code, column, n) for column in moments.T], axis=1)
    value = float(_kappas(totals.sum(axis=0, keepdims=True))[0])
    drawn = [_kappas(weights @ totals) for weights in group_weights(n, resamples, rng)]
    known = None if np.isnan(value) else value
    return known, percentiles(np.concatenate(drawn)) if known is not None and n > 1 else None


def _kappas(sums: Floats) -> Floats:
    """From sums of a, b, a², b², (a - b)² and 1: squared distance seen and by chance."""
    count = sums[:, 5]
    a, b, a2, b2, seen = (sums[:, column] / count for column in range(5))
    chance = a2 + b2 - 2 * a * b
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(chance > 1e-12, 1 - seen / chance, np.nan))


Side = Literal["first", "second", "same"]


def settled(in_order: Side | None, turned: Side | None) -> Side | None:
    """What a judge says of two replies when it was asked in both orders.

    Args:
        in_order: which is better when the first reply is shown first.
        turned: which is better when it is shown second; "first" is again the one shown first.

    Returns:
        Which of the two is better, or "same"; None when it left one question undecided, or when its
        answers contradict each other, so that the order decided and not the replies.
    """
    same_reply: dict[Side, Side] = {"first": "second", "second": "first", "same": "same"}
    if in_order is None or turned is None or in_order != same_reply[turned]:
        return None
    return in_order


@dataclass(frozen=True, slots=True)
class Preferences:
    """Which of two systems a judge prefers on one scale, asked in both orders.

    Attributes:
        n: pairs of replies.
        won: of the pairs that were settled, how many the first system won.
        lost: how many of them it lost; the rest were the same.
        unsettled: of all pairs, how many were left undecided or were decided by the order.
        first_shown: of all answers that name one, how many name the reply that was shown first; a
            judge without a leaning names it half the time.
    """

    n: int
    won: Share
    lost: Share
    unsettled: Share
    first_shown: Share

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "n": self.n,
            **{name: getattr(self, name).to_dict() for name in self.__slots__ if name != "n"},
        }


def preferences(answers: Sequence[tuple[Side | None, Side | None]]) -> Preferences:
    """Sum up.

    Args:
        answers: for each pair of replies the answer in order and turned round, as for `settled`.
    """
    found = [settled(*pair) for pair in answers]
    known = len(found) - found.count(None)
    named = [side for pair in answers for side in pair if side in ("first", "second")]
    return Preferences(
        n=len(found),
        won=Share(found.count("first"), known),
        lost=Share(found.count("second"), known),
        unsettled=Share(found.count(None), len(found)),
        first_shown=Share(named.count("first"), len(named)),
    )
