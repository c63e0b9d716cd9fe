"""Labels for what people wrote, by the votes of several models or of several samples of one.

    dialogue -> (sift) -> its seeker turns -> votes -> labels, or the disagreement queue

Source: CoPoLLM 3.1 and its annotation task; labels are of the turn alone, only the risk may lean on
what was said before. Departures: the first pass never takes away a dialogue in which the safety
screen or a person hears a medium risk or more, nor one about which its call failed; a tie is not
broken; the risk that a person gave is a floor, as the screen's is; a turn whose call failed stays
"not annotated" in its dialogue.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from untwist.errors import DataError
from untwist.generate.asking import Asking, Question, Voter
from untwist.generate.gate import Draft, Said, faults, name_of
from untwist.generate.journal import Entry, Item
from untwist.generate.pipeline import Pipeline, heard, lang_of, question, risk_floor, said
from untwist.generate.provenance import DONE, KEY, Call, provenance
from untwist.generate.votes import Count, Vote, count
from untwist.llm.prompts.annotate import Annotate as AnnotatePrompt
from untwist.llm.prompts.annotate import Annotation
from untwist.llm.prompts.labels import distortions_of, labels_of
from untwist.llm.prompts.quotes import locate
from untwist.llm.prompts.sift import Sift as SiftPrompt
from untwist.safety import redact, screen
from untwist.schema import Dialogue, Finding, Json, Labels, Utterance
from untwist.taxonomy import Risk

TAXONOMY = "untwist-12"


@dataclass(frozen=True)
class Sift(Pipeline):
    """Whether a dialogue is worth annotating at all.

    Attributes:
        voter: whoever is asked.
        taxonomy: whose labels count.
    """

    voter: Voter
    taxonomy: str = TAXONOMY

    @property
    def name(self) -> str:
        """See `Pipeline.name`."""
        return "sift@1"

    async def make(self, value: Mapping[str, Any], asking: Asking) -> Json:
        """Whether it is kept; where the screen or a person hears danger nobody is asked."""
        messages = read_messages(value)
        if value.get("danger") or any(
            screen(one.text, messages[:place]).level >= Risk.MEDIUM
            for place, one in enumerate(messages)
            if one.role == "user"
        ):
            return {"kept": True}
        sifted = await asking.ask(self.voter, self._asking(messages))
        return {"kept": sifted.distorted}

    def questions(self, value: Mapping[str, Any]) -> list[Question[Any]]:
        """One."""
        return [self._asking(read_messages(value))]

    def _asking(self, messages: Sequence[Utterance]) -> Question[Any]:
        prompt = SiftPrompt(lang_of(messages[0]), self.taxonomy)
        return question(prompt, *prompt.messages(messages))


@dataclass(frozen=True)
class Annotate(Pipeline):
    """The votes of one seeker turn.

    Attributes:
        voters: whoever votes, in the order of asking.
        taxonomy: whose labels are asked for.
    """

    voters: tuple[Voter, ...]
    taxonomy: str = TAXONOMY

    @property
    def name(self) -> str:
        """See `Pipeline.name`."""
        return "annotate@1"

    async def make(self, value: Mapping[str, Any], asking: Asking) -> Json:
        """The votes."""
        messages = read_messages(value)
        asked = self._asking(messages)
        votes = []
        for voter in self.voters:
            annotation = await asking.ask(voter, asked)
            votes.append(_vote(annotation, voter, messages[-1].text, self.taxonomy).to_dict())
        return {"votes": votes}

    def questions(self, value: Mapping[str, Any]) -> list[Question[Any]]:
        """One for each voter."""
        return [self._asking(read_messages(value))] * len(self.voters)

    def _asking(self, messages: Sequence[Utterance]) -> Question[Annotation]:
        prompt = AnnotatePrompt(lang_of(messages[-1]), self.taxonomy)
        return question(prompt, *prompt.messages(messages))


def _vote(annotation: Annotation, voter: Voter, text: str, taxonomy: str) -> Vote:
    why = [*(one.why for one in annotation.findings), annotation.rationale]
    return Vote(
        voter=voter.name,
        distortions=distortions_of((one.label for one in annotation.findings), taxonomy),
        intensity=annotation.intensity,
        risk=annotation.risk,
        evidence=tuple(
            Finding(distortion, 1.0, *span)
            for one in annotation.findings
            if (span := locate(one.quote, text)) is not None
            for distortion in labels_of(taxonomy)[one.label]
        ),
        rationale=redact(" ".join(why)),
    )


def turn_id(dialogue: Dialogue, place: int) -> str:
    """The id of the item of one turn; places count from 1."""
    return f"{name_of(dialogue)}#{place}"


def wholes(dialogues: Iterable[Dialogue]) -> Iterator[Item]:
    """One item for each dialogue in which the person says something."""
    for dialogue in dialogues:
        if any(one.role == "user" for one in dialogue.utterances):
            value: Json = {"messages": [said(one) for one in dialogue.utterances]}
            if any(risk_floor(labels) >= Risk.MEDIUM for labels in dialogue.labels):
                value["danger"] = True
            yield Item(name_of(dialogue), value)


def turns(dialogues: Iterable[Dialogue]) -> Iterator[Item]:
    """One item for each message of the person, with what was said before it."""
    for dialogue in dialogues:
        messages = [said(one) for one in dialogue.utterances]
        for place, utterance in enumerate(dialogue.utterances, 1):
            if utterance.role == "user":
                yield Item(turn_id(dialogue, place), {"messages": messages[:place]})


def read_messages(value: Mapping[str, Any]) -> tuple[Utterance, ...]:
    """The messages of an item.

    Raises:
        DataError: it holds none.
    """
    messages = tuple(heard(one) for one in value.get("messages", ()))
    if not messages:
        raise DataError("an item without messages: leave the items as they were made")
    return messages


@dataclass(frozen=True, slots=True)
class Annotated:
    """One dialogue with what the votes came to.

    Attributes:
        draft: with the labels of every turn that has a majority; None when there is no such turn.
        queue: for people: the same dialogue, with the aspects that are open and the votes beside;
            None when nothing is open.
        counts: of each turn that was voted on, with its votes.
        unsaid: how many turns have no rationale that may be written.
    """

    draft: Draft | None
    queue: Draft | None
    counts: tuple[tuple[Count, tuple[Vote, ...]], ...]
    unsaid: int = 0


def annotated(
    dialogue: Dialogue, entries: Mapping[str, Entry], taxonomy: str = TAXONOMY
) -> Annotated:
    """A dialogue and the entries of its turns, put together.

    Args:
        dialogue: as it was given to `turns`; labels that it had are replaced, but the risk that a
            person gave is a floor, as the screen's is.
        entries: by the id of the item; a turn without one, or with a failed one, stays "not
            annotated".
        taxonomy: whose labels were asked for.
    """
    found = {
        place: entries[turn_id(dialogue, place)]
        for place in range(1, len(dialogue.utterances) + 1)
        if turn_id(dialogue, place) in entries
    }
    carried = distortions_of(labels_of(taxonomy), taxonomy)
    counted: dict[int, tuple[Count, tuple[Vote, ...]]] = {}
    for place, entry in found.items():
        if entry.status == DONE and entry.value is not None:
            votes = tuple(Vote.from_dict(vote) for vote in entry.value["votes"])
            text, before = dialogue.utterances[place - 1].text, dialogue.utterances[: place - 1]
            screening, floor = screen(text, before), risk_floor(dialogue.labels[place - 1])
            screening = replace(screening, level=max(screening.level, floor))
            counted[place] = (count(votes, screening, carried), votes)
    return _put_together(dialogue, found, counted)


def _put_together(
    dialogue: Dialogue,
    found: Mapping[int, Entry],
    counted: Mapping[int, tuple[Count, tuple[Vote, ...]]],
) -> Annotated:
    labels: list[Labels | None] = [None] * len(dialogue.utterances)
    rationales: dict[str, str] = {}
    waiting: dict[str, Json] = {}
    for place, (result, votes) in counted.items():
        if result.open:
            told = [_writable(vote).to_dict() for vote in votes]
            waiting[str(place)] = {"aspects": list(result.open), "votes": told}
        else:
            labels[place - 1] = result.labels
            rationales[str(place)] = _rationale(result, votes)
    whole = replace(dialogue, labels=tuple(labels))
    beside = {KEY: _origin(found, waiting)}
    written = {place: words for place, words in rationales.items() if words}
    return Annotated(
        draft=Draft(whole, (), beside | {"rationales": written}) if any(labels) else None,
        queue=Draft(whole, (), beside | {"open": waiting}) if waiting else None,
        counts=tuple(counted.values()),
        unsaid=len(rationales) - len(written),
    )


def _origin(found: Mapping[int, Entry], waiting: Mapping[str, Json]) -> Json:
    calls = [
        Call.from_dict(one) for entry in found.values() for one in entry.provenance.get("calls", ())
    ]
    states = {
        str(place): "open" if str(place) in waiting else entry.reason or entry.status
        for place, entry in found.items()
    }
    return provenance("annotate@1", calls) | {"turns": states}


def _writable(vote: Vote) -> Vote:
    """The vote, without its words where these may not be written."""
    return replace(vote, rationale="") if faults(Said(vote.rationale, "note")) else vote


def _rationale(found: Count, votes: Sequence[Vote]) -> str:
    """The words of the first voter who said what most did, as far as they may be written."""
    agreeing = (vote for vote in votes if vote.distortions == found.labels.distortions)
    safe = (_writable(vote).rationale.strip() for vote in agreeing)
    return next((words for words in safe if words), "")
