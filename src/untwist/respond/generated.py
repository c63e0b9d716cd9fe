"""A language model's words for a step that the scripted responder has chosen, under the guard.

    scripted turn -> question to the model -> stream -> gate -> its words, else the scripted turn

The model decides nothing: which step is taken, what is asked and when it ends are the scripted
responder's. It is not asked at all where the words are fixed: at high risk and after it, wherever
help is named, when the person asks what they talk to, and when the conversation ends.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

from untwist.errors import ConfigError, ModelError, ParseError
from untwist.llm import Model, Request, pieces
from untwist.llm.prompts import NextTurn, TurnAsked
from untwist.ports import ChatModel
from untwist.respond.guard import ReplyGuard
from untwist.respond.replay import progress
from untwist.respond.scripted import HELP_PART, ScriptedResponder
from untwist.respond.state import Progress
from untwist.respond.stream import Gate
from untwist.schema import Assessment, Choice, Reply, Spoken, Turn, Utterance, Verdict
from untwist.taxonomy import Risk, Strategy
from untwist.text import normalize, traditional

FIXED_BRANCHES = frozenset({"question_to_program", "farewell", "stop", "after_close", "worse"})
"""Branches whose words are never a model's."""
MAX_NOTED = 8
"""Most answers of the worksheet that the model is shown, the latest ones."""


def _scripted() -> ScriptedResponder:
    return ScriptedResponder(conversation=True)


@dataclass(frozen=True)
class GeneratedResponder:
    """Satisfies `ports.Responder` and `ports.StreamingResponder`.

    Attributes:
        model: whoever finds the words.
        fallback: chooses every step, and speaks whenever the model does not.
        guard: reads all that the model says before anyone else does.
        deadline: seconds for one answer, from asking to its end.
        turns: most earlier messages, of both, that the model is shown.
        chars: most characters of them.
        max_tokens: of one answer.
        temperature: of sampling.
        seed: of sampling.

    Raises:
        ConfigError: a number is out of range, or the fallback answers with whole replies.
    """

    model: ChatModel | Model
    fallback: ScriptedResponder = field(default_factory=_scripted)
    guard: ReplyGuard = field(default_factory=ReplyGuard.for_generated)
    deadline: float = 20.0
    turns: int = 12
    chars: int = 4_000
    max_tokens: int = 400
    temperature: float = 0.3
    seed: int = 42

    def __post_init__(self) -> None:
        if not self.deadline > 0 or min(self.turns, self.chars, self.max_tokens) < 1:
            raise ConfigError("deadline, turns, chars and max_tokens have to be more than 0")
        if not self.fallback.conversation:
            raise ConfigError("a model speaks one turn at a time: give conversation=True")

    @property
    def name(self) -> str:
        """The model and the version of the question."""
        return f"llm:{self.model.name}/turn@{NextTurn('en').version}"

    def reply(
        self,
        choice: Choice,
        assessment: Assessment,
        history: Sequence[Utterance],
        earlier: Sequence[Turn] = (),
    ) -> Reply:
        """The model's words, or the scripted ones; `Reply.responder` says whose they are."""
        return self.spoken(choice, assessment, history, earlier).reply

    def spoken(
        self,
        choice: Choice,
        assessment: Assessment,
        history: Sequence[Utterance],
        earlier: Sequence[Turn] = (),
    ) -> Spoken:
        """The reply, and what was wrong with the model's draft where it is not the model's."""
        stream = self.stream(choice, assessment, history, earlier)
        while True:
            try:
                next(stream)
            except StopIteration as ended:
                said: Spoken = ended.value
                return said

    def stream(
        self,
        choice: Choice,
        assessment: Assessment,
        history: Sequence[Utterance],
        earlier: Sequence[Turn] = (),
    ) -> Generator[str, None, Spoken]:
        """The sentences of the model that may be shown, as they come; then the reply.

        When the model fails after its first sentences, the reply is the scripted one, and whoever
        showed those sentences takes them back.
        """
        plain = self.fallback.reply(choice, assessment, history, earlier)
        if not _may_speak(plain, assessment):
            return Spoken(plain, Verdict(True))
        gate = Gate(lambda text, whole: self._faults(text, plain, assessment, history, whole))
        answer = pieces(
            self.model, self._request(plain, assessment, history, earlier), self.deadline
        )
        try:
            for piece in answer:
                if shown := gate.feed(piece):
                    yield shown
                if gate.rules:
                    break
            if shown := gate.end():
                yield shown
        except ModelError as error:
            return Spoken(plain, Verdict(False, (f"model:{error.reason or 'failed'}",)))
        finally:
            answer.close()
        if gate.rules:
            return Spoken(plain, Verdict(False, gate.rules))
        return Spoken(_in_words(plain, gate.text, self.name), Verdict(True))

    def _request(
        self,
        plain: Reply,
        assessment: Assessment,
        history: Sequence[Utterance],
        earlier: Sequence[Turn],
    ) -> Request:
        state = progress([*history, assessment.utterance], earlier, self.fallback.scripts)
        target = plain.step.target if plain.step else None
        asked = TurnAsked(plain.text, plain.strategy, target, _noted(state))
        prompt = NextTurn(plain.lang)
        return Request(
            prompt.messages(asked, assessment, bounded(history, self.turns, self.chars)),
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            seed=self.seed,
            prompt=prompt.id,
        )

    def _faults(
        self,
        text: str,
        plain: Reply,
        assessment: Assessment,
        history: Sequence[Utterance],
        whole: bool,
    ) -> tuple[str, ...]:
        """The rules that a beginning breaks; of the whole answer it is asked whether it will do."""
        try:
            NextTurn(plain.lang).parse(text)
        except ParseError as error:
            return (f"model:{error.reason}",)
        draft = _in_words(plain, text, self.name)
        rules = list(self.guard.check(draft, assessment).rules)
        if _other_script(text, plain):
            rules.append("G02")
        if whole and _asks(plain.text) != _asks(text):
            rules.append("G11")
        if whole and _plainly(text) in {_plainly(u.text) for u in history if u.role != "user"}:
            rules.append("G12")
        return tuple(dict.fromkeys(rules))


