"""From corpora to samples: what a tuned model reads and answers is what it will be asked later.

    dialogues  -> diagnosis: `detect`'s question of a message, its labels as the answer
               -> intervention: `reply`'s question for the strategy that was used, the reply as said
    labels     -> `names`' question for the labels that the corpus carries, their names
    chains     -> the same with reasons, the chain that people chose
    triads     -> instruction and input, the output
    worksheets -> `challenge`'s question about an event, the worksheet

Questions and answers are worded by `llm.prompts`, so that the tuned model is read by the reader of
the same prompt. Whatever makes no sample is counted with its reason. Leaves out: replies in a
crisis, for no model writes one; and what a tokenizer does to any of this.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from untwist.data import Record, grouped, near_key
from untwist.errors import DataError, ParseError, SafetyError
from untwist.llm.prompts import (
    Challenge,
    Detect,
    Draft,
    Messages,
    Named,
    Names,
    StrategyReply,
    heard_of,
)
from untwist.llm.prompts.answers import Fields
from untwist.schema import Assessment, Choice, Dialogue, Finding, Grade, Labels, Utterance
from untwist.taxonomy import CANONICAL, Distortion, Risk, Strategy, row
from untwist.text import language
from untwist.tune.examples import Message, Sample

NO_LABELS = "messages without labels"
NO_LANG = "messages in an unknown language"
NO_STRATEGY = "replies without a strategy"
NO_STATE = "replies to messages that nobody labelled in full"
CRISIS = "replies in a crisis: those are fixed texts"
OTHER_LABELS = "chains that lead to other labels than the message has"


@dataclass(frozen=True, slots=True)
class Drafted:
    """A sample before it is known how much of its history fits.

    Attributes:
        group: samples of one group stay on one side when some are held out.
        part: "train", "validation" or "test" where the source says so.
        turns: utterances of the history that can be left out.
        make: the sample without so many of the earliest.
    """

    group: str
    part: str | None
    turns: int
    make: Callable[[int], Sample]

    @property
    def sample(self) -> Sample:
        """The whole sample."""
        return self.make(0)


def fitting(drafted: Drafted, fits: Callable[[Sample], bool]) -> tuple[Sample, int]:
    """The sample with as much of its history as fits, and how many turns were left out.

    When it does not fit without any history either, it comes without: whoever encodes it says so.
    """
    for dropped in range(drafted.turns):
        sample = drafted.make(dropped)
        if fits(sample):
            return sample, dropped
    return drafted.make(drafted.turns), drafted.turns


def from_dialogues(
    dialogues: Sequence[Dialogue],
    taxonomy: str,
    left_out: Counter[str],
    augmented: Sequence[Dialogue] = (),
) -> Iterator[Drafted]:
    """Both streams of dialogues, turn by turn.

    Args:
        dialogues: with labels of the person's messages and strategies of the replies.
        taxonomy: whose labels the diagnosis names.
        left_out: grows by what makes no sample, with the reason.
        augmented: the rows of `untwist generate enhance`: of each the last reply alone is learned,
            for the rest stands in the dialogue that it was made of.
    """
    groups = grouped([*dialogues, *augmented])
    turns = [
        (one, place, group, made)
        for one, group, made in zip(
            [*dialogues, *augmented],
            groups,
            [False] * len(dialogues) + [True] * len(augmented),
            strict=True,
        )
        for place in range(len(one.utterances))[-1 if made else 0 :]
    ]
    for dialogue, place, group, made in turns:
        try:
            if dialogue.utterances[place].role == "assistant":
                yield _intervention(dialogue, place, group, made)
            elif not made:
                yield _diagnosis(dialogue, place, group, taxonomy)
            else:
                raise DataError("rows of a policy that end without a reply")
        except DataError as error:
            left_out[str(error)] += 1


def without_replaced(samples: Sequence[Sample]) -> list[Sample]:
    """The samples without those replies whose place a policy's reply takes (CogBiasESC-PRO)."""
    better = {sample.id.removesuffix(_AUGMENTED) for sample in samples if sample.augmented}
    return [s for s in samples if s.augmented or s.id.removesuffix(_REPLY) not in better]


_REPLY, _AUGMENTED = "/reply", "/policy"


