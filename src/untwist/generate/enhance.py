"""Replies that carry out the strategy a policy chose, in place of those a dialogue has.

    seeker turn + labels -> policy -> strategy -> model -> guard -> drafts -> people

Source: CoPoLLM 3.3, CogBiasESC-PRO. Departures: a turn of the highest risk gets the fixed reply of
the crisis contract, which no model writes; the context is the dialogue as it was, so a failed turn
spoils no other; a draft that the guard stops is written again, a few times, and then refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from untwist.data import Triple
from untwist.errors import DataError
from untwist.generate.asking import ANOTHER, Asking, Question, Voter
from untwist.generate.gate import Draft, Said, name_of
from untwist.generate.journal import Entry, Item
from untwist.generate.pipeline import Pipeline, heard, lang_of, question, risk_floor, said
from untwist.generate.provenance import KEY, provenance
from untwist.llm.prompts import StrategyReply
from untwist.ports import Detector, Guard, Policy, Responder
from untwist.safety import allowed, redact, screen
from untwist.schema import (
    Assessment,
    Choice,
    Dialogue,
    Finding,
    Json,
    Labels,
    Reply,
    Session,
    Utterance,
)
from untwist.taxonomy import CANONICAL, Distortion, Lang, Risk, Strategy

NAME = "enhance@1"
DRAFTS = 3
"""Drafts that are written at most before the guard's word stands."""
FIXED = "fixed"
"""What the provenance of a reply of the crisis contract names as its model."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of the person with everything that its reply needs.

    Attributes:
        id: unique among all turns.
        dialogue: it stands in.
        place: of the message in the dialogue, from 1.
        assessment: of the message.
        choice: of the policy.
    """

    id: str
    dialogue: Dialogue
    place: int
    assessment: Assessment
    choice: Choice

    @property
    def history(self) -> tuple[Utterance, ...]:
        """What was said before it, by both."""
        return self.dialogue.utterances[: self.place - 1]

    @property
    def fixed(self) -> bool:
        """Whether the reply is a fixed text."""
        crisis = self.choice.strategy is Strategy.CRISIS_INTERVENTION
        return crisis or self.assessment.risk is Risk.HIGH


def assessed(dialogue: Dialogue, place: int, detector: Detector) -> Assessment:
    """What people, or else the detector, say of one message.

    The risk is never below what the screen, or a person, says; whoever judges the distortions.

    Args:
        dialogue: in which it stands.
        place: of the message, from 1.
        detector: asked where the distortions of the message are not judged.
    """
    utterance, labels = dialogue.utterances[place - 1], dialogue.labels[place - 1]
    before = dialogue.utterances[: place - 1]
    if labels is None or labels.distortions is None:
        found = detector.detect(utterance, before)
        return replace(found, risk=max(found.risk, risk_floor(labels)))
    screening = screen(utterance.text, before)
    spans = {finding.distortion: finding for finding in reversed(labels.evidence)}
    findings = tuple(spans.get(d, Finding(d, 1.0)) for d in Distortion if d in labels.distortions)
    return Assessment(
        utterance,
        findings,
        labels.intensity,
        max(screening.level, risk_floor(labels)),
        screening.acuity,
        screening.reasons,
        "labels",
    )


SessionOf = Callable[[Sequence[Assessment], Sequence[Strategy]], Session]
"""The session before a message, from all that was heard up to it and the strategies used."""


def seeker_turns(
    dialogues: Sequence[Dialogue], policy: Policy, detector: Detector, session_of: SessionOf
) -> Iterator[Turn]:
    """Every message of the person with the policy's choice for it.

    Args:
        dialogues: with what people said of them, where they did.
        policy: chooses.
        detector: hears messages whose distortions nobody judged.
        session_of: what the policy may know of the conversation; that of training and service.
            A strategy was used when people say so of a reply, else when the policy chose it.
    """
    for dialogue in dialogues:
        so_far: list[Assessment] = []
        used: list[Strategy] = []
        for place, utterance in enumerate(dialogue.utterances, 1):
            if utterance.role != "user":
                continue
            found = assessed(dialogue, place, detector)
            so_far.append(found)
            choice = policy.choose(found, allowed(found.risk), session_of(so_far, used))
            used.append(_said_next(dialogue, place) or choice.strategy)
            yield Turn(f"{name_of(dialogue)}#{place}", dialogue, place, found, choice)


def _said_next(dialogue: Dialogue, place: int) -> Strategy | None:
    """The strategy of the reply that a message has in its dialogue; None where nobody judged it."""
    after = dialogue.utterances[place : place + 1]
    labels = dialogue.labels[place] if after and after[0].role == "assistant" else None
    return labels.strategy if labels else None


