"""The reasoning from a text to labels that people gave it (CrossLinCD, section 3.2).

Two are made of every text, with two seeds, and an expert chooses; nothing here does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from untwist.llm.prompts.answers import Fields
from untwist.llm.prompts.base import (
    Messages,
    Prompt,
    fenced,
    many,
    message,
    object_of,
    one_of,
    string,
    tidied,
    words_of,
)
from untwist.llm.prompts.labels import DEFAULT, label_for, label_in, labels_of, listing
from untwist.schema import Json
from untwist.taxonomy import Distortion


@dataclass(frozen=True, slots=True)
class Because:
    """Why one label applies.

    Attributes:
        label: as its taxonomy spells it.
        quote: as the answer gives it; `locate` finds it in the text.
        why: from these words to the label.
    """

    label: str
    quote: str
    why: str

    def __post_init__(self) -> None:
        tidied(self, "label", "quote", "why")


@dataclass(frozen=True, slots=True)
class Chain:
    """A reasoning chain: text, thoughts, why each label applies, labels.

    Attributes:
        situation: what is known, without a judgement.
        thoughts: automatic thoughts, in the first person.
        reasons: one or more for each label; empty where none applies.
        conclusion: how well the labels are supported.
    """

    situation: str
    thoughts: tuple[str, ...]
    reasons: tuple[Because, ...]
    conclusion: str

    def __post_init__(self) -> None:
        tidied(self, "situation", "conclusion")

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that it gives reasons for, each once."""
        return tuple(dict.fromkeys(one.label for one in self.reasons))

    def leads_to(self, labels: Sequence[str]) -> bool:
        """Whether it gives reasons for exactly these labels; otherwise it is of no use."""
        return set(self.labels) == set(labels)


@dataclass(frozen=True, slots=True)
class ReasoningChain(Prompt[Chain]):
    """The question for a chain, after one example.

    Attributes:
        taxonomy: whose labels were given.

    Raises:
        DataError: there is no such taxonomy.
    """

    taxonomy: str = DEFAULT

    def __post_init__(self) -> None:
        labels_of(self.taxonomy)

    @property
    def name(self) -> str:
        """The name of its words."""
        return "chain"

    @property
    def schema(self) -> Json:
        """situation, thoughts, reasons of label, quote and why, conclusion."""
        words = self.words
        reason = object_of(
            label=one_of(tuple(labels_of(self.taxonomy)), words["label"]),
            quote=string(words["quote"]),
            why=string(words["why"]),
        )
        return object_of(
            situation=string(words["situation"]),
            thoughts=many(string(words["thoughts"])),
            reasons=many(reason),
            conclusion=string(words["conclusion"]),
        )

    def messages(
        self, text: str, labels: Sequence[str], example: tuple[str, Chain] | None = None
    ) -> Messages:
        """The question about one text.

        Args:
            text: what was labelled.
            labels: in the taxonomy's spelling; none at all is an answer too.
            example: a text and an expert's chain for it; None shows our own, if its label is in
                the taxonomy.

        Raises:
            DataError: a label is none of the taxonomy.
        """
        said = [self._system(labels=listing(self.taxonomy, self.lang))]
        shown = example or self._own()
        if shown:
            said += [
                message("user", self._asked(shown[0], shown[1].labels)),
                message("assistant", self.render(shown[1])),
            ]
        known = [label_in(label, self.taxonomy) for label in labels]
        return (*said, message("user", self._asked(text, known)))

    def _asked(self, text: str, labels: Sequence[str]) -> str:
        common = words_of("common", self.lang)
        given = common["between"].join(labels) or common["none"]
        return f"{fenced('message', text)}\n{self.words['given'].format(labels=given)}"

    def _own(self) -> tuple[str, Chain] | None:
        shot = self.words["shots"][0]
        reasons = []
        for one in shot["reasons"]:
            label = label_for(Distortion(one["label"]), self.taxonomy)
            if label is None:
                return None
            reasons.append(Because(label, one["quote"], one["why"]))
        thoughts = tuple(shot["thoughts"])
        chain = Chain(shot["situation"], thoughts, tuple(reasons), shot["conclusion"])
        return shot["text"], chain

    def read(self, fields: Fields) -> Chain:
        """See `Prompt.read`."""
        reasons = tuple(
            Because(label_in(one.text("label"), self.taxonomy), one.text("quote"), one.prose("why"))
            for one in fields.objects("reasons")
        )
        thoughts = fields.texts("thoughts")
        return Chain(fields.prose("situation"), thoughts, reasons, fields.prose("conclusion"))

    def write(self, value: Chain) -> Json:
        """See `Prompt.write`."""
        return {
            "situation": value.situation,
            "thoughts": list(value.thoughts),
            "reasons": [
                {"label": one.label, "quote": one.quote, "why": one.why} for one in value.reasons
            ],
            "conclusion": value.conclusion,
        }