def _diagnosis(dialogue: Dialogue, place: int, group: str, taxonomy: str) -> Drafted:
    """What one message carries.

    Raises:
        DataError: its labels make no answer.
    """
    utterance, labels = dialogue.utterances[place], dialogue.labels[place]
    if labels is None or labels.distortions is None:
        raise DataError(NO_LABELS)
    if utterance.lang is None:
        raise DataError(NO_LANG)
    prompt = Detect(utterance.lang, taxonomy)
    target = prompt.render(heard_of(utterance.text, labels, taxonomy))
    history = dialogue.utterances[:place]

    def make(dropped: int) -> Sample:
        asked = prompt.messages(utterance.text, history[dropped:])
        return Sample(f"{_turn(dialogue, place)}/labels", "diagnosis", _said(asked), target)

    return Drafted(group, dialogue.split, place, make)


def _intervention(dialogue: Dialogue, place: int, group: str, augmented: bool) -> Drafted:
    """One reply.

    Raises:
        DataError: nobody said which strategy it carries out or what it answers, or it is one that
            no model may write.
    """
    own = dialogue.labels[place]
    if own is None or own.strategy is None:
        raise DataError(NO_STRATEGY)
    if not place or dialogue.utterances[place - 1].role != "user":
        raise DataError("replies that answer no message")
    found = _assessment(dialogue.utterances[place - 1], dialogue.labels[place - 1])
    choice = _choice(own.strategy, found)
    prompt = StrategyReply(found.utterance.lang or "en")
    target = prompt.render(Draft(dialogue.utterances[place].text))
    history = dialogue.utterances[: place - 1]
    # enhanced dialogues are named after the turn that they end in
    stem = _name(dialogue) if augmented else _turn(dialogue, place - 1)
    id = stem + (_AUGMENTED if augmented else _REPLY)
    try:
        prompt.messages(choice, found)
    except SafetyError as error:
        raise DataError(CRISIS) from error

    def make(dropped: int) -> Sample:
        asked = prompt.messages(choice, found, history[dropped:])
        return Sample(id, "intervention", _said(asked), target, augmented)

    return Drafted(group, dialogue.split, len(history), make)


def _assessment(utterance: Utterance, labels: Labels | None) -> Assessment:
    """What people say of a message, as what a detector would have said.

    Raises:
        DataError: they did not say all of it.
    """
    if labels is None or labels.distortions is None or labels.risk is None:
        raise DataError(NO_STATE)
    if utterance.lang is None:
        raise DataError(NO_LANG)
    spans = {finding.distortion: finding for finding in reversed(labels.evidence)}
    findings = tuple(spans.get(d, Finding(d, 1.0)) for d in Distortion if d in labels.distortions)
    intensity = labels.intensity if findings else None
    return Assessment(utterance, findings, intensity, labels.risk, labels.acuity, (), "labels")


def _choice(strategy: Strategy, found: Assessment) -> Choice:
    """The strategy and the distortion that it suits best, as the matrix has it; else none."""
    grades: tuple[tuple[Grade, Callable[[Distortion], Sequence[Strategy]]], ...] = (
        ("gold", lambda d: (row(d).gold,)),
        ("silver", lambda d: row(d).silver),
    )
    canonical = [f.distortion for f in found.findings if f.distortion in CANONICAL]
    for grade, suits in grades:
        for distortion in canonical:
            if strategy in suits(distortion):
                return Choice(strategy, distortion, grade, "labels")
    return Choice(strategy, None, "safety" if found.risk is Risk.HIGH else "validation", "labels")


def from_labels(dialogues: Sequence[Dialogue], left_out: Counter[str]) -> Iterator[Drafted]:
    """Each labelled message: which of the labels that its corpus carries it shows.

    Args:
        dialogues: of one corpus or several, mixed as they come.
        left_out: grows by what makes no sample, with the reason.
    """
    for dialogue, group in zip(dialogues, grouped(dialogues), strict=True):
        for place, utterance in enumerate(dialogue.utterances):
            labels = dialogue.labels[place]
            if utterance.role != "user":
                continue
            if labels is None or labels.distortions is None:
                left_out[NO_LABELS] += 1
            elif utterance.lang is None:
                left_out[NO_LANG] += 1
            else:
                prompt = Names(utterance.lang, labels.carried)
                target = prompt.render(Named(tuple(labels.distortions)))
                messages = prompt.messages(utterance.text)
                id = _turn(dialogue, place) if place else _name(dialogue)
                yield _plain(id, group, dialogue.split, messages, target)


