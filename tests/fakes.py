"""Stand-ins that fit the sockets, small enough to be read at a glance."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence

import numpy as np

from untwist.errors import ModelError
from untwist.schema import START, Assessment, Choice, Finding, Reply, Session, Turn, Utterance
from untwist.taxonomy import CANONICAL, Distortion, Risk, Strategy


class FakeDetector:
    """Finds a distortion wherever its keyword stands; fails on `fails_on`."""

    name = "fake-detector 1"

    def __init__(self, keywords: Mapping[str, Distortion], fails_on: str | None = None) -> None:
        self.keywords = dict(keywords)
        self.fails_on = fails_on
        self.seen: list[str] = []

    def detect(self, utterance: Utterance, history: Sequence[Utterance] = ()) -> Assessment:
        """One finding per keyword, score 1, the keyword as evidence."""
        self.seen.append(utterance.text)
        if self.fails_on and self.fails_on in utterance.text:
            raise ModelError("no answer")
        findings = tuple(
            Finding(distortion, 1.0, start, start + len(keyword))
            for keyword, distortion in self.keywords.items()
            if (start := utterance.text.find(keyword)) >= 0
        )
        return Assessment(utterance, findings, None, Risk.NONE, (), (), self.name)

    def detect_many(self, utterances: Iterable[Utterance]) -> Iterator[Assessment]:
        """`detect` on each, in order."""
        for utterance in utterances:
            yield self.detect(utterance)


class FakeDetectorWithProbabilities(FakeDetector):
    """The same, and says 0.9 for what it finds and 0.1 for the rest."""

    def probabilities(self, utterances: Sequence[Utterance]) -> np.ndarray:
        """Shape (n, 12), columns in canonical order."""
        rows = [{f.distortion for f in self.detect(u).findings} for u in utterances]
        return np.array([[0.9 if d in row else 0.1 for d in CANONICAL] for row in rows])


class FakePolicy:
    """Chooses what it is told to, allowed or not."""

    name = "fake-policy 1"

    def __init__(self, strategy: Strategy) -> None:
        self.strategy = strategy
        self.seen: list[Session] = []

    def choose(
        self, assessment: Assessment, allowed: frozenset[Strategy], session: Session = START
    ) -> Choice:
        """The same strategy always."""
        self.seen.append(session)
        return Choice(self.strategy, None, "validation", self.name)


class FakeResponder:
    """Says one fixed text; raises it when it is an exception."""

    name = "fake-responder 1"

    def __init__(self, text: str | Exception) -> None:
        self.text = text

    def reply(
        self,
        choice: Choice,
        assessment: Assessment,
        history: Sequence[Utterance],
        earlier: Sequence[Turn] = (),
    ) -> Reply:
        """The fixed text, in English."""
        if isinstance(self.text, Exception):
            raise self.text
        return Reply(self.text, "en", choice.strategy, (), self.name)


class FakeChat:
    """Answers with one text after the other; raises those that are exceptions."""

    name = "fake-chat 1"

    def __init__(self, answers: Sequence[str | Exception]) -> None:
        self.answers = list(answers)
        self.seen: list[list[Mapping[str, str]]] = []
        self.options: list[Mapping[str, object]] = []

    def chat(self, messages: Sequence[Mapping[str, str]], **options: object) -> str:
        """The next answer."""
        self.seen.append(list(messages))
        self.options.append(options)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class FakeStream:
    """Streams one text after the other, character by character."""

    name = "fake-stream 1"

    def __init__(self, answers: Sequence[str]) -> None:
        self.answers = list(answers)

    async def astream(self, request: object) -> AsyncIterator[str]:
        """The next answer."""
        for char in self.answers.pop(0):
            yield char
