"""The hall: one conversation turn.

    text -> screen and detect -> gate -> choose -> respond -> guard -> Turn

Rooms meet here and in the recipes, nowhere else. An error anywhere ends in `SafetyError`, which
carries the fixed help block: nobody is told "no risk" because a program failed.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from untwist.artifacts import shipped
from untwist.detect import DraftReader, Example, FastDetector, RiskReader
from untwist.errors import ConfigError, DataError, ParseError, SafetyError, UntwistError
from untwist.policy import LearnedPolicy, MatrixPolicy, session_of
from untwist.ports import Detector, Guard, Policy, Responder, StreamingResponder
from untwist.respond import ReplyGuard, ScriptedResponder, open_book
from untwist.safety import CrisisProtocol, allowed, crisis_protocol, help_block, redact
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
from untwist.taxonomy import Lang, Risk, Strategy
from untwist.text import LOCALES, Locale, locale_of

if TYPE_CHECKING:
    from untwist.detect import PromptedDetector
    from untwist.llm.prompts.names import Question
    from untwist.respond import GeneratedResponder

DEFAULT_DETECTOR = "detector-fast-v2"
DEFAULT_READER = "risk-reader-v1"
DEFAULT_DRAFT_READER = "draft-reader-v1"
LEARNED_POLICY = "policy-v1"
ASKED = "llm:"
"""Begins the name of a detector or a responder that is a language model."""
AT_ONCE = 16
"""Questions to a language model at once where nobody says how many."""
SCRIPTED = "scripted"
"""The responder that needs nothing but its texts."""
DEFAULT_POLICY = "learned"
"""Who chooses when nobody says who: "learned" or "matrix". docs/explain/policy.md says why."""


@dataclass(frozen=True, slots=True)
class Engine:
    """Everything that one turn needs; holds no conversation.

    Attributes:
        detector: hears.
        policy: chooses.
        responder: speaks.
        guard: reads every draft first.
        region: ISO code of the country whose help lines are shown; None when it is not known.
    """

    detector: Detector
    policy: Policy = field(default_factory=MatrixPolicy)
    responder: Responder = field(default_factory=ScriptedResponder)
    guard: Guard = field(default_factory=ReplyGuard)
    region: str | None = None

    @classmethod
    def default(
        cls,
        *,
        conversation: bool = False,
        region: str | None = None,
        locale: Locale | None = None,
        policy: str | None = None,
        responder: str = SCRIPTED,
    ) -> Engine:
        """The shipped detector, the default policy and the scripted responder; all offline.

        Args:
            conversation: one part and at most one question per turn, not all five parts at once.
            region: ISO code such as "US" or "CN", for help lines.
            locale: language of the replies; None answers in the language of the message. Chinese is
                in the characters of the message, always Traditional with "zh-Hant".
            policy: as for `load_policy`; None is the default.
            responder: "scripted", or "llm:NAME" for a language model's words under the guard, one
                turn of a conversation at a time; what is written goes to wherever it runs.

        Raises:
            ConfigError: the region is unknown, or nothing says where the language model is.
            ArtifactError: the policy cannot be used.
        """
        chosen, stops = load_policy(policy or DEFAULT_POLICY), load_draft_reader().stops
        if responder != SCRIPTED:
            speaks = load_generated(responder, region=region, locale=locale)
            return cls(load_detector(), chosen, speaks, speaks.guard, region)
        scripted = ScriptedResponder(conversation, region, locale)
        guard = ReplyGuard(conversation=conversation, stops=stops)
        return cls(load_detector(), chosen, scripted, guard, region)

    def turn(
        self,
        message: Utterance | str,
        history: Sequence[Utterance] = (),
        earlier: Sequence[Turn] = (),
    ) -> Turn:
        """Answer one message in the light of what was said before it.

        Args:
            message: of the person.
            history: what was said before, by both.
            earlier: the turns of this conversation so far, where they are known: the policy then
                knows which strategies were carried out, and how the person answered the last one.

        Raises:
            DataError: the message cannot be read.
            SafetyError: something failed; its message ends with the help block.
        """
        return _ended(self.stream(message, history, earlier))

    def stream(
        self,
        message: Utterance | str,
        history: Sequence[Utterance] = (),
        earlier: Sequence[Turn] = (),
    ) -> Generator[str, None, Turn]:
        """The same turn; sentences that have passed the guard are yielded while it is made.

        Only a language model's words come so. Where the turn's reply does not begin with what was
        yielded, that is taken back and the reply said whole.

        Args:
            message: as for `turn`.
            history: as for `turn`.
            earlier: as for `turn`.

        Raises:
            DataError: the message cannot be read.
            SafetyError: something failed; its message ends with the help block.
        """
        utterance: Utterance | None = None
        try:
            utterance = message if isinstance(message, Utterance) else Utterance(message)
            assessment = self.detector.detect(utterance, history)
            return (yield from self._answered(assessment, history, earlier))
        except Exception as error:
            if utterance is None and isinstance(error, DataError):
                raise
            raise self._failed(error, utterance) from error

    def hear(self, message: Utterance, history: Sequence[Utterance] = ()) -> Assessment:
        """The first half of a turn: what is known before anything is said, risk included.

        Raises:
            SafetyError: something failed; its message ends with the help block.
        """
        try:
            return self.detector.detect(message, history)
        except Exception as error:
            raise self._failed(error, message) from error

    def answer(
        self,
        assessment: Assessment,
        history: Sequence[Utterance] = (),
        earlier: Sequence[Turn] = (),
    ) -> Turn:
        """The second half of a turn, from what was heard; arguments as for `turn`.

        Raises:
            SafetyError: something failed; its message ends with the help block.
        """
        return _ended(self.answering(assessment, history, earlier))

    def answering(
        self,
        assessment: Assessment,
        history: Sequence[Utterance] = (),
        earlier: Sequence[Turn] = (),
    ) -> Generator[str, None, Turn]:
        """The same second half, as it comes; what is yielded is as for `stream`.

        Raises:
            SafetyError: something failed; its message ends with the help block.
        """
        try:
            return (yield from self._answered(assessment, history, earlier))
        except Exception as error:
            raise self._failed(error, assessment.utterance) from error

    def _failed(self, error: Exception, utterance: Utterance | None) -> SafetyError:
        """An error without what was written, with where help is."""
        block = help_block(self._locale(utterance, ()) if utterance else "en", self.region)
        return SafetyError(f"no reply could be made ({_reason(error)}).\n{block}")

    def _answered(
        self, assessment: Assessment, history: Sequence[Utterance], earlier: Sequence[Turn]
    ) -> Generator[str, None, Turn]:
        choice = self._choose(assessment, session_before(assessment, history, earlier))
        said = yield from self._said(choice, assessment, history, earlier)
        return self._made(choice, assessment, history, said)

    def _said(
        self,
        choice: Choice,
        assessment: Assessment,
        history: Sequence[Utterance],
        earlier: Sequence[Turn],
    ) -> Generator[str, None, Spoken]:
        """What the responder says; one that streams has read its draft already."""
        if isinstance(self.responder, StreamingResponder):
            return (yield from self.responder.stream(choice, assessment, history, earlier))
        draft = self.responder.reply(choice, assessment, history, earlier)
        return Spoken(draft, Verdict(True))

    def _made(
        self, choice: Choice, assessment: Assessment, history: Sequence[Utterance], said: Spoken
    ) -> Turn:
        """The turn, once the guard has read what is said, whoever says it."""
        read = self.guard.check(said.reply, assessment)
        reply = said.reply if read.passed else self._instead(choice, assessment, history)
        broken = tuple(dict.fromkeys((*said.verdict.rules, *read.rules)))
        verdict = Verdict(said.verdict.passed and read.passed, broken)
        versions = {
            "detector": self.detector.name,
            "policy": self.policy.name,
            "responder": self.responder.name,
        }
        return Turn(assessment, choice, reply, verdict, not verdict.passed, versions)

    def _choose(self, assessment: Assessment, session: Session) -> Choice:
        """The policy's choice, unless it breaks the gate: then the gate chooses."""
        may = allowed(assessment.risk)
        choice = self.policy.choose(assessment, may, session)
        if choice.strategy in may:
            return choice
        return replace(MatrixPolicy().choose(assessment, may), policy=f"{self.policy.name}+gate")

    def _instead(
        self, choice: Choice, assessment: Assessment, history: Sequence[Utterance]
    ) -> Reply:
        """Instead of a refused draft: a plain scripted reply, else the help block."""
        lang: Lang = assessment.utterance.lang or "en"
        if assessment.risk is not Risk.HIGH:
            plain = Choice(Strategy.EMPATHIC_VALIDATION, None, "validation", choice.policy)
            reply = ScriptedResponder(region=self.region).reply(plain, assessment, history)
            if self.guard.check(reply, assessment).passed:
                return reply
        text = help_block(self._locale(assessment.utterance, history), self.region)
        return Reply(text, lang, choice.strategy, ("help_block",), "help-block@1")

    def _locale(self, utterance: Utterance, history: Sequence[Utterance]) -> Locale:
        """How the person writes, told from the message, else from earlier ones or the place."""
        earlier = (u.text for u in reversed(history) if u.role == "user")
        return locale_of(utterance.lang or "en", (utterance.text, *earlier), self.region)


