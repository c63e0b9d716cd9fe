"""A question and its description get one answer in five CBT parts (CBT-LLM, section 3.2, Fig. 3).

Leaves out: messages that speak of danger. Those get a fixed reply, never one that a model wrote;
who asks screens first.
"""

from __future__ import annotations

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
)
from untwist.llm.prompts.labels import label_in, labels_of, listing
from untwist.schema import Json

CBT_PARTS = ("validation", "key_thought", "challenge", "strategy", "encouragement")
"""The five parts in their order, as `Reply.parts` names them."""


@dataclass(frozen=True, slots=True)
class CbtAnswer:
    """An answer in five parts.

    Attributes:
        validation: what the person feels, and that it makes sense.
        key_thought: the thought beneath, offered as something to look at.
        challenge: open questions about it.
        strategy: what the person can try, or see differently.
        encouragement: to try it, and that more support may do good.
        distortions: labels of the thought, the main one first; empty means none.
    """

    validation: str
    key_thought: str
    challenge: str
    strategy: str
    encouragement: str
    distortions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        tidied(self, *CBT_PARTS)

    @property
    def parts(self) -> tuple[str, ...]:
        """The five texts in their order."""
        return tuple(getattr(self, part) for part in CBT_PARTS)

    @property
    def text(self) -> str:
        """The whole letter, a paragraph per part."""
        return "\n\n".join(self.parts)


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody asks.

    Attributes:
        question: its title.
        description: what stands below; "" where there is nothing.
    """

    question: str
    description: str = ""

    def __post_init__(self) -> None:
        tidied(self, "question")


@dataclass(frozen=True, slots=True)
class AnswerInParts(Prompt[CbtAnswer]):
    """The question for such an answer.

    Attributes:
        taxonomy: whose labels the thought is given.

    Raises:
        DataError: there is no such taxonomy.
    """

    taxonomy: str = "cbtqa-6"

    def __post_init__(self) -> None:
        labels_of(self.taxonomy)

    @property
    def name(self) -> str:
        """The name of its words."""
        return "cbt_answer"

    @property
    def schema(self) -> Json:
        """The five parts, then distortions."""
        parts = {part: string(self.words["parts"][part]) for part in CBT_PARTS}
        label = one_of(tuple(labels_of(self.taxonomy)), self.words["label"])
        return object_of(**parts, distortions=many(label))

    def messages(
        self, asked: Question, exemplar: tuple[Question, CbtAnswer] | None = None
    ) -> Messages:
        """The question.

        Args:
            asked: what somebody asks.
            exemplar: another question with the answer to be followed in manner, shown first.
        """
        said = [self._system(labels=listing(self.taxonomy, self.lang))]
        if exemplar:
            said += [
                message("user", _shown(exemplar[0])),
                message("assistant", self.render(exemplar[1])),
            ]
        return (*said, message("user", _shown(asked)))

    def read(self, fields: Fields) -> CbtAnswer:
        """See `Prompt.read`; a label that is named twice counts once."""
        parts = {part: fields.prose(part) for part in CBT_PARTS}
        labels = (label_in(said, self.taxonomy) for said in fields.texts("distortions"))
        return CbtAnswer(distortions=tuple(dict.fromkeys(labels)), **parts)

    def write(self, value: CbtAnswer) -> Json:
        """See `Prompt.write`."""
        parts = dict(zip(CBT_PARTS, value.parts, strict=True))
        return {**parts, "distortions": list(value.distortions)}


def _shown(asked: Question) -> str:
    below = fenced("description", asked.description) if asked.description.strip() else ""
    return f"{fenced('question', asked.question)}\n{below}"
