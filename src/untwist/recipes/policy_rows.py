"""Labelled messages with the conversation before them, as policies are trained and scored on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from untwist.data import Loaded, grouped, parts_of
from untwist.errors import DataError
from untwist.evaluate import States
from untwist.policy.pool import as_labelled
from untwist.policy.state import session_of
from untwist.ports import Detector
from untwist.recipes.rows import Progress, quiet
from untwist.schema import Assessment, Dialogue, Labels, Session, Utterance
from untwist.taxonomy import CANONICAL, Risk, Strategy


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """One message of a person.

    Attributes:
        utterance: with its id.
        history: what was said before it.
        labels: as annotated.
        earlier: places of the person's earlier messages in the same dialogue, oldest first.
        used: strategies of the helper's replies between them, as annotated; a reply without a
            strategy is left out.
        group: rows of one group stay together in intervals.
        corpus: its name.
    """

    utterance: Utterance
    history: tuple[Utterance, ...]
    labels: Labels
    earlier: tuple[int, ...]
    used: tuple[Strategy, ...]
    group: str
    corpus: str


@dataclass(frozen=True, slots=True)
class PolicyRows:
    """The messages of some parts of some corpora.

    Attributes:
        rows: in the order of the corpora.
        left_out: messages of those parts without labels of distortion, risk or (with a distortion)
            intensity, without a known language, or with a label that has no strategy.
    """

    rows: tuple[PolicyRow, ...]
    left_out: int

    def gold(self) -> list[Assessment]:
        """Each message as a detector without fault would hear it."""
        return [as_labelled(row.utterance, row.labels) for row in self.rows]

    def heard(self, detector: Detector, progress: Progress = quiet) -> list[Assessment]:
        """Each message as a detector hears it."""
        found = []
        for done, row in enumerate(self.rows):
            if not done % 200:
                progress("detecting", done, len(self.rows))
            found.append(detector.detect(row.utterance, row.history))
        progress("detecting", len(self.rows), len(self.rows))
        return found

    def sessions(self, assessments: Sequence[Assessment]) -> list[Session]:
        """What was there before each message, as it was heard."""
        return [
            session_of([*(assessments[at] for at in row.earlier), assessments[place]], row.used)
            for place, row in enumerate(self.rows)
        ]

    def states(self) -> States:
        """The gold labels on which choices are scored."""
        labels = [row.labels for row in self.rows]
        return States(
            np.array([[d in (one.distortions or ()) for d in CANONICAL] for one in labels], bool),
            np.array([one.risk is Risk.HIGH for one in labels], bool),
            np.array(
                [-1 if one.intensity is None else one.intensity.rank for one in labels], np.int64
            ),
            tuple(row.group for row in self.rows),
        )


def policy_rows(loaded: Sequence[Loaded], parts: Sequence[str], seed: int = 42) -> PolicyRows:
    """The messages of some parts of the grouped split.

    Args:
        loaded: the corpora.
        parts: of "train", "validation", "test".
        seed: of derived splits.

    Raises:
        DataError: no message is left.
    """
    kept = [
        dialogue
        for one in loaded
        for dialogue, part in zip(
            one.dialogues, parts_of(one.entry.name, one.dialogues, "grouped", seed), strict=True
        )
        if part in parts
    ]
    rows: list[PolicyRow] = []
    left_out = 0
    for dialogue, group in zip(kept, grouped(kept), strict=True):
        places: list[int] = []
        for utterance, history, labels, used in _messages(dialogue):
            if labels is None:
                left_out += 1
                continue
            # strategies are only known to follow messages that are in
            known = used[len(used) - len(places) :] if len(used) > len(places) else used
            rows.append(
                PolicyRow(utterance, history, labels, tuple(places), known, group, dialogue.corpus)
            )
            places.append(len(rows) - 1)
    if not rows:
        raise DataError(f"no message of {', '.join(parts)} has labels of distortion and risk")
    return PolicyRows(tuple(rows), left_out)


_Message = tuple[Utterance, tuple[Utterance, ...], Labels | None, tuple[Strategy, ...]]


def _messages(dialogue: Dialogue) -> Iterator[_Message]:
    """The person's messages; labels None where they do not suffice."""
    used: list[Strategy] = []
    single = len(dialogue.utterances) == 1
    for place, utterance in enumerate(dialogue.utterances):
        labels = dialogue.labels[place]
        if utterance.role == "assistant":
            if labels is not None and labels.strategy is not None:
                used.append(labels.strategy)
            continue
        id = dialogue.id if single else f"{dialogue.id}/{place + 1}"
        named = Utterance(utterance.text, utterance.lang, id, utterance.role)
        usable = labels if labels is not None and _usable(utterance, labels) else None
        yield named, dialogue.utterances[:place], usable, tuple(used)


def _usable(utterance: Utterance, labels: Labels) -> bool:
    if utterance.lang is None or labels.distortions is None or labels.risk is None:
        return False
    if not labels.distortions <= frozenset(CANONICAL):
        return False
    return labels.intensity is not None or not labels.distortions
