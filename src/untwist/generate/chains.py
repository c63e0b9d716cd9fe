"""Two reasoning chains for every labelled message; an expert chooses the better one.

    labelled message -> two chains that lead to its labels -> drafts -> people

Source: CrossLinCD 3, "Reasoning chain annotation". A chain that gives reasons for other labels than
the message has is of no use: it is asked for again, and then the item fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from untwist.data import near_key
from untwist.data.convert.wording import answer
from untwist.errors import ConfigError, DataError, ParseError
from untwist.generate.asking import Asking, Question, Voter
from untwist.generate.gate import Draft, Said, name_of
from untwist.generate.journal import Entry, Item
from untwist.generate.pipeline import Pipeline, heard, lang_of, question, said
from untwist.generate.provenance import KEY
from untwist.llm.prompts import Because, Chain, ReasoningChain, labels_for, labels_of
from untwist.safety import redact
from untwist.schema import Dialogue, Json
from untwist.taxonomy import Distortion, Lang

TAXONOMY = "untwist-12"
CANDIDATES = 2
"""Chains per message; people choose between two."""


@dataclass(frozen=True)
class Chains(Pipeline):
    """Two chains for one message.

    Attributes:
        voters: two, each writes one.
        taxonomy: whose labels the chains speak of.

    Raises:
        ConfigError: there are not two.
    """

    voters: tuple[Voter, ...]
    taxonomy: str = TAXONOMY

    def __post_init__(self) -> None:
        if len(self.voters) != CANDIDATES:
            raise ConfigError("two chains are made of a message: name one model, or two")

    @property
    def name(self) -> str:
        """See `Pipeline.name`."""
        return "chains@1"

    async def make(self, value: Mapping[str, Any], asking: Asking) -> Json:
        """The chains, as values and as they are read."""
        asked = self._asking(value)
        chains = [_clean(await asking.ask(voter, asked)) for voter in self.voters]
        prompt = ReasoningChain(_lang(value), self.taxonomy)
        return {
            "candidates": [spelled(chain, prompt.lang, self.taxonomy) for chain in chains],
            "chains": [prompt.write(chain) for chain in chains],
        }

    def questions(self, value: Mapping[str, Any]) -> list[Question[Any]]:
        """One for each chain."""
        return [self._asking(value)] * CANDIDATES

    def _asking(self, value: Mapping[str, Any]) -> Question[Chain]:
        prompt = ReasoningChain(_lang(value), self.taxonomy)
        labels: Sequence[str] = value["labels"]

        def parse(text: str) -> Chain:
            chain = prompt.parse(text)
            if not chain.leads_to(labels):
                raise ParseError("the chain gives reasons for other labels", raw=text)
            return chain

        asked = question(prompt, *prompt.messages(heard(value["message"]).text, labels))
        return replace(asked, parse=parse)


def _lang(value: Mapping[str, Any]) -> Lang:
    return lang_of(heard(value["message"]))


def _clean(chain: Chain) -> Chain:
    return Chain(
        redact(chain.situation),
        tuple(redact(thought) for thought in chain.thoughts),
        tuple(Because(b.label, redact(b.quote), redact(b.why)) for b in chain.reasons),
        redact(chain.conclusion),
    )


def spelled(chain: Chain, lang: Lang, taxonomy: str = TAXONOMY) -> str:
    """A chain as it is read: the situation, the thoughts, a reason a line, the conclusion."""
    between = "、" if lang == "zh" else " / "
    lines = [chain.situation, *(f"- {thought}" for thought in chain.thoughts)]
    for one in chain.reasons:
        name = between.join(d.name_in(lang) for d in labels_of(taxonomy)[one.label])
        lines.append(f"{name}：“{one.quote}” {one.why}" if lang == "zh" else _english(name, one))
    return "\n".join([*lines, chain.conclusion])


def _english(name: str, reason: Because) -> str:
    return f'{name}: "{reason.quote}" {reason.why}'


def labelled(dialogues: Iterable[Dialogue]) -> Iterator[Dialogue]:
    """Every message whose distortions are judged, as a dialogue of its own."""
    for dialogue in dialogues:
        alone = len(dialogue.utterances) == 1
        pairs = zip(dialogue.utterances, dialogue.labels, strict=True)
        for place, (utterance, labels) in enumerate(pairs, 1):
            if utterance.role == "user" and labels is not None and labels.distortions is not None:
                id = dialogue.id if alone else f"{dialogue.id}#{place}"
                one = replace(utterance, id=id)
                yield replace(dialogue, id=id, utterances=(one,), labels=(labels,))


def chain_items(messages: Iterable[Dialogue], taxonomy: str = TAXONOMY) -> Iterator[Item]:
    """One item for each message that `labelled` gives."""
    for dialogue in messages:
        (utterance,), (labels,) = dialogue.utterances, dialogue.labels
        found: frozenset[Distortion] = (labels.distortions if labels else None) or frozenset()
        value = {"message": said(utterance), "labels": list(labels_for(found, taxonomy))}
        yield Item(name_of(dialogue), value)


def chained(dialogue: Dialogue, entry: Entry) -> Draft:
    """The draft of a finished item: the message with its labels, and both chains beside.

    Raises:
        DataError: the item failed.
    """
    if entry.value is None:
        raise DataError(f"{entry.id} failed and makes no draft")
    candidates: list[str] = entry.value["candidates"]
    same = len({near_key(chain) for chain in candidates}) == 1
    return Draft(
        dialogue,
        tuple(Said(chain, "note") for chain in candidates),
        {**entry.value, KEY: dict(entry.provenance)},
        refusal="same: both chains are one" if same else None,
    )


def chosen(dialogue: Dialogue, chain: str) -> Dialogue:
    """The message and the chain that an expert chose, as an exchange to learn from.

    The last line of the answer names the labels in the words of a detection row, so that who learns
    the reasons learns the labels (CrossLinCD 5.2.2).
    """
    (utterance,), (labels,) = dialogue.utterances, dialogue.labels
    found: frozenset[Distortion] = (labels.distortions if labels else None) or frozenset()
    words = f"{chain}\n{answer(found, lang_of(utterance))}"
    said_back = replace(utterance, text=words, id=None, role="assistant")
    asked = replace(utterance, id=None)
    return replace(dialogue, utterances=(asked, said_back), labels=(labels, None))
