"""The sockets: what a room may ask of another room without knowing it.

Whatever claims to fit a socket is run through that socket's conformance suite (tests/conformance).
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from untwist.schema import (
    START,
    Assessment,
    Choice,
    Reply,
    Session,
    Spoken,
    Turn,
    Utterance,
    Verdict,
)
from untwist.taxonomy import Strategy


class Detector(Protocol):
    """Hears distortions, intensity and risk."""

    @property
    def name(self) -> str:
        """Which model, which version."""

    def detect(self, utterance: Utterance, history: Sequence[Utterance] = ()) -> Assessment:
        """One utterance, in the light of what came before. Risk is never below the screen's."""

    def detect_many(self, utterances: Iterable[Utterance]) -> Iterator[Assessment]:
        """Many unrelated utterances, in order, as a stream."""


class Policy(Protocol):
    """Chooses a strategy."""

    @property
    def name(self) -> str:
        """Which policy, which version."""

    def choose(
        self, assessment: Assessment, allowed: frozenset[Strategy], session: Session = START
    ) -> Choice:
        """A strategy out of those allowed; acting is a pure function of its arguments."""


class Responder(Protocol):
    """Carries a strategy out in words."""

    @property
    def name(self) -> str:
        """Which responder, which version."""

    def reply(
        self,
        choice: Choice,
        assessment: Assessment,
        history: Sequence[Utterance],
        earlier: Sequence[Turn] = (),
    ) -> Reply:
        """A draft; the guard reads it before anyone else does.

        `history` is what was said before; `earlier` the turns so far, where they are known: each
        tells the step that its reply left the conversation at. State is kept nowhere else.
        """


@runtime_checkable
class StreamingResponder(Responder, Protocol):
    """A responder that reads its own draft, and lets out what has passed while it is made."""

    def spoken(
        self,
        choice: Choice,
        assessment: Assessment,
        history: Sequence[Utterance],
        earlier: Sequence[Turn] = (),
    ) -> Spoken:
        """The reply, and the verdict on the draft."""

    def stream(
        self,
        choice: Choice,
        assessment: Assessment,
        history: Sequence[Utterance],
        earlier: Sequence[Turn] = (),
    ) -> Generator[str, None, Spoken]:
        """The sentences that may be shown, as they come; then what `spoken` gives.

        Nothing is yielded of a reply that somebody else says. Where the verdict is a failure, what
        was yielded is to be taken back.
        """


class Guard(Protocol):
    """Reads a draft before anyone else does."""

    def check(self, reply: Reply, assessment: Assessment) -> Verdict:
        """Which rules the draft breaks."""


class Patient(Protocol):
    """A simulated person seeking support; one conversation each."""

    def begin(self, rng: np.random.Generator) -> Utterance:
        """The first message.

        Raises:
            ModelError: a model that speaks for the person failed.
        """

    def respond(self, reply: Reply, rng: np.random.Generator) -> Utterance | None:
        """What they write next; None when they have left, and ever after.

        Raises:
            DataError: the conversation has not begun.
            ModelError: a model that speaks for the person failed; no words are made up for it.
        """


class ChatModel(Protocol):
    """Any model that answers chat messages."""

    @property
    def name(self) -> str:
        """Which model, which version."""

    def chat(self, messages: Sequence[Mapping[str, Any]], **options: Any) -> str:  # noqa: ANN401
        """The answer's text.

        Raises:
            ModelError: no answer came.
        """


class Encoder(Protocol):
    """Turns texts into vectors."""

    @property
    def name(self) -> str:
        """Which encoder, which version."""

    @property
    def size(self) -> int:
        """Length of a vector."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row per text, shape (len(texts), size)."""


class Judge(Protocol):
    """Scores a reply on a rubric."""

    def score(self, assessment: Assessment, reply: Reply) -> Mapping[str, float | None]:
        """A score per scale; None means unscored."""
