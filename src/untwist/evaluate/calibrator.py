"""A judge's scores against what people said: agreement before, calibration, agreement after.

Source: CoPoLLM C.4. The majority of people's votes is the label (`votes`). The calibrator learns
P(label | the judge's scores) by the paper's Equation 15, the sum of -log P; here the judge itself
is not tuned, so that any judge will do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from untwist.errors import DataError
from untwist.evaluate.cells import Floats
from untwist.evaluate.proportions import Share
from untwist.evaluate.resample import RESAMPLES, Interval, group_codes, group_weights, percentiles
from untwist.evaluate.votes import cohen_kappa, values_of

RIDGE = 1.0
_ROUNDS, _CLOSE = 100, 1e-9
Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Calibrator:
    """P(label | scores): logistic regression on the judge's scores.

    Attributes:
        scale: one of `SCALES`.
        centre: (k,), subtracted from the scores.
        spread: (k,), by which they are divided then; above 0.
        coefficients: (k + 1, values), the last row is the constant.
    """

    scale: str
    centre: Floats
    spread: Floats
    coefficients: Floats

    def chances(self, scores: ArrayLike) -> Floats:
        """(n, values): the probability of each value of the scale.

        Raises:
            DataError: the scores have another width than those it learnt from, or one is NaN.
        """
        given = _scores(scores)
        if given.shape[1] != self.centre.size:
            raise DataError(f"{given.shape[1]} scores a row; the calibrator learnt from "
                            f"{self.centre.size}")  # fmt: skip
        return _softmax(_design(given, self.centre, self.spread) @ self.coefficients)

    def labels(self, scores: ArrayLike) -> Codes:
        """(n,): the most probable value; the lower one of equals."""
        return np.asarray(np.array(values_of(self.scale))[self.chances(scores).argmax(axis=1)])

    def expected(self, scores: ArrayLike) -> Floats:
        """(n,): the mean of the scale's values under the probabilities."""
        return np.asarray(self.chances(scores) @ np.array(values_of(self.scale), float))

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "scale": self.scale,
            "centre": self.centre.tolist(),
            "spread": self.spread.tolist(),
            "coefficients": self.coefficients.tolist(),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Calibrator:
        """From JSON values.

        Raises:
            DataError: they are no calibrator.
        """
        try:
            scale = data["scale"]
            parts = [np.array(data[k], float) for k in ("centre", "spread", "coefficients")]
            width = parts[0].size
            wanted = ((width,), (width,), (width + 1, len(values_of(scale))))
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"not a calibrator: {error!r}") from error
        fine = all(np.isfinite(one).all() for one in parts) and (parts[1] > 0).all()
        if tuple(one.shape for one in parts) != wanted or not fine:
            raise DataError("not a calibrator: its numbers do not fit each other")
        return cls(scale, *parts)


def calibrate(scores: ArrayLike, labels: ArrayLike, scale: str, ridge: float = RIDGE) -> Calibrator:
    """Learn what a judge's scores mean.

    Args:
        scores: (n, k), as the judge gave them; unscored rows left out.
        labels: (n,), values of the scale, by people.
        scale: one of `SCALES`.
        ridge: weight of the squared coefficients, the constant left out; it keeps them finite where
            the scores separate the labels.

    Raises:
        DataError: the shapes differ, a score is NaN, a label is none of the scale, all labels are
            the same, or the ridge is not above 0.
    """
    given = _scores(scores)
    values = np.array(values_of(scale))
    truth = np.asarray(labels)
    if truth.shape != (len(given),) or not np.isin(truth, values).all():
        raise DataError(f"labels of {scale}: give one of {values_of(scale)} for each row")
    if np.unique(truth).size < 2:
        raise DataError(f"all labels of {scale} are the same: there is nothing to calibrate on")
    if not ridge > 0:
        raise DataError("the ridge must be above 0, or coefficients grow without end")
    spread = given.std(axis=0)
    centre, spread = given.mean(axis=0), np.where(spread > 0, spread, 1.0)
    x = _design(given, centre, spread)
    return Calibrator(scale, centre, spread, _newton(x, truth[:, None] == values, ridge))


def _newton(x: Floats, hot: NDArray[np.bool_], ridge: float) -> Floats:
    """Maximum of the penalised likelihood; the penalty is tiny on the constants."""
    k, classes = x.shape[1], hot.shape[1]
    penalty = np.repeat(np.append(np.full(k - 1, ridge), 1e-6), classes)
    beta = np.zeros(k * classes)
    eye = np.eye(classes)
    for _ in range(_ROUNDS):
        chances = _softmax(x @ beta.reshape(k, classes))
        slope = (x.T @ (chances - hot)).ravel() + penalty * beta
        bend = chances[:, :, None] * eye - chances[:, :, None] * chances[:, None, :]
        curve = np.einsum("na,nb,ncd->acbd", x, x, bend).reshape(beta.size, beta.size)
        step = np.linalg.solve(curve + np.diag(penalty), slope)
        # a full step may overshoot far from the optimum
        beta = beta - step * min(1.0, 5.0 / max(np.abs(step).max(), 1e-300))
        if np.abs(step).max() < _CLOSE:
            break
    return beta.reshape(k, classes)


