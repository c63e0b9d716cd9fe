"""Logged dialogues: what was heard, what was done, with which probability, and what came of it.

    {"dialogue", "turn", "assessment", "action", "propensity", "reward", "done"}, one turn a line

For off-policy evaluation: the propensity is the probability with which the logging policy chose the
action, and cannot be made up afterwards. The assessment holds the person's words: keep such a file
as safe as the conversations themselves.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from untwist.data.jsonlines import Record, read_each
from untwist.errors import DataError
from untwist.schema import Assessment, Json
from untwist.taxonomy import Strategy


@dataclass(frozen=True, slots=True)
class LoggedTurn:
    """One turn of a logged dialogue.

    Attributes:
        dialogue: its name.
        turn: 0 for the first message.
        assessment: what was heard.
        action: the strategy that was carried out.
        propensity: with which probability the logging policy chose it, above 0 and at most 1.
        reward: what came of it; finite.
        done: the dialogue ended with this turn.

    Raises:
        DataError: a number is out of range.
    """

    dialogue: str
    turn: int
    assessment: Assessment
    action: Strategy
    propensity: float
    reward: float
    done: bool

    def __post_init__(self) -> None:
        if not 0 < self.propensity <= 1:
            raise DataError(
                f"propensity of dialogue {self.dialogue}, turn {self.turn} is not above 0 and at "
                "most 1: log the probability with which the action was chosen"
            )
        if not math.isfinite(self.reward):
            raise DataError(
                f"reward of dialogue {self.dialogue}, turn {self.turn} is no finite number: leave "
                "the dialogue out"
            )

    def to_dict(self) -> Json:
        """As JSON values."""
        return {
            "dialogue": self.dialogue,
            "turn": self.turn,
            "assessment": self.assessment.to_dict(),
            "action": self.action.value,
            "propensity": self.propensity,
            "reward": self.reward,
            "done": self.done,
        }


def write_logged(path: Path | str, turns: Iterable[LoggedTurn]) -> int:
    """Write turns as JSON Lines.

    Returns:
        How many.

    Raises:
        DataError: the file cannot be written.
    """
    count = 0
    try:
        with Path(path).open("w", encoding="utf-8", newline="\n") as file:
            for turn in turns:
                file.write(json.dumps(turn.to_dict(), ensure_ascii=False, allow_nan=False) + "\n")
                count += 1
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}") from error
    return count


def read_logged(path: Path | str) -> list[LoggedTurn]:
    """The turns of a file, those of one dialogue together and in order.

    Raises:
        DataError: a row is no turn, a dialogue is in two pieces, lacks a turn, goes on after its
            end or has none; nothing is left out in silence.
    """
    turns = list(_checked(path))
    if not turns:
        raise DataError(f"{path} holds no turn")
    return turns


def _checked(path: Path | str) -> Iterator[LoggedTurn]:
    seen: set[str] = set()
    last: LoggedTurn | None = None
    for turn in read_each(path, _turn, "logged turn"):
        follows = last is not None and last.dialogue == turn.dialogue
        if last is not None and last.done == follows:
            raise DataError(f"{path}: dialogue {last.dialogue} {_fault(follows)}")
        if not follows and turn.dialogue in seen:
            raise DataError(f"{path}: dialogue {turn.dialogue} is in two pieces: keep it together")
        expected = last.turn + 1 if last is not None and follows else 0
        if turn.turn != expected:
            raise DataError(
                f"{path}: dialogue {turn.dialogue} has turn {turn.turn} where {expected} belongs"
            )
        seen.add(turn.dialogue)
        last = turn
        yield turn
    if last is not None and not last.done:
        raise DataError(f"{path}: dialogue {last.dialogue} {_fault(False)}")


def _fault(follows: bool) -> str:
    if follows:
        return 'goes on after "done": give the rest another name'
    return 'has no turn with "done": true; log dialogues to their end'


def _turn(record: Record) -> LoggedTurn:
    data = record.data
    if type(data["turn"]) is not int or type(data["done"]) is not bool:
        raise TypeError("turn is a whole number, done is true or false")
    numbers = [data["propensity"], data["reward"]]
    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in numbers):
        raise TypeError("propensity and reward are numbers")
    return LoggedTurn(
        str(data["dialogue"]),
        data["turn"],
        Assessment.from_dict(data["assessment"]),
        Strategy(data["action"]),
        float(data["propensity"]),
        float(data["reward"]),
        data["done"],
    )
