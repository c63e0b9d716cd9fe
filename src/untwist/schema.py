"""The values that move through the house: frozen, typed, and written as JSON in one way.

    text -> Utterance -> Assessment (+ Session) -> Choice -> Reply -> Verdict -> Turn

A value is made in one room and read in the next; no room changes one. `None` means "not known".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from untwist.errors import DataError
from untwist.taxonomy import Acuity, Distortion, Intensity, Lang, Risk, Strategy
from untwist.text import language, require_text

Role = Literal["user", "assistant"]
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Utterance:
    """Something that one person (or program) wrote.

    Attributes:
        text: as it was written; never empty, at most `untwist.text.MAX_CHARS` characters.
        lang: "en" or "zh"; told from the script when not given; None when it is neither.
        id: the caller's name for it.
        role: "user" for the person, "assistant" for the program.

    Raises:
        DataError: the text cannot be read.
    """

    text: str
    lang: Lang | None = None
    id: str | None = None
    role: Role = "user"

    def __post_init__(self) -> None:
        require_text(self.text)
        if self.lang is None:
            object.__setattr__(self, "lang", language(self.text))
        elif self.lang not in ("en", "zh"):
            raise DataError(f'lang is "{self.lang}"; give "en" or "zh", or leave it out')
        if self.role not in ("user", "assistant"):
            raise DataError(f'role is "{self.role}"; give "user" or "assistant"')

    def to_dict(self) -> Json:
        """As JSON values."""
        return {"id": self.id, "text": self.text, "lang": self.lang, "role": self.role}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Utterance:
        """From JSON values."""
        return cls(data["text"], data.get("lang"), data.get("id"), data.get("role") or "user")


@dataclass(frozen=True, slots=True)
class Finding:
    """One distortion in one text.

    Attributes:
        distortion: which.
        score: the detector's probability, 0 to 1.
        start: first character of the evidence in the utterance's text; None when there is no span.
        end: one past the last character of the evidence; None when there is no span.
    """

    distortion: Distortion
    score: float
    start: int | None = None
    end: int | None = None

    def to_dict(self) -> Json:
        """As JSON values; the score is rounded to four places."""
        return {
            "distortion": self.distortion.value,
            "score": round(self.score, 4),
            "start": self.start,
            "end": self.end,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Finding:
        """From JSON values."""
        return cls(
            Distortion(data["distortion"]), data["score"], data.get("start"), data.get("end")
        )


@dataclass(frozen=True, slots=True)
class Screening:
    """What the safety floor says of one message in its conversation.

    Attributes:
        level: for comparison between systems; never shown to the writer.
        acuity: what kind of danger, in the order of `Acuity`.
        reasons: ids of the rules that spoke.
    """

    level: Risk
    acuity: tuple[Acuity, ...] = ()
    reasons: tuple[str, ...] = ()

    def to_dict(self) -> Json:
        """As JSON values."""
        return {
            "level": self.level.value,
            "acuity": [a.value for a in self.acuity],
            "reasons": list(self.reasons),
        }


@dataclass(frozen=True, slots=True)
class Assessment:
    """What detection says of one utterance.

    Attributes:
        utterance: of what.
        findings: distortions found, highest score first; empty means none was found.
        intensity: how strongly they are held; None means not judged, never "mild by default".
        risk: the higher of the screen's and the detector's; nothing may lower it.
        acuity: the screen's kinds of danger.
        reasons: ids of the screen's rules that spoke.
        detector: which model, which version.
    """

    utterance: Utterance
    findings: tuple[Finding, ...]
    intensity: Intensity | None
    risk: Risk
    acuity: tuple[Acuity, ...]
    reasons: tuple[str, ...]
    detector: str

    def to_dict(self) -> Json:
        """As JSON values, the utterance included."""
        return {
            "utterance": self.utterance.to_dict(),
            "findings": [f.to_dict() for f in self.findings],
            "intensity": self.intensity.value if self.intensity else None,
            "risk": self.risk.value,
            "acuity": [a.value for a in self.acuity],
            "reasons": list(self.reasons),
            "detector": self.detector,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Assessment:
        """From JSON values."""
        return cls(
            Utterance.from_dict(data["utterance"]),
            tuple(Finding.from_dict(f) for f in data["findings"]),
            Intensity(data["intensity"]) if data["intensity"] else None,
            Risk(data["risk"]),
            tuple(Acuity(a) for a in data["acuity"]),
            tuple(data["reasons"]),
            data["detector"],
        )


@dataclass(frozen=True, slots=True)
class Session:
    """What has happened in a conversation before the message that is to be answered.

    Attributes:
        turn: how many messages of the person came before this one; 0 for the first.
        used: the strategies already carried out, oldest first.
        response: how the person answered the last of them, from -1 (worse) to 1 (better); None
            when it is not known.

    Raises:
        DataError: a value is out of its range.
    """

    turn: int = 0
    used: tuple[Strategy, ...] = ()
    response: float | None = None

    def __post_init__(self) -> None:
        if self.turn < 0:
            raise DataError(f"turn is {self.turn}: it counts from 0")
        if len(self.used) > self.turn:
            raise DataError(f"{len(self.used)} strategies were used in {self.turn} earlier turns")
        if self.response is not None and not -1 <= self.response <= 1:
            raise DataError(f"response is {self.response}: it lies between -1 and 1")

    def to_dict(self) -> Json:
        """As JSON values."""
        return {
            "turn": self.turn,
            "used": [strategy.value for strategy in self.used],
            "response": self.response,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Session:
        """From JSON values."""
        return cls(data["turn"], tuple(Strategy(s) for s in data["used"]), data["response"])


START = Session()
"""A conversation that begins with this message."""

Grade = Literal["gold", "silver", "validation", "safety"]


@dataclass(frozen=True, slots=True)
class Choice:
    """The strategy for the next reply, and why.

    Attributes:
        strategy: what the speaker will do.
        target: the distortion it is for; None when it is for the person and not for a thought.
        grade: gold or silver match of the matrix, "validation" without a target, "safety" at high
            risk.
        policy: which policy, which version.
    """

    strategy: Strategy
    target: Distortion | None
    grade: Grade
    policy: str

    def to_dict(self) -> Json:
        """As JSON values."""
        return {
            "strategy": self.strategy.value,
            "target": self.target.value if self.target else None,
            "grade": self.grade,
            "policy": self.policy,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Choice:
        """From JSON values."""
        target = Distortion(data["target"]) if data["target"] else None
        return cls(Strategy(data["strategy"]), target, data["grade"], data["policy"])


@dataclass(frozen=True, slots=True)
class Step:
    """Where a conversation stands after a reply, so that the next one can go on from there.

    Attributes:
        protocol: the name of the protocol's file, or "frame" for the skeleton around it.
        name: the step that was asked; in a branch, the step that is still open.
        strategy: which is being carried out.
        target: the distortion that is worked on; None while the person is listened to.
        thought: the person's words that are kept in view; None when they cannot be quoted.
        branch: what the reply did instead of asking the step; None when it asked it.
    """

    protocol: str
    name: str
    strategy: Strategy
    target: Distortion | None = None
    thought: str | None = None
    branch: str | None = None

    def to_dict(self) -> Json:
        """As JSON values."""
        return {
            "protocol": self.protocol,
            "name": self.name,
            "strategy": self.strategy.value,
            "target": self.target.value if self.target else None,
            "thought": self.thought,
            "branch": self.branch,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Step:
        """From JSON values."""
        return cls(
            data["protocol"],
            data["name"],
            Strategy(data["strategy"]),
            Distortion(data["target"]) if data.get("target") else None,
            data.get("thought"),
            data.get("branch"),
        )


@dataclass(frozen=True, slots=True)
class Reply:
    """What is said to the person.

    Attributes:
        text: as it will be shown.
        lang: its language.
        strategy: the strategy it carries out.
        parts: which of its parts it holds: the five CBT parts (CBT-LLM Fig. 3) or the parts of the
            crisis contract.
        responder: which responder, which version.
        step: where a conversation stands with it; None outside of one, and in the crisis contract.
    """

    text: str
    lang: Lang
    strategy: Strategy
    parts: tuple[str, ...]
    responder: str
    step: Step | None = None

    def to_dict(self) -> Json:
        """As JSON values; "step" is there only when there is one."""
        step = {"step": self.step.to_dict()} if self.step else {}
        return {
            "text": self.text,
            "lang": self.lang,
            "strategy": self.strategy.value,
            "parts": list(self.parts),
            "responder": self.responder,
            **step,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Reply:
        """From JSON values."""
        step = Step.from_dict(data["step"]) if data.get("step") else None
        return cls(
            data["text"],
            data["lang"],
            Strategy(data["strategy"]),
            tuple(data["parts"]),
            data["responder"],
            step,
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the guard says of a draft reply.

    Attributes:
        passed: True when no rule is broken.
        rules: ids of the broken rules.
    """

    passed: bool
    rules: tuple[str, ...] = ()

    def to_dict(self) -> Json:
        """As JSON values."""
        return {"verdict": "pass" if self.passed else "fail", "rules": list(self.rules)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Verdict:
        """From JSON values."""
        return cls(data["verdict"] == "pass", tuple(data["rules"]))


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a responder says that has read its own draft.

    Attributes:
        reply: what is to be said, whoever found the words.
        verdict: on the draft; where it failed, `reply` is what is said in its place.
    """

    reply: Reply
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Turn:
    """One whole turn, the only record format.

    Attributes:
        assessment: what was heard.
        choice: what was chosen.
        reply: what was said.
        verdict: what the guard said of the draft.
        replaced: True when the draft failed and a fixed text was said in its place.
        versions: which part had which version.
    """

    assessment: Assessment
    choice: Choice
    reply: Reply
    verdict: Verdict
    replaced: bool = False
    versions: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> Json:
        """As JSON values."""
        return {
            "assessment": self.assessment.to_dict(),
            "choice": self.choice.to_dict(),
            "reply": self.reply.to_dict(),
            "verdict": self.verdict.to_dict(),
            "replaced": self.replaced,
            "versions": dict(self.versions),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Turn:
        """From JSON values.

        Raises:
            DataError: the record is not a turn.
        """
        try:
            return cls(
                Assessment.from_dict(data["assessment"]),
                Choice.from_dict(data["choice"]),
                Reply.from_dict(data["reply"]),
                Verdict.from_dict(data["verdict"]),
                data["replaced"],
                data["versions"],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"not a turn record: {error!r}") from error


@dataclass(frozen=True, slots=True)
class Labels:
    """What annotators said of one utterance.

    Attributes:
        distortions: the labels; empty means "no distortion"; None means not annotated.
        carried: the labels that the corpus can carry at all (its mask, CrossLinCD 5.3).
        intensity: None means not judged.
        risk: None means not judged.
        acuity: kinds of danger.
        evidence: findings with spans and score 1.
        strategy: what a helper should do about a person's words, or did in words of its own.
        challenges: for a distortion, words that ask the person to look at the thought again
            (CBTLlama 3.1.2); in the order of `Distortion`.
    """

    distortions: frozenset[Distortion] | None
    carried: frozenset[Distortion]
    intensity: Intensity | None = None
    risk: Risk | None = None
    acuity: tuple[Acuity, ...] = ()
    evidence: tuple[Finding, ...] = ()
    strategy: Strategy | None = None
    challenges: tuple[tuple[Distortion, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Utterances in order, with the labels of those that were annotated.

    Attributes:
        id: unique within its corpus.
        corpus: the name of the corpus.
        utterances: in the order of speaking; a single message is a dialogue of one.
        labels: one entry per utterance; None where there is no annotation.
        group: items that must stay on one side of a split (persona, source question,
            near-duplicates).
        split: the published part, when the corpus has one.
    """

    id: str
    corpus: str
    utterances: tuple[Utterance, ...]
    labels: tuple[Labels | None, ...]
    group: str
    split: str | None = None

    def __post_init__(self) -> None:
        if len(self.utterances) != len(self.labels):
            raise DataError(
                f"{self.corpus} {self.id}: {len(self.utterances)} utterances "
                f"but {len(self.labels)} labels"
            )