@dataclass(frozen=True, slots=True)
class Calibration:
    """How well a judge does on one scale, as it is and calibrated, on rows held out.

    Attributes:
        scale: one of `SCALES`.
        n: rows with a label and scores.
        raw: equal labels when each score is taken for the nearest value of the scale; not known
            where the scale's own score is not among the judge's.
        raw_kappa: Cohen's, the same way.
        calibrated: equal labels after calibration.
        kappa: Cohen's after calibration, 95 % interval in `interval`.
        interval: of `kappa`.
        log_loss: mean of -log P of the label (CoPoLLM Eq. 15), after calibration.
        floor: the same for the share of each label among the training rows, without any score.
        bias: mean of what the judge expects after calibration minus the mean label.
    """

    scale: str
    n: int
    raw: Share
    raw_kappa: float | None
    calibrated: Share
    kappa: float | None
    interval: Interval | None
    log_loss: float
    floor: float
    bias: float

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "scale": self.scale,
            "n": self.n,
            "raw": self.raw.to_dict(),
            "raw_kappa": self.raw_kappa,
            "calibrated": self.calibrated.to_dict(),
            "kappa": self.kappa,
            "interval": self.interval.to_dict() if self.interval else None,
            "log_loss": self.log_loss,
            "floor": self.floor,
            "bias": self.bias,
        }


def calibration(
    scores: ArrayLike,
    labels: ArrayLike,
    groups: Sequence[str],
    scale: str,
    rng: np.random.Generator,
    *,
    own: int | None = 0,
    folds: int = 5,
    ridge: float = RIDGE,
    resamples: int = RESAMPLES,
) -> Calibration:
    """A judge against people, every row calibrated on the others.

    Args:
        scores: (n, k), as the judge gave them, in the units of its scales.
        labels: (n,), by people.
        groups: the group of each row; a group is never on both sides.
        scale: one of `SCALES`.
        rng: the source of chance for folds and interval.
        own: the column that is the judge's score on this very scale; None when there is none.
        folds: how many.
        ridge: see `calibrate`.
        resamples: of groups, for the interval.

    Raises:
        DataError: as for `calibrate`, or there are fewer groups than folds.
    """
    given, truth = _scores(scores), np.asarray(labels)
    code, n = group_codes(groups)
    if len(given) != len(code) or truth.shape != (len(code),):
        raise DataError("give one row of scores, one label and one group for each triple")
    if folds < 2 or n < folds:
        raise DataError(f"{n} groups for {folds} folds: give more triples, or fewer folds")
    values = np.array(values_of(scale))
    fold = (rng.permutation(n) % folds)[code]
    chances, floor = np.zeros((2, len(given), values.size))
    for held in range(folds):
        inside = fold != held
        model = calibrate(given[inside], truth[inside], scale, ridge)
        chances[~inside] = model.chances(given[~inside])
        counts = (truth[inside][:, None] == values).sum(axis=0) + 1.0
        floor[~inside] = counts / counts.sum()
    said = values[chances.argmax(axis=1)]
    raw = None if own is None else _nearest(given[:, own], values)
    place = np.searchsorted(values, truth)
    rows = np.arange(len(truth))
    return Calibration(
        scale,
        len(truth),
        Share(0, 0) if raw is None else Share(int((raw == truth).sum()), truth.size),
        None if raw is None else cohen_kappa(raw.tolist(), truth.tolist()),
        Share(int((said == truth).sum()), truth.size),
        cohen_kappa(said.tolist(), truth.tolist()),
        _kappa_interval(said, truth, code, n, rng, resamples),
        float(-np.log(chances[rows, place]).mean()),
        float(-np.log(floor[rows, place]).mean()),
        float((chances @ values).mean() - truth.mean()),
    )


def _nearest(scores: Floats, values: Codes) -> Codes:
    return np.asarray(values[np.abs(scores[:, None] - values).argmin(axis=1)])


def _kappa_interval(
    said: Codes,
    truth: Codes,
    code: NDArray[np.intp],
    n: int,
    rng: np.random.Generator,
    resamples: int,
) -> Interval | None:
    drawn = []
    for weights in group_weights(n, resamples, rng):
        for row in weights:
            w = row[code]
            total = w.sum()
            same = w @ (said == truth) / total
            chance = sum((w @ (said == v)) * (w @ (truth == v)) for v in np.unique(truth))
            left = 1 - chance / total**2
            drawn.append((same - 1 + left) / left if left > 0 else np.nan)
    return percentiles(np.array(drawn))


def _scores(scores: ArrayLike) -> Floats:
    given = np.asarray(scores, float)
    if given.ndim != 2 or not given.size or not np.isfinite(given).all():
        raise DataError("give finite scores, one row per triple; leave out what is unscored")
    return given


def _design(scores: Floats, centre: Floats, spread: Floats) -> Floats:
    return np.hstack([(scores - centre) / spread, np.ones((len(scores), 1))])


def _softmax(values: Floats) -> Floats:
    shifted = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))
