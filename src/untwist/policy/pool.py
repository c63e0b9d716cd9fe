"""What simulated people say: labelled messages, found by what they are to express.

A seeker's next words are drawn by its new state: a distortion, how strongly it is held, the risk it
speaks of, the language. Leaves out: writing words that nobody wrote.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from untwist.errors import DataError
from untwist.policy.reward import HIGH, Codes, Floats, Truth
from untwist.policy.state import StateEncoder
from untwist.schema import Assessment, Finding, Labels, Utterance
from untwist.taxonomy import CANONICAL, LANGS, Intensity, Risk

NONE = len(CANONICAL)
"""The subject of a message without a distortion."""
_SHAPE = (NONE + 1, len(Intensity), len(Risk), len(LANGS))


@dataclass(frozen=True, slots=True)
class Pool:
    """Labelled messages, encoded once.

    Attributes:
        words: the state of each message without its session, shape (m, encoder size).
        truth: gold labels; rewards are made of them.
        heard: labels as the policy sees them, gold or predicted; the gate and the response to a
            strategy are made of them.
        lang: number of the language, shape (m,).
        assessments: each message as the policy sees it.

    Raises:
        DataError: the parts differ in length, a number is NaN, or a subject lacks messages.
    """

    words: Floats
    truth: Truth
    heard: Truth
    lang: Codes
    assessments: tuple[Assessment, ...]
    _first: Codes = field(init=False, repr=False)
    _count: Codes = field(init=False, repr=False)
    _members: Codes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        parts = (self.words, self.truth.labels, self.heard.labels, self.lang, self.assessments)
        if len({len(part) for part in parts}) != 1:
            raise DataError(f"the pool's parts have lengths {[len(part) for part in parts]}")
        if not np.isfinite(self.words).all():
            raise DataError("the pool holds NaN or infinity: encode it again")
        members = _cells(self.truth, self.lang)
        filled = np.array([len(m) > 0 for m in members]).reshape(_SHAPE)
        place = _nearest(filled)
        sizes = np.array([len(m) for m in members], np.int64)
        first = np.concatenate(([0], np.cumsum(sizes)[:-1]))
        object.__setattr__(self, "_members", np.concatenate(members))
        object.__setattr__(self, "_first", first[place])
        object.__setattr__(self, "_count", sizes[place])

    @classmethod
    def of(
        cls, assessments: Sequence[Assessment], labels: Sequence[Labels], encoder: StateEncoder
    ) -> Pool:
        """From messages as a policy will see them and their gold labels.

        Raises:
            DataError: they differ in number, there are none, a label is missing or the language of
                a message is not known.
        """
        if len(assessments) != len(labels) or not assessments:
            raise DataError(f"{len(assessments)} assessments but {len(labels)} labels")
        unknown = [at for at, a in enumerate(assessments) if a.utterance.lang is None]
        if unknown:
            raise DataError(f"message {unknown[0]} is in no known language: leave it out")
        lang = [LANGS.index(a.utterance.lang) for a in assessments if a.utterance.lang]
        return cls(
            encoder.encode_words(assessments),
            Truth.of(labels),
            _heard(assessments),
            np.array(lang, np.int64),
            tuple(assessments),
        )

    def __len__(self) -> int:
        return len(self.words)

    def draw(
        self, subject: Codes, intensity: Codes, risk: Codes, lang: Codes, luck: Floats
    ) -> Codes:
        """A message for each: of the cell asked for, else of the nearest that is not empty.

        Nearness counts steps of intensity and of risk; high risk is never taken for any other.

        Args:
            subject: number of the distortion, `NONE` without one.
            intensity: rank of the intensity; not read where there is no distortion.
            risk: rank of the risk.
            lang: number of the language.
            luck: from 0 up to 1, which of the cell's messages.
        """
        cell = np.ravel_multi_index(
            (subject, np.where(subject == NONE, 0, intensity), risk, lang), _SHAPE
        )
        return self._members[self._first[cell] + (luck * self._count[cell]).astype(np.int64)]

    def shares(self) -> NDArray[np.float64]:
        """How often each distortion occurs, among all that occur, shape (12,)."""
        counts = self.truth.labels.sum(axis=0)
        share: NDArray[np.float64] = counts / counts.sum()
        return share


def as_labelled(utterance: Utterance, labels: Labels) -> Assessment:
    """A message as a detector without fault would hear it.

    Raises:
        DataError: distortions or risk were not annotated.
    """
    if labels.distortions is None or labels.risk is None:
        raise DataError(f"message {utterance.id} lacks labels of distortion or risk: leave it out")
    findings = tuple(Finding(d, 1.0) for d in CANONICAL if d in labels.distortions)
    intensity = labels.intensity if findings else None
    return Assessment(utterance, findings, intensity, labels.risk, labels.acuity, (), "gold")


def _heard(assessments: Sequence[Assessment]) -> Truth:
    found = [{f.distortion for f in a.findings} for a in assessments]
    table = np.array([[d in row for d in CANONICAL] for row in found], bool)
    intensity = [-1 if a.intensity is None else a.intensity.rank for a in assessments]
    risk = [a.risk.rank for a in assessments]
    return Truth(table.reshape(-1, NONE), np.array(intensity, np.int64), np.array(risk, np.int64))


def _cells(truth: Truth, lang: Codes) -> list[Codes]:
    """The messages of every cell; one with two distortions stands in two."""
    bare = ~truth.labels.any(axis=1, keepdims=True)
    row, subject = np.nonzero(np.hstack([truth.labels, bare]))
    strength = np.where(subject == NONE, 0, truth.intensity[row])
    cell = np.ravel_multi_index((subject, strength, truth.risk[row], lang[row]), _SHAPE)
    order = np.argsort(cell, kind="stable")
    borders = np.searchsorted(cell[order], np.arange(1, np.prod(_SHAPE)))
    return list(np.split(row[order], borders))


def _nearest(filled: NDArray[np.bool_]) -> Codes:
    """For every cell the nearest filled one; at high risk of any subject, else of its own."""
    cells = np.stack(np.unravel_index(np.arange(filled.size), _SHAPE), axis=1)
    full = cells[filled.ravel()]
    numbers = np.flatnonzero(filled.ravel())
    place = np.empty(filled.size, np.int64)
    for at, (subject, intensity, risk, lang) in enumerate(cells):
        cost = abs(full[:, 1] - intensity) + abs(full[:, 2] - risk)
        cost = cost + 100 * (full[:, 0] != subject)
        barred = (full[:, 3] != lang) | ((full[:, 2] == HIGH) != (risk == HIGH))
        if risk != HIGH:
            barred |= full[:, 0] != subject
        if barred.all():
            raise DataError(_lacking(int(subject), risk == HIGH, LANGS[lang]))
        place[at] = numbers[np.where(barred, np.iinfo(np.int64).max, cost).argmin()]
    return place


def _lacking(subject: int, high: bool, lang: str) -> str:
    what = "no distortion" if subject == NONE else CANONICAL[subject].value
    where = "at high risk" if high else f"with {what} below high risk"
    return f'the pool has no message in "{lang}" {where}: add at least one'
