"""What is kept of a turn, and its reply as events that make the text again, piece by piece."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from threading import Lock

from untwist.errors import StoreError
from untwist.schema import Assessment, Json, Turn, Utterance
from untwist.serve.store import Event, StoredTurn

_SENTENCE = re.compile(r"[^.!?。！？\n]*[.!?。！？\n]*\s*")


@dataclass
class Said:
    """What listeners have been told of a reply so far; used by two threads.

    Attributes:
        text: the sentences so far.
        told: whether there were any, one on its way to the store included.
    """

    text: str = ""
    told: bool = False
    _ended: bool = False
    _lock: Lock = field(default_factory=Lock, repr=False)

    @classmethod
    def of(cls, events: Iterable[Event]) -> Said:
        """From what is kept; the end is not among it."""
        said = cls()
        for event in events:
            kind, data = event.body["event"], event.body["data"]
            if kind in ("delta", "replace"):
                said.text = data["text"] if kind == "replace" else said.text + data["text"]
                said.told = True
        return said

    def more(self, sentence: str) -> Json:
        """One more sentence, as an event.

        Raises:
            StoreError: "conflict" when the reply has been ended meanwhile.
        """
        with self._lock:
            if self._ended:
                raise StoreError("this reply is ended already", "conflict")
            self.text += sentence
            self.told = True
        return {"event": "delta", "data": {"text": sentence}}

    def rest(self, turn: Turn) -> list[Json]:
        """The events that make the reply whole; what was said wrongly is taken back."""
        with self._lock:
            self._ended = True
        whole = turn.reply.text
        done: Json = {"event": "done", "data": turn.to_dict()}
        if self.told and (turn.replaced or not whole.startswith(self.text)):
            return [{"event": "replace", "data": {"text": whole}}, done]
        left = pieces(whole[len(self.text) :])
        return [*({"event": "delta", "data": {"text": piece}} for piece in left), done]


def said_before(turns: Sequence[StoredTurn]) -> tuple[list[Utterance], list[Turn]]:
    """What was said by both, and the turns, for an engine that keeps nothing."""
    history: list[Utterance] = []
    earlier: list[Turn] = []
    for kept in turns:
        history.append(Utterance.from_dict(kept.said["message"]))
        if kept.turn is not None:
            made = Turn.from_dict(kept.turn)
            earlier.append(made)
            history.append(Utterance(made.reply.text, made.reply.lang, role="assistant"))
    return history, earlier


def decision_of(assessment: Assessment) -> Json:
    """What is kept with a message before anything is said."""
    return {
        "level": assessment.risk.value,
        "acuity": [kind.value for kind in assessment.acuity],
        "reasons": list(assessment.reasons),
        "detector": assessment.detector,
    }


def facts_of(assessment: Assessment) -> Json:
    """What the audit trail holds of a decision: no text."""
    facts = decision_of(assessment)
    return {**facts, "reasons": facts["reasons"][:12]}


def events_of(turn: Turn) -> list[Json]:
    """A whole reply as events: its sentences, then the end with the record."""
    return Said().rest(turn)


def pieces(text: str) -> list[str]:
    """A text in sentences that make it again when they are put together."""
    return [piece for piece in _SENTENCE.findall(text) if piece]