def from_chains(dialogues: Sequence[Dialogue], left_out: Counter[str]) -> Iterator[Drafted]:
    """A message and the reasoning that an expert chose for it (CrossLinCD 5.2.2).

    A chain whose last line names other labels than the message has is left out.

    Args:
        dialogues: `untwist generate chains`' after people chose: a message, then its chain.
        left_out: grows by what makes no sample, with the reason.
    """
    for dialogue, group in zip(dialogues, grouped(dialogues), strict=True):
        roles = [utterance.role for utterance in dialogue.utterances]
        labels = dialogue.labels[0]
        if roles != ["user", "assistant"]:
            left_out["dialogues that are no message with its chain"] += 1
            continue
        asked, chain = dialogue.utterances
        if labels is None or labels.distortions is None:
            left_out[NO_LABELS] += 1
            continue
        if asked.lang is None:
            left_out[NO_LANG] += 1
            continue
        prompt = Names(asked.lang, labels.carried, reasons=True)
        try:
            found = prompt.parse(chain.text)
        except ParseError:
            left_out["chains whose last line names no labels"] += 1
            continue
        if frozenset(found.distortions) != labels.distortions:
            left_out[OTHER_LABELS] += 1
            continue
        messages = prompt.messages(asked.text)
        yield _plain(_name(dialogue), group, dialogue.split, messages, prompt.render(found))


def from_triads(
    records: Iterable[Record], system: str, left_out: Counter[str], source: str
) -> Iterator[Drafted]:
    """Rows of instruction, input and output; history and system where they have them (Alpaca).

    Instruction and input are one message, as LLaMA-Factory joins them.

    Args:
        records: the rows.
        system: for rows that have none of their own; "" adds none.
        left_out: grows by what makes no sample, with the reason.
        source: of the rows; begins the ids of their samples.
    """
    for record in records:
        try:
            sample = _triad(record, source, system)
        except DataError as error:
            left_out[str(error)] += 1
            continue
        key = near_key(sample.turns[-1].content)
        yield Drafted(key, record.data.get("split"), 0, _always(sample))


def _triad(record: Record, source: str, system: str) -> Sample:
    data = record.data
    asked = "\n".join(part for key in ("instruction", "input") if (part := _text(data, key)))
    answer = _text(data, "output")
    if not asked or not answer:
        raise DataError("rows without instruction or output")
    told = _text(data, "system") or system
    turns = [Message("system", told)] if told else []
    for pair in data.get("history") or ():
        if not isinstance(pair, list) or [type(one) for one in pair] != [str, str]:
            raise DataError("rows whose history is no list of pairs")
        turns += [Message("user", pair[0]), Message("assistant", pair[1])]
    messages = (*turns, Message("user", asked))
    return Sample(_id(record, source), "plain", messages, answer)


def _id(record: Record, source: str) -> str:
    return f"{source}:{record.data.get('id') or f'row-{record.line}'}"


def from_worksheets(
    records: Iterable[Record], taxonomy: str, left_out: Counter[str], source: str
) -> Iterator[Drafted]:
    """Rows of `untwist generate scenarios`: an event, and a worksheet for it (CBTLlama 3.1.2).

    Args:
        records: the rows.
        taxonomy: whose labels the worksheets use.
        left_out: grows by what makes no sample, with the reason.
        source: of the rows; begins the ids of their samples.
    """
    for record in records:
        sheet, told = record.data.get("worksheet"), _text(record.data, "text")
        lang = record.data.get("lang") or language(told)
        if not isinstance(sheet, dict) or not told or lang not in {"en", "zh"}:
            left_out["rows without an event or a worksheet"] += 1
            continue
        prompt = Challenge(lang, taxonomy)
        try:
            value = prompt.read(Fields(sheet, ""))
        except (DataError, ParseError):
            left_out[f"rows whose worksheet is none of {taxonomy}"] += 1
            continue
        group = str(record.data.get("group") or near_key(told))
        messages = prompt.messages(told)
        yield _plain(
            _id(record, source), group, record.data.get("split"), messages, prompt.render(value)
        )


def _text(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key) or ""
    if not isinstance(value, str):
        raise DataError(f"rows whose {key} is no text")
    return value


def _plain(id: str, group: str, part: str | None, asked: Messages, target: str) -> Drafted:
    return Drafted(group, part, 0, _always(Sample(id, "plain", _said(asked), target)))


def _always(sample: Sample) -> Callable[[int], Sample]:
    return lambda _: sample


def _said(messages: Messages) -> tuple[Message, ...]:
    return tuple(Message(cast("Any", one["role"]), one["content"]) for one in messages)


def _name(dialogue: Dialogue) -> str:
    return f"{dialogue.corpus}:{dialogue.id}"


def _turn(dialogue: Dialogue, place: int) -> str:
    return f"{_name(dialogue)}#{place + 1}"