def _may_speak(plain: Reply, assessment: Assessment) -> bool:
    """Whether a model may find words for a turn at all."""
    return (
        plain.step is not None
        and assessment.risk is not Risk.HIGH
        and plain.strategy is not Strategy.CRISIS_INTERVENTION
        and HELP_PART not in plain.parts
        and plain.step.branch not in FIXED_BRANCHES
    )


def _in_words(plain: Reply, text: str, name: str) -> Reply:
    return Reply(text, plain.lang, plain.strategy, plain.parts, name, plain.step)


def _noted(state: Progress) -> tuple[str, ...]:
    """What the person worked out, the thought first."""
    answers = [text for texts in state.answers.values() for text in texts]
    thought = (state.thought,) if state.thought else ()
    return (*thought, *answers[-MAX_NOTED:])


def bounded(history: Sequence[Utterance], turns: int, chars: int) -> tuple[Utterance, ...]:
    """The latest messages, as many as fit.

    Args:
        history: oldest first.
        turns: most messages.
        chars: most characters of all together.
    """
    kept, left = list[Utterance](), chars
    for utterance in reversed(history[-turns:]):
        left -= len(utterance.text)
        if left < 0:
            break
        kept.append(utterance)
    return tuple(reversed(kept))


def _other_script(text: str, plain: Reply) -> bool:
    """Whether Chinese is in the other kind of characters; most are in both."""
    kinds = {traditional(text), traditional(plain.text)} - {None}
    return plain.lang == "zh" and len(kinds) > 1


def _asks(text: str) -> bool:
    return "?" in normalize(text).text


def _plainly(text: str) -> str:
    return "".join(normalize(text).text.split())