def _ended(stream: Generator[str, None, Turn]) -> Turn:
    """The turn at the end of a stream, for whoever does not listen to it."""
    while True:
        try:
            next(stream)
        except StopIteration as ended:
            turn: Turn = ended.value
            return turn


def session_before(
    assessment: Assessment, history: Sequence[Utterance] = (), earlier: Sequence[Turn] = ()
) -> Session:
    """What a policy may know of a conversation before the message that is to be answered.

    Args:
        assessment: of that message.
        history: what was said before, by both; counts the turns where there is nothing else.
        earlier: the turns so far.
    """
    session = START
    if earlier:
        heard = [*(turn.assessment for turn in earlier), assessment]
        session = session_of(heard, [turn.reply.strategy for turn in earlier])
    said = sum(utterance.role == "user" for utterance in history)
    return replace(session, turn=max(session.turn, said))


def load_policy(name: str = DEFAULT_POLICY) -> Policy:
    """A policy by name or folder.

    Args:
        name: "matrix", "learned" for the shipped one, else the path of a folder that training left.

    Raises:
        ArtifactError: there is no usable policy there.
    """
    if name == "matrix":
        return MatrixPolicy()
    return _learned(str(shipped(LEARNED_POLICY)) if name == "learned" else name)


@cache
def _learned(folder: str) -> LearnedPolicy:
    return LearnedPolicy.load(Path(folder))


