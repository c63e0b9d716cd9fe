"""A question and its description get an answer in five CBT parts.

    question, description -> five parts and the labels of the thought -> drafts

Source: CBT-LLM 3.2, Figure 3. Departures: labels come with the answer, not out of its words; a
question in which the safety screen hears acute danger gets no model's answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from untwist.data import Record
from untwist.errors import DataError
from untwist.generate.asking import Asking, Voter
from untwist.generate.asking import Question as Asked
from untwist.generate.gate import Draft, Said
from untwist.generate.journal import Entry, Item
from untwist.generate.pipeline import Pipeline, question
from untwist.generate.provenance import KEY
from untwist.llm.prompts import CBT_PARTS, AnswerInParts, CbtAnswer, distortions_of, labels_of
from untwist.llm.prompts import Question as Posed
from untwist.safety import redact, screen
from untwist.schema import Dialogue, Json, Labels, Utterance
from untwist.taxonomy import LANGS, Lang
from untwist.text import language, require_text

CORPUS = "cbtqa"
TAXONOMY = "untwist-12"
ANSWER = "answer"
"""The key of a row that holds the five parts by name."""


@dataclass(frozen=True, slots=True)
class Post:
    """What somebody asks.

    Attributes:
        id: unique in its file.
        question: its title.
        description: what stands below; may be empty.
        lang: the language of the answer.
    """

    id: str
    question: str
    description: str
    lang: Lang

    @property
    def text(self) -> str:
        """Both, as one message."""
        return f"{self.question}\n{self.description}".strip()

    def dialogue(self) -> Dialogue:
        """The question alone, as a dialogue of one message."""
        message = Utterance(self.text, self.lang, self.id)
        return Dialogue(self.id, CORPUS, (message,), (None,), f"{CORPUS}:{self.id}")


def post_of(record: Record) -> Post:
    """The post of one row `{"id"?, "question", "description"?, "lang"?}`, redacted.

    Raises:
        DataError: the row is none.
    """
    data = record.data
    title = redact(require_text(data.get("question", ""), "question").strip())
    below = data.get("description") or ""
    if not isinstance(below, str):
        raise DataError("description is no text")
    below = redact(below.strip())
    lang = data.get("lang") or language(f"{title}\n{below}") or "en"
    if lang not in LANGS:
        raise DataError('lang is neither "en" nor "zh"')
    return Post(str(data.get("id", record.line)), title, below, lang)


@dataclass(frozen=True)
class CbtQa(Pipeline):
    """The answer to one post.

    Attributes:
        voters: whoever writes, one item each in turn.
        exemplars: by language: another post with the answer to be followed in manner.
        taxonomy: whose labels the thought is given.
    """

    voters: tuple[Voter, ...]
    exemplars: tuple[tuple[Post, CbtAnswer], ...] = ()
    taxonomy: str = TAXONOMY

    @property
    def name(self) -> str:
        """See `Pipeline.name`."""
        return "cbtqa@1"

    async def make(self, value: Mapping[str, Any], asking: Asking) -> Json:
        """The five parts by name, and the labels as the taxonomy spells them."""
        voter = self.voters[value["place"] % len(self.voters)]
        answer = await asking.ask(voter, self._asking(value))
        parts = {part: redact(getattr(answer, part)) for part in CBT_PARTS}
        return {ANSWER: parts, "labels": list(answer.distortions)}

    def questions(self, value: Mapping[str, Any]) -> list[Asked[Any]]:
        """One."""
        return [self._asking(value)]

    def _asking(self, value: Mapping[str, Any]) -> Asked[CbtAnswer]:
        lang: Lang = value["lang"]
        prompt = AnswerInParts(lang, self.taxonomy)
        shown = next(
            ((Posed(p.question, p.description), a) for p, a in self.exemplars if p.lang == lang),
            None,
        )
        posed = Posed(value["question"], value["description"])
        return question(prompt, *prompt.messages(posed, shown))


def post_items(posts: Iterable[Post]) -> Iterator[Item]:
    """One item for each post."""
    for place, post in enumerate(posts):
        yield Item(
            post.id,
            {
                "place": place,
                "question": post.question,
                "description": post.description,
                "lang": post.lang,
            },
        )


def answered_post(post: Post, entry: Entry, taxonomy: str = TAXONOMY) -> Draft:
    """The draft of a finished item.

    Raises:
        DataError: the item failed.
    """
    if entry.value is None:
        raise DataError(f"{entry.id} failed and makes no draft")
    parts: Mapping[str, str] = entry.value[ANSWER]
    whole = "\n\n".join(parts[part] for part in CBT_PARTS)
    labels = Labels(
        distortions_of(entry.value["labels"], taxonomy),
        distortions_of(labels_of(taxonomy), taxonomy),
    )
    asked = Utterance(post.text, post.lang)
    answer = Utterance(whole, post.lang, None, "assistant")
    group = f"{CORPUS}:{post.id}"
    dialogue = Dialogue(post.id, CORPUS, (asked, answer), (labels, None), group)
    said = Said(whole, "reply", post.lang, screen(post.text).level, post.text)
    beside = {
        "question": post.question,
        "description": post.description,
        ANSWER: dict(parts),
        KEY: dict(entry.provenance),
    }
    return Draft(dialogue, (said,), beside, own=whole)
