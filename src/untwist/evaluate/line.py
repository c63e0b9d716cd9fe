"""One line of a results table, and all that stands behind it: values, and their way to JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from untwist.errors import DataError
from untwist.evaluate.bootstrap import METRICS
from untwist.evaluate.calibrate import ProbabilityScores
from untwist.evaluate.classify import FalseAlarms, Scores
from untwist.evaluate.forms import check
from untwist.evaluate.resample import Interval

NOT_OFFERED = "not offered"
SCHEMA = "untwist/detection-report@1"


@dataclass(frozen=True, slots=True)
class Baseline:
    """One floor.

    Attributes:
        name: "best constant", "prior sampling" or "all labels".
        labels: the constant set, by name; empty for the others.
        scores: on the same rows and mask as the detector.
        alarms: on the same undistorted rows.
    """

    name: str
    labels: tuple[str, ...]
    scores: Scores
    alarms: FalseAlarms

    def metrics(self) -> dict[str, float | None]:
        """The scores that have an interval in the report, by name."""
        return _metrics(self.scores, self.alarms)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "name": self.name,
            "labels": list(self.labels),
            "scores": self.scores.to_dict(),
            "false_alarms": self.alarms.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Baseline:
        """From JSON values."""
        found = Scores.from_dict(data["scores"])
        alarms = FalseAlarms(**data["false_alarms"])
        return cls(data["name"], tuple(data["labels"]), found, alarms)


@dataclass(frozen=True, slots=True)
class Line:
    """One detector on one part of a corpus.

    Attributes:
        corpus: name of the corpus.
        part: which rows of it.
        n: how many rows.
        groups: how many groups they form.
        unscored: rows for which the detector gave no answer; counted as misses.
        detector: name and version.
        thresholds: where the detector's thresholds come from.
        protocol: how the numbers were made.
        command: what made them.
        labels: names of the columns.
        scores: count-based scores.
        with_none: the same with "no distortion" as one more class, the last; never the main number.
        with_none_floor: its micro-F1 for the best constant answer, "none" among them; None when it
            is not known.
        alarms: what happened to undistorted rows.
        intervals: by metric; None where not known.
        probabilities: None when the detector offers none.
        baselines: the floors.
        baselines_from: the rows that the floors were taken from.
    """

    corpus: str
    part: str
    n: int
    groups: int
    unscored: int
    detector: str
    thresholds: str
    protocol: str
    command: str
    labels: tuple[str, ...]
    scores: Scores
    with_none: Scores
    with_none_floor: float | None
    alarms: FalseAlarms
    intervals: dict[str, Interval | None]
    probabilities: ProbabilityScores | None
    baselines: tuple[Baseline, ...]
    baselines_from: str

    @property
    def sha256(self) -> str:
        """Of the report as JSON with sorted keys and no spaces, UTF-8; the same when read back."""
        text = json.dumps(
            self.to_dict(),
            sort_keys=True,
            separators=(",", ":"),
            ensure_ascii=False,
            allow_nan=False,
        )
        return hashlib.sha256(text.encode("utf-8")).hexdigest()

    def metrics(self) -> dict[str, float | None]:
        """The scores that have an interval, by name."""
        return _metrics(self.scores, self.alarms)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, as the schema "detection-report" says; classes are keyed by label."""
        values = self.scores.to_dict()
        classes = dict(zip(self.labels, values.pop("classes"), strict=True))
        return {
            "schema": SCHEMA,
            "corpus": self.corpus,
            "part": self.part,
            "n": self.n,
            "groups": self.groups,
            "unscored": self.unscored,
            "detector": self.detector,
            "thresholds": self.thresholds,
            "protocol": self.protocol,
            "command": self.command,
            "labels": list(self.labels),
            "scores": values,
            "classes": classes,
            "with_none": self.with_none.to_dict(),
            "with_none_floor": self.with_none_floor,
            "false_alarms": self.alarms.to_dict(),
            "intervals": {k: v.to_dict() if v else None for k, v in self.intervals.items()},
            "probabilities": self.probabilities.to_dict() if self.probabilities else NOT_OFFERED,
            "baselines_from": self.baselines_from,
            "baselines": [baseline.to_dict() for baseline in self.baselines],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """From the values of a result file; gives the report that was written.

        Raises:
            DataError: they are not what the schema "detection-report" says, or the classes are not
                those of the labels.
        """
        check(data, "detection-report")
        labels = tuple(data["labels"])
        _require_columns(labels, data)
        classes = [data["classes"][label] for label in labels]
        offered = data["probabilities"]
        return cls(
            corpus=data["corpus"],
            part=data["part"],
            n=data["n"],
            groups=data["groups"],
            unscored=data["unscored"],
            detector=data["detector"],
            thresholds=data["thresholds"],
            protocol=data["protocol"],
            command=data["command"],
            labels=labels,
            scores=Scores.from_dict({**data["scores"], "classes": classes}),
            with_none=Scores.from_dict(data["with_none"]),
            with_none_floor=data["with_none_floor"],
            alarms=FalseAlarms(**data["false_alarms"]),
            intervals={k: Interval(**v) if v else None for k, v in data["intervals"].items()},
            probabilities=None if offered == NOT_OFFERED else ProbabilityScores.from_dict(offered),
            baselines=tuple(Baseline.from_dict(one) for one in data["baselines"]),
            baselines_from=data["baselines_from"],
        )


def _require_columns(labels: tuple[str, ...], data: Mapping[str, Any]) -> None:
    sizes = {len(set(labels)), len(data["classes"]), len(data["with_none"]["classes"]) - 1}
    sizes |= {len(one["scores"]["classes"]) for one in data["baselines"]}
    if data["probabilities"] != NOT_OFFERED:
        sizes.add(len(data["probabilities"]["auprc_classes"]))
    if sizes != {len(labels)} or set(labels) != set(data["classes"]):
        raise DataError("the columns of a report are not its labels: the file was changed by hand")


def _metrics(scores: Scores, alarms: FalseAlarms) -> dict[str, float | None]:
    values = (
        scores.micro_f1,
        scores.macro_f1.value,
        scores.macro_f1_harmonic.value,
        scores.weighted_f1,
        scores.exact_match,
        alarms.over_pathologising,
    )
    return dict(zip(METRICS, values, strict=True))