def load_detector(name: str = "fast") -> Detector:
    """A detector by name or folder.

    Args:
        name: "fast" for the shipped one, "llm:NAME" for a language model, else the path of a model
            folder.

    Raises:
        ArtifactError: there is no usable model there.
        ConfigError: nothing says where the language model is.
        MissingExtra: the folder's model needs packages that are not installed.
    """
    if name == "fast":
        return _shipped_detector()
    if name.startswith(ASKED):
        return load_prompted(name.removeprefix(ASKED))
    return _from_folder(Path(name))


def _from_folder(folder: Path) -> Detector:
    """A detector of any kind that training or export left; the folder says which."""
    from untwist.detect import kind_of

    match kind_of(folder):
        case "detector-encoder":
            from untwist.detect import FinetunedDetector

            return replace(FinetunedDetector.load(folder), reader=load_reader())
        case "detector-onnx":
            from untwist.detect import OnnxDetector

            return replace(OnnxDetector.load(folder), reader=load_reader())
        case _:
            return replace(FastDetector.load(folder), reader=load_reader())


def load_prompted(
    name: str,
    *,
    shots: int = 0,
    examples: Path | None = None,
    concurrency: int | None = None,
    cache: Path | None = None,
    question: Question = "detect",
) -> PromptedDetector:
    """A language model as a detector; what is written goes to wherever the model runs.

    Args:
        name: as for `untwist.llm.open_model`, with the environment of this process; "" is the one
            that the environment names.
        shots: how many examples it is shown.
        examples: a file of labelled messages to take them from; None takes our own.
        concurrency: questions at once, over many messages; None is `AT_ONCE`, but 1 of a script,
            which answers in order.
        cache: a file of answers, in which no question is paid for twice; None keeps none.
        question: "detect", or "names" or "reasons" for a model that was tuned on labels alone.

    Raises:
        ConfigError: nothing says where the model is, or a setting is wrong.
        DataError: the file of answers or of examples cannot be used.
    """
    from untwist.detect import PromptedDetector
    from untwist.llm import Cache, CachedModel, ScriptedModel, open_model

    model = open_model(name or None, os.environ)
    at_once = concurrency or (1 if isinstance(model, ScriptedModel) else AT_ONCE)
    if cache is not None:
        model = CachedModel(model, Cache(cache))
    own = tuple(_examples(examples)) if examples else ()
    return PromptedDetector(
        model,
        shots=shots,
        examples=own,
        concurrency=at_once,
        reader=load_reader(),
        question=question,
    )


