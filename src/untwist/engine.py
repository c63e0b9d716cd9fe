"""The hall: one conversation turn.

    text -> screen and detect -> gate -> choose -> respond -> guard -> Turn

Rooms meet here and in the recipes, nowhere else. An error anywhere ends in `SafetyError`, which
carries the fixed help block: nobody is told "no risk" because a program failed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from untwist.artifacts import shipped
from untwist.detect import FastDetector
from untwist.errors import SafetyError
from untwist.policy import MatrixPolicy
from untwist.ports import Detector, Guard, Policy, Responder
from untwist.respond import ReplyGuard, ScriptedResponder
from untwist.safety import allowed, help_block
from untwist.schema import Assessment, Choice, Reply, Turn, Utterance
from untwist.taxonomy import Lang, Risk, Strategy

DEFAULT_DETECTOR = "detector-fast-v1"


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
        cls, *, conversation: bool = False, region: str | None = None, locale: Lang | None = None
    ) -> Engine:
        """The shipped detector, the matrix policy and the scripted responder; all offline.

        Args:
            conversation: one part and at most one question per turn, not all five parts at once.
            region: ISO code such as "US" or "CN", for help lines.
            locale: language of the replies; None answers in the language of the message.

        Raises:
            ConfigError: the region is unknown.
        """
        responder = ScriptedResponder(conversation, region, locale)
        guard = ReplyGuard(conversation=conversation)
        return cls(load_detector(), MatrixPolicy(), responder, guard, region)

    def turn(self, message: Utterance | str, history: Sequence[Utterance] = ()) -> Turn:
        """Answer one message in the light of what was said before it.

        Raises:
            DataError: the message cannot be read.
            SafetyError: something failed; its message ends with the help block.
        """
        utterance = message if isinstance(message, Utterance) else Utterance(message)
        try:
            return self._turn(utterance, history)
        except Exception as error:
            block = help_block(utterance.lang or "en", self.region)
            reason = f"{type(error).__name__}: {error}"
            raise SafetyError(f"no reply could be made ({reason}).\n{block}") from error

    def _turn(self, utterance: Utterance, history: Sequence[Utterance]) -> Turn:
        assessment = self.detector.detect(utterance, history)
        choice = self._choose(assessment)
        draft = self.responder.reply(choice, assessment, history)
        verdict = self.guard.check(draft, assessment)
        reply = draft if verdict.passed else self._instead(choice, assessment, history)
        versions = {
            "detector": self.detector.name,
            "policy": self.policy.name,
            "responder": self.responder.name,
        }
        return Turn(assessment, choice, reply, verdict, not verdict.passed, versions)

    def _choose(self, assessment: Assessment) -> Choice:
        """The policy's choice, unless it breaks the gate: then the gate chooses."""
        may = allowed(assessment.risk)
        choice = self.policy.choose(assessment, may)
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
        text = help_block(lang, self.region)
        return Reply(text, lang, choice.strategy, ("help_block",), "help-block@1")


def load_detector(name: str = "fast") -> Detector:
    """A detector by name or folder.

    Args:
        name: "fast" for the shipped one, else the path of a model folder.

    Raises:
        ArtifactError: there is no usable model there.
    """
    return _shipped_detector() if name == "fast" else FastDetector.load(Path(name))


@cache
def _shipped_detector() -> FastDetector:
    return FastDetector.load(shipped(DEFAULT_DETECTOR))


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