@dataclass(frozen=True)
class Enhance(Pipeline):
    """The reply to one turn.

    Attributes:
        voters: whoever writes, one item each in turn.
        guard: reads every draft.
        drafts: how many are written at most.
    """

    voters: tuple[Voter, ...]
    guard: Guard
    drafts: int = DRAFTS

    @property
    def name(self) -> str:
        """See `Pipeline.name`."""
        return NAME

    async def make(self, value: Mapping[str, Any], asking: Asking) -> Json:
        """The first draft that the guard lets pass, and the rules that stopped those before it."""
        assessment = Assessment.from_dict(value["assessment"])
        choice, lang = Choice.from_dict(value["choice"]), lang_of(assessment.utterance)
        voter, asked = self.voters[value["place"] % len(self.voters)], _asking(value)
        stopped: list[list[str]] = []
        for attempt in range(self.drafts):
            again = replace(voter, seed=voter.seed + 7 * attempt * ANOTHER)
            text = redact((await asking.ask(again, asked)).reply)
            reply = Reply(text, lang, choice.strategy, (), voter.model.name)
            verdict = self.guard.check(reply, assessment)
            if verdict.passed:
                return {"reply": text, "stopped": stopped}
            stopped.append(list(verdict.rules))
        return {"reply": None, "stopped": stopped}

    def questions(self, value: Mapping[str, Any]) -> list[Question[Any]]:
        """One: how many drafts the guard stops is not known before."""
        return [_asking(value)]


def _asking(value: Mapping[str, Any]) -> Question[Any]:
    assessment = Assessment.from_dict(value["assessment"])
    prompt = StrategyReply(lang_of(assessment.utterance))
    history = [heard(one) for one in value["history"]]
    choice = Choice.from_dict(value["choice"])
    return question(prompt, *prompt.messages(choice, assessment, history))


def reply_items(turns: Sequence[Turn]) -> Iterator[Item]:
    """One item for each turn whose reply a model writes."""
    for place, turn in enumerate(one for one in turns if not one.fixed):
        yield Item(
            turn.id,
            {
                "place": place,
                "assessment": turn.assessment.to_dict(),
                "choice": turn.choice.to_dict(),
                "history": [said(one) for one in turn.history],
            },
        )


def enhanced(turn: Turn, entry: Entry) -> Draft:
    """The draft of a finished item: the dialogue up to the turn, then the reply.

    Raises:
        DataError: the item failed.
    """
    if entry.value is None:
        raise DataError(f"{entry.id} failed and makes no draft")
    text, stopped = entry.value["reply"], entry.value["stopped"]
    rules = " ".join(sorted({rule for one in stopped for rule in one}))
    told = {KEY: dict(entry.provenance), "stopped": stopped}
    if text is None:
        unsaid = replace(turn.dialogue, id=_id(turn))
        return Draft(unsaid, (), told, refusal=f"guard: {rules}")
    risk, asked = turn.assessment.risk, turn.assessment.utterance
    lang: Lang = lang_of(asked)
    words = Said(text, "reply", lang, risk, asked.text)
    return Draft(_exchange(turn, text), (words,), _beside(turn) | told, own=text)


def fixed_reply(turn: Turn, responder: Responder) -> Draft:
    """The draft of a turn whose reply is a fixed text; the same text may stand in many rows."""
    reply = responder.reply(turn.choice, turn.assessment, turn.history)
    told = provenance(NAME, ()) | {"model": FIXED, "prompt": reply.responder}
    return Draft(_exchange(turn, reply.text), (), _beside(turn) | {KEY: told, "stopped": []})


def _id(turn: Turn) -> str:
    return f"{turn.dialogue.id}#{turn.place}"


def _beside(turn: Turn) -> Json:
    found = turn.assessment
    return {
        "choice": turn.choice.to_dict(),
        "heard": {
            "by": found.detector,
            "labels": [finding.distortion.value for finding in found.findings],
            "intensity": found.intensity.value if found.intensity else None,
            "risk": found.risk.value,
        },
    }


def _exchange(turn: Turn, reply: str) -> Dialogue:
    """The dialogue up to the turn, with its labels, then the reply with its strategy."""
    whole, found = turn.dialogue, turn.assessment
    answer = Utterance(reply, lang_of(found.utterance), None, "assistant")
    own = Labels(None, frozenset(CANONICAL), strategy=turn.choice.strategy)
    return replace(
        whole,
        id=_id(turn),
        utterances=(*turn.history, replace(whole.utterances[turn.place - 1], id=None), answer),
        labels=(*whole.labels[: turn.place], own),
    )


def triple(turn: Turn, draft: Draft) -> Triple:
    """An exchange as a triple that people rate (CoPoLLM C.4), with no vote yet."""
    found = turn.assessment
    return Triple(
        id=_id(turn),
        lang=lang_of(found.utterance),
        group=turn.dialogue.group,
        utterance=found.utterance,
        distortions=frozenset(finding.distortion for finding in found.findings),
        intensity=found.intensity,
        risk=found.risk,
        strategy=turn.choice.strategy,
        reply=draft.dialogue.utterances[-1].text,
        votes=(),
        scores={},
        written_by=str(draft.beside[KEY]["model"]),
    )