def load_generated(
    name: str, *, region: str | None = None, locale: Locale | None = None
) -> GeneratedResponder:
    """A language model as a responder, the scripted one behind it.

    Args:
        name: "llm:NAME", with NAME as for `untwist.llm.open_model` and the environment of this
            process; "llm:" is the one that the environment names.
        region: as for `ScriptedResponder`.
        locale: as for `ScriptedResponder`.

    Raises:
        ConfigError: there is no such responder, or nothing says where the model is.
    """
    from untwist.llm import open_model
    from untwist.respond import GeneratedResponder

    if not name.startswith(ASKED):
        raise ConfigError(f'there is no responder "{name}": give {SCRIPTED} or {ASKED}NAME')
    model = open_model(name.removeprefix(ASKED) or None, os.environ)
    guard = ReplyGuard.for_generated(load_draft_reader().stops)
    return GeneratedResponder(model, ScriptedResponder(True, region, locale), guard)


def _examples(path: Path) -> Iterator[Example]:
    """Labelled messages of a file.

    Raises:
        DataError: one has no labels, is a conversation, or belongs to a test part.
    """
    from untwist.data import load_jsonl

    for dialogue in load_jsonl(path):
        labels = dialogue.labels[0]
        if len(dialogue.utterances) > 1 or labels is None:
            raise DataError(f"{path}: {dialogue.id} is no single labelled message: leave it out")
        if dialogue.split == "test":
            raise DataError(f"{path}: {dialogue.id} is of a test part: show others as examples")
        yield Example(dialogue.utterances[0], labels, dialogue.group)


@cache
def _shipped_detector() -> FastDetector:
    return replace(FastDetector.load(shipped(DEFAULT_DETECTOR)), reader=load_reader())


@cache
def load_reader() -> RiskReader:
    """The shipped second reader of risk, which may raise what the rules say.

    Raises:
        ArtifactError: it cannot be used; the message says why.
    """
    return RiskReader.load(shipped(DEFAULT_READER))


def _reason(error: Exception) -> str:
    """What went wrong, without what was written: this goes into logs.

    What an error of another program says may hold the message, and so may a model's answer.
    """
    name = type(error).__name__
    if isinstance(error, UntwistError) and not isinstance(error, ParseError):
        return f"{name}: {redact(str(error))}"
    return name


@cache
def load_draft_reader() -> DraftReader:
    """The shipped reader of drafts, which may stop what the guard's patterns let pass.

    Raises:
        ArtifactError: it cannot be used; the message says why.
    """
    return DraftReader.load(shipped(DEFAULT_DRAFT_READER))


def detect(message: Utterance | str, history: Sequence[Utterance] = ()) -> Assessment:
    """What the shipped detector hears in one message; risk is never below the safety screen's.

    Raises:
        DataError: the message cannot be read.
    """
    utterance = message if isinstance(message, Utterance) else Utterance(message)
    return load_detector().detect(utterance, history)


def reply(
    message: Utterance | str, history: Sequence[Utterance] = (), *, region: str | None = None
) -> Turn:
    """One whole turn with the default engine.

    Raises:
        DataError: the message cannot be read.
        SafetyError: something failed; its message ends with the help block.
    """
    return Engine.default(region=region).turn(message, history)


def running_protocol() -> CrisisProtocol:
    """The protocol of this installation, crisis texts and second reader included."""
    import untwist

    room = files("untwist.respond")
    texts = {
        f"respond/scripts/{locale}/crisis.json": room.joinpath(
            f"scripts/{locale}/crisis.json"
        ).read_bytes()
        for locale in LOCALES
    }
    reader = {
        f"weights/{DEFAULT_READER}/{file.name}": file.read_bytes()
        for file in sorted(shipped(DEFAULT_READER).iterdir())
        if file.suffix in (".json", ".safetensors")
    }
    crisis = open_book("en").crisis
    return crisis_protocol(
        untwist.__version__, {**texts, **reader}, crisis.urgent, crisis.reviewed_by
    )
