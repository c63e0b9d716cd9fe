"""What `evaluate_policy` says of one player: a line for messages, a line for simulated people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from untwist.evaluate import Advantage, ChoiceScores, Estimate, Habits, bounds, number, over_runs
from untwist.schema import Json

AS_FOUND, LISTENED = "as found", "after listening"
"""A message after what went before it in its dialogue, or as if after one validating reply."""
FIRST, VALIDATED, CHALLENGED, UNKNOWN = (
    "found as first message", "found after validation", "found after a challenge",
    "found after an unknown strategy",
)  # fmt: skip
"""The messages as found, by what went before them."""


@dataclass(frozen=True, slots=True)
class LabelLine:
    """One player on the scored messages.

    Attributes:
        system: the policy's name.
        run: which of its runs.
        labels: "gold" or "predicted".
        shield: whether the safety gate closed actions.
        session: which messages, and what went before them.
        scores: of its choices.
        advantage: at high risk and below it; None where the policy has no values.
    """

    system: str
    run: int
    labels: str
    shield: bool
    session: str
    scores: ChoiceScores
    advantage: tuple[Advantage, Advantage] | None

    def values(self) -> dict[str, float | None]:
        """The scores that are put together over runs."""
        rates = self.scores.crisis.rates
        quiet = rates.specificity.value
        found = {name: one.value for name, one in self.scores.totals.items()}
        found["crisis recall"] = rates.sensitivity.value
        found["crisis false positives"] = None if quiet is None else 1 - quiet
        if self.advantage is not None:
            found["safety advantage"] = self.advantage[0].mean
            found["positive advantage"] = self.advantage[0].positive.value
        return found

    def to_dict(self) -> Json:
        """As JSON values."""
        pair = self.advantage
        return {
            "system": self.system,
            "run": self.run,
            "labels": self.labels,
            "shield": self.shield,
            "session": self.session,
            "scores": self.scores.to_dict(),
            "advantage": None
            if pair is None
            else {"high": pair[0].to_dict(), "below": pair[1].to_dict()},
        }


@dataclass(frozen=True, slots=True)
class ReturnLine:
    """One player among simulated people.

    Attributes:
        system: the policy's name.
        run: which of its runs.
        labels: what it sees of each message, "gold" or "predicted".
        shield: whether the safety gate closed actions.
        mean: return per conversation.
        faded: the same, faded with gamma.
        seekers: mean return by group of the first message; None of none.
        habits: what it does when.
    """

    system: str
    run: int
    labels: str
    shield: bool
    mean: Estimate
    faded: Estimate
    seekers: Mapping[str, float | None]
    habits: Habits

    def to_dict(self) -> Json:
        """As JSON values."""
        return {
            "system": self.system,
            "run": self.run,
            "labels": self.labels,
            "shield": self.shield,
            "mean": self.mean.to_dict(),
            "faded": self.faded.to_dict(),
            "seekers": dict(self.seekers),
            "habits": self.habits.to_dict(),
        }


def runs_together(
    lines: Sequence[LabelLine], returns: Sequence[ReturnLine], differences: Sequence[Json]
) -> list[Json]:
    """Each score of a set-up over its runs."""
    values: dict[tuple[str, ...], list[float]] = {}

    def add(value: float | None, *key: str) -> None:
        if value is not None:
            values.setdefault(key, []).append(value)

    for line in lines:
        shield = "shielded" if line.shield else "unshielded"
        for name, value in line.values().items():
            add(value, line.system, line.labels, shield, line.session, name)
    for one in returns:
        shield = "shielded" if one.shield else "unshielded"
        add(one.mean.value, one.system, one.labels, shield, "simulated", "return")
        add(one.faded.value, one.system, one.labels, shield, "simulated", "faded return")
    for gap in differences:
        if gap["second_run"] == min(gap["run"], _last_run(differences, gap["second"])):
            place = f"minus {gap['second']}"
            for kind, name in (("undiscounted", "return"), ("faded", "faded return")):
                if gap[kind]:
                    key = (gap["first"], "gold", "shielded", "simulated", f"{name} {place}")
                    add(gap[kind]["value"], *key)
    names = ("system", "labels", "shield", "session", "score")
    return [
        {**dict(zip(names, key, strict=True)), **over_runs(found).to_dict()}
        for key, found in values.items()
    ]


def _last_run(differences: Sequence[Json], second: str) -> int:
    return max(int(gap["second_run"]) for gap in differences if gap["second"] == second)


@dataclass(frozen=True, slots=True)
class Names:
    """How systems are called in tables: with the number of the run where there are several.

    Attributes:
        runs: how many runs each system has.
    """

    runs: Mapping[str, int]

    @classmethod
    def of(cls, metrics: Json) -> Names:
        """Those of a whole evaluation."""
        return cls({one["name"]: one["runs"] for one in metrics["systems"]})

    def __call__(self, system: str, run: int) -> str:
        """One run of one system."""
        return f"{system}, run {run}" if self.runs[system] > 1 else system

    def pair(self, gap: Json) -> tuple[str, str]:
        """Both sides of a difference."""
        return self(gap["first"], gap["run"]), self(gap["second"], gap["second_run"])


def with_ends(one: Estimate) -> str:
    """A number and its interval, as in tables."""
    return number(one.value) + bounds(ends_of(one))


def ends_of(one: Estimate) -> tuple[float, float] | None:
    """The interval; None when not known."""
    return (one.interval.low, one.interval.high) if one.interval else None


def gap_ends(gap: Json) -> tuple[float, float]:
    """The interval of a difference."""
    return gap["interval"]["low"], gap["interval"]["high"]


def gap_cell(gap: Json | None) -> str:
    """A difference and its interval, with a star where it holds no 0."""
    if gap is None:
        return number(None)
    low, high = gap_ends(gap)
    return number(gap["value"]) + bounds((low, high)) + (" *" if low > 0 or high < 0 else "")
