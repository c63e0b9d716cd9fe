"""What a detector says of rows, or what a file of predictions says: the same value for both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from untwist.data import Failure, Record, read_records
from untwist.data.jsonl import member_of
from untwist.detect import PromptedDetector
from untwist.errors import DataError, ModelError, ParseError
from untwist.ports import Detector
from untwist.recipes.rows import COLUMN, COLUMNS, Bools, Rows
from untwist.safety import redact
from untwist.schema import Assessment, Json, Utterance
from untwist.taxonomy import CANONICAL, Intensity, Risk, parse

_CHUNK = 256
Floats = NDArray[np.float64]
Levels = tuple[Intensity | None, Risk | None]


@runtime_checkable
class OffersProbabilities(Protocol):
    """What a detector may offer beside its findings."""

    def probabilities(self, utterances: Sequence[Utterance]) -> ArrayLike:
        """Shape (len(utterances), 12), 0 to 1, columns in the order of `CANONICAL`."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What was said of the rows of one corpus.

    Attributes:
        predicted: (n, 14), columns as `rows.COLUMNS`.
        decided: (n,), true where labels were given (also none), not only probabilities.
        scored: (n,), false where there is no answer or the row was not asked.
        probabilities: (n, 14), NaN where not offered; None when they never are.
        levels: intensity and risk of each row; None where not said.
        failures: rows without an answer: corpus, id and why.
    """

    predicted: Bools
    decided: Bools
    scored: Bools
    probabilities: Floats | None
    levels: tuple[Levels, ...]
    failures: tuple[Json, ...]

    def labelled(self, here: Bools) -> bool:
        """Whether labels were given on every scored one of these rows.

        Raises:
            DataError: they were given on some: the others would look as if nothing was found.
        """
        scored = here & self.scored
        given, n = int((scored & self.decided).sum()), int(scored.sum())
        if 0 < given < n:
            raise DataError(f"{given} of {n} rows have labels, the others probabilities alone: "
                            "give labels to all or to none")  # fmt: skip
        return given == n

    def graded(self, here: Bools) -> bool:
        """Whether probabilities were given on every scored one of these rows."""
        given = self.probabilities
        return given is not None and not bool(np.isnan(given[here & self.scored]).any())


def ask(detector: Detector, rows: Rows) -> Answers:
    """What a detector says of every row, with the history where there is one.

    Raises:
        DataError: the detector does not keep to its socket.
    """
    n = len(rows.gold)
    predicted, scored = np.zeros(rows.gold.shape, bool), np.ones(n, bool)
    levels: list[Levels] = [(None, None)] * n
    failures: list[Json] = []
    for place, answer in enumerate(_stream(detector, rows)):
        if isinstance(answer, Assessment):
            predicted[place, [COLUMN[f.distortion] for f in answer.findings]] = True
            levels[place] = (answer.intensity, answer.risk)
            continue
        scored[place] = False
        reason = redact(f"{type(answer).__name__}: {answer}")
        failures.append({"corpus": rows.corpus, "id": rows.ids[place], "why": reason})
    offered = _offered(detector, rows, scored)
    return Answers(predicted, scored.copy(), scored, offered, tuple(levels), tuple(failures))


def _stream(detector: Detector, rows: Rows) -> Iterator[Assessment | ModelError | ParseError]:
    """One answer or one error per row, in order; after an error the stream starts anew."""
    if isinstance(detector, PromptedDetector):
        # it goes on by itself: no question is put twice, and several at once
        yield from detector.each(zip(rows.utterances, rows.histories, strict=True))
        return
    if any(rows.histories):
        for utterance, history in zip(rows.utterances, rows.histories, strict=True):
            yield _alone(detector, utterance, history)
        return
    utterances, place = rows.utterances, 0
    while place < len(utterances):
        try:
            for answer in detector.detect_many(iter(utterances[place:])):
                if place == len(utterances) or answer.utterance.text != utterances[place].text:
                    raise DataError(f"{detector.name} answers out of order at text {place + 1}")
                yield answer
                place += 1
        except (ModelError, ParseError):
            yield _alone(detector, utterances[place], ())
            place += 1
            continue
        if place < len(utterances):
            raise DataError(f"{detector.name} stopped after {place} of {len(utterances)} texts")


def _alone(
    detector: Detector, utterance: Utterance, history: Sequence[Utterance]
) -> Assessment | ModelError | ParseError:
    """The next text by itself: a detector that reads ahead may have failed on a later one."""
    try:
        return detector.detect(utterance, history)
    except (ModelError, ParseError) as error:
        return error


def _offered(detector: Detector, rows: Rows, scored: Bools) -> Floats | None:
    if not isinstance(detector, OffersProbabilities):
        return None
    values = np.full(rows.gold.shape, np.nan)
    places = np.flatnonzero(scored)
    for start in range(0, len(places), _CHUNK):
        chunk = places[start : start + _CHUNK]
        given = np.asarray(detector.probabilities([rows.utterances[p] for p in chunk]), float)
        if given.shape != (len(chunk), len(CANONICAL)):
            raise DataError(f"{detector.name} gives probabilities of shape {given.shape}")
        if not ((given >= 0) & (given <= 1)).all():
            raise DataError(f"{detector.name} gives a probability that is no number from 0 to 1")
        # labels of one corpus alone are none that a detector knows: never given
        values[chunk] = 0.0
        values[chunk, : len(CANONICAL)] = given
    return values


def read_answers(path: Path | str, rows: Rows) -> Answers:
    """The predictions of any system, one JSON object a line.

    Rows: {"id", "labels": [names]} or {"id", "probabilities": {name: 0 to 1}} or both, with
    "intensity" and "risk" where the system says them; {"id", "unscored": "why"} for a failed
    answer. `labels` without a name means no distortion, a label without a probability has 0. A row
    of the corpus that the file does not name is not scored.

    Raises:
        DataError: a row cannot be read, names an unknown label or an id that the corpus does not
            have, or names one twice; the message holds file and line.
    """
    table = _Table(rows)
    for record in read_records(path):
        if isinstance(record, Failure):
            raise DataError(f"{path}:{record.line}: {record.message}")
        try:
            table.add(record)
        except (DataError, ValueError) as error:
            raise DataError(f"{path}:{record.line}: {error}") from error
    return table.answers()


class _Table:
    """Predictions as they are read."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._place = {id: place for place, id in enumerate(rows.ids)}
        n = len(rows.gold)
        if len(self._place) < n:
            raise DataError(
                f"{rows.corpus} has one id on two rows: give every row an id of its own"
            )
        self._predicted = np.zeros(rows.gold.shape, bool)
        self._decided, self._scored = np.zeros(n, bool), np.zeros(n, bool)
        self._chances = np.full(rows.gold.shape, np.nan)
        self._levels: list[Levels] = [(None, None)] * n
        self._failures: list[Json] = []
        self._seen: dict[str, int] = {}

    def add(self, record: Record) -> None:
        data = record.data
        if data.get("id") is None:
            raise DataError('no "id": give the ids of the corpus')
        id = str(data["id"])
        if id not in self._place:
            raise DataError(f'{self._rows.corpus} has no row "{id}": give the ids of the corpus')
        if id in self._seen:
            raise DataError(f'id "{id}" is on line {self._seen[id]} too: keep one')
        self._seen[id] = record.line
        place = self._place[id]
        if data.get("unscored") is not None:
            self._failures.append({"corpus": self._rows.corpus, "id": id, "why": _why(data)})
            return
        self._levels[place] = (
            member_of(data, "intensity", Intensity),
            member_of(data, "risk", Risk),
        )
        self._read_labels(data, place)
        self._read_chances(data, place)
        if not self._scored[place]:
            raise DataError('no "labels", no "probabilities" and no "unscored": give one')

    def _read_labels(self, data: Json, place: int) -> None:
        names = data.get("labels")
        if names is None:
            return
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise DataError("labels is no list of strings")
        self._predicted[place, [COLUMN[parse(name)] for name in names]] = True
        self._decided[place] = self._scored[place] = True

    def _read_chances(self, data: Json, place: int) -> None:
        given = data.get("probabilities")
        if given is None:
            return
        if not isinstance(given, dict):
            raise DataError("probabilities is no object of name: number")
        row = np.zeros(len(COLUMNS))
        for name, value in given.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
                raise DataError(f'the probability of "{name}" is no number from 0 to 1')
            row[COLUMN[parse(name)]] = value
        self._chances[place], self._scored[place] = row, True

    def answers(self) -> Answers:
        offered = None if np.isnan(self._chances).all() else self._chances
        return Answers(
            self._predicted,
            self._decided,
            self._scored,
            offered,
            tuple(self._levels),
            tuple(self._failures),
        )


def _why(data: Json) -> str:
    why = data["unscored"]
    if not isinstance(why, str) or not why.strip():
        raise DataError("unscored is no string that says why")
    if any(data.get(key) is not None for key in ("labels", "probabilities")):
        raise DataError("unscored, and answered as well: give one of them")
    return redact(why)
