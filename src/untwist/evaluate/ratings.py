"""What raters said of blinded replies: sheets read back, agreement first, then averages.

Where raters agree no better than chance, their averages say nothing, and there are none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from untwist.errors import DataError
from untwist.evaluate.blind import BlindReply
from untwist.evaluate.judge import mean_score
from untwist.evaluate.krippendorff import Alpha, krippendorff_alpha
from untwist.evaluate.resample import (
    RESAMPLES,
    Difference,
    Estimate,
    grouped_mean,
    paired_means,
)
from untwist.evaluate.votes import cohen_of_pairs

TENTATIVE = 0.667
"""Below this alpha only tentative conclusions (Krippendorff 2004)."""
NO_SCORE = "n/a"
"""What a rater writes where a scale does not apply or the words do not suffice."""


@dataclass(frozen=True, slots=True)
class Rating:
    """What one rater said of one reply.

    Attributes:
        code: of the reply.
        rater: who.
        scores: by scale; None where the rater said that it cannot be scored. A scale that was left
            empty is not in it.
        comment: in words; "" for none.
    """

    code: str
    rater: str
    scores: Mapping[str, int | None]
    comment: str = ""


@dataclass(frozen=True, slots=True)
class ReadSheet:
    """A sheet that came back.

    Attributes:
        ratings: of the replies of which something was said.
        empty: codes of which nothing was said.
        faults: what cannot be read, row by row; such a cell counts as left empty.
    """

    ratings: tuple[Rating, ...]
    empty: tuple[str, ...]
    faults: tuple[str, ...] = field(default=())


def read_sheet(
    rows: Sequence[Sequence[str]],
    rater: str,
    scales: Mapping[str, Sequence[int]],
    codes: Sequence[str],
) -> ReadSheet:
    """What a rater said.

    Args:
        rows: of the sheet, the header first; columns are told by their names, in any order.
        rater: whose sheet it is.
        scales: the values of each scale.
        codes: the codes that were handed out.

    Raises:
        DataError: the sheet has no column of codes, or none of a scale.
    """
    header = [cell.strip() for cell in rows[0]] if rows else []
    if "code" not in header or not set(scales) & set(header):
        raise DataError('a sheet needs the column "code" and those of the scales, as handed out')
    ratings: dict[str, Rating] = {}
    faults = []
    for line, row in enumerate(rows[1:], 2):
        cells = dict(zip(header, (cell.strip() for cell in row), strict=False))
        if not any(cells.values()):
            continue
        code = cells.get("code", "")
        if code not in codes or code in ratings:
            told = "is there twice" if code in ratings else "was not handed out"
            faults.append(f"row {line}: its code {told}")
            continue
        scores, wrong = _scores(cells, scales)
        faults += [f"row {line}: {scale} is none of its values" for scale in wrong]
        ratings[code] = Rating(code, rater, scores, cells.get("comment", "").removeprefix("'"))
    said = tuple(one for one in ratings.values() if one.scores or one.comment)
    silent = tuple(code for code in codes if code not in {one.code for one in said})
    return ReadSheet(said, silent, tuple(faults))


def _scores(
    cells: Mapping[str, str], scales: Mapping[str, Sequence[int]]
) -> tuple[dict[str, int | None], list[str]]:
    found: dict[str, int | None] = {}
    wrong = []
    for scale, values in scales.items():
        cell = cells.get(scale, "").removesuffix(".0")
        if cell.lower() == NO_SCORE:
            found[scale] = None
        elif cell in map(str, values):
            found[scale] = int(cell)
        elif cell:
            wrong.append(scale)
    return found, wrong


@dataclass(frozen=True, slots=True)
class ScaleRatings:
    """One scale over all raters and systems.

    Attributes:
        scale: which.
        alpha: agreement of the raters, ordinal.
        cohen: Cohen's kappa, mean over pairs of raters; None when not known.
        rated: replies with a score of two raters or more.
        unscored: how often a rater said that it cannot be scored.
        means: by system, over replies and groups; empty while `withheld` says why.
        differences: for each pair of systems, first minus second on the messages of both.
        withheld: why there are no means; None when there are.
    """

    scale: str
    alpha: Alpha
    cohen: float | None
    rated: int
    unscored: int
    means: Mapping[str, Estimate]
    differences: Mapping[tuple[str, str], Difference | None]
    withheld: str | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        pairs = [
            {"first": one, "second": other, "difference": found.to_dict() if found else None}
            for (one, other), found in self.differences.items()
        ]
        return {
            "scale": self.scale,
            "alpha": self.alpha.to_dict(),
            "cohen": self.cohen,
            "rated": self.rated,
            "unscored": self.unscored,
            "means": {system: mean.to_dict() for system, mean in self.means.items()},
            "differences": pairs,
            "withheld": self.withheld,
        }


def scale_ratings(
    scale: str,
    values: Sequence[int],
    ratings: Sequence[Rating],
    key: Mapping[str, BlindReply],
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> ScaleRatings:
    """Agreement on one scale, and averages where there is agreement to speak of.

    Args:
        scale: which.
        values: its values, the lowest first.
        ratings: of all raters.
        key: by code the reply.
        rng: chance for intervals.
        resamples: of replies for alpha, of groups for means.

    Raises:
        DataError: a score is no value of the scale.
    """
    raters = sorted({one.rater for one in ratings})
    given = {(one.code, one.rater): one.scores.get(scale) for one in ratings}
    table = {code: [given.get((code, rater)) for rater in raters] for code in key}
    alpha = krippendorff_alpha(list(table.values()), "ordinal", rng, resamples, values)
    twice = {code: row for code, row in table.items() if sum(v is not None for v in row) > 1}
    why = _withheld(alpha, len(raters))
    each = {code: mean_score(row) for code, row in twice.items()} if why is None else {}
    by_system: dict[str, dict[str, tuple[float, str]]] = {}
    for code, mean in each.items():
        if mean is not None:
            one = key[code]
            by_system.setdefault(one.system, {})[one.item] = mean, one.group
    systems = sorted(by_system)
    return ScaleRatings(
        scale=scale,
        alpha=alpha,
        cohen=cohen_of_pairs(list(table.values())) if table else None,
        rated=len(twice),
        unscored=sum(scale in one.scores and one.scores[scale] is None for one in ratings),
        means={s: _mean(by_system[s], rng, resamples) for s in systems},
        differences={
            (one, other): _difference(by_system[one], by_system[other], rng, resamples)
            for at, one in enumerate(systems)
            for other in systems[at + 1 :]
        },
        withheld=why,
    )


def _withheld(alpha: Alpha, raters: int) -> str | None:
    if raters < 2 or not alpha.units:
        return "fewer than two raters judged the same replies"
    if alpha.value is None:
        return "everybody always gave one value, so agreement is not known"
    if alpha.interval is None or alpha.interval.low <= 0:
        return "raters agree no better than chance"
    return None


_Means = Mapping[str, tuple[float, str]]
"""By message the mean of its reply's ratings, and its group."""


def _mean(means: _Means, rng: np.random.Generator, resamples: int) -> Estimate:
    values, held = zip(*means.values(), strict=True)
    return grouped_mean(values, held, rng, resamples)


def _difference(
    first: _Means, second: _Means, rng: np.random.Generator, resamples: int
) -> Difference | None:
    shared = [item for item in first if item in second]
    if not shared:
        return None
    one, other = ([means[item][0] for item in shared] for means in (first, second))
    return paired_means(one, other, [first[item][1] for item in shared], rng, resamples)
