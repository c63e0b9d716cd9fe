"""Which of some distortions a message shows, by name: what tuned models are asked (CrossLinCD 5.2).

The question lists the labels that are asked for and nothing else of them, so it is short enough to
be learnt on every sample, and a corpus is asked only for the labels that it can carry: the mask of
CrossLinCD 5.3 in words. Leaves out: evidence, intensity and risk, which those corpora lack.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from untwist.errors import DataError, ParseError, Reason
from untwist.llm.prompts.answers import Fields, refuses
from untwist.llm.prompts.base import Messages, Prompt, fenced, message, words_of
from untwist.llm.structured import spoken
from untwist.schema import Json
from untwist.taxonomy import CANONICAL, LANGS, Distortion, parse

Question = Literal["detect", "names", "reasons"]
"""What a detector asks a model: `Detect`'s question, or this one without or with reasons."""

_BETWEEN = re.compile(r"[,，、;；]")
_AROUND = " \t\"'“”「」.。*"


@dataclass(frozen=True, slots=True)
class Named:
    """What an answer names.

    Attributes:
        distortions: in the order of the taxonomy; empty means none of those asked for.
        reasons: what stands before the names; "" where they stand alone.
    """

    distortions: tuple[Distortion, ...]
    reasons: str = ""

    def __post_init__(self) -> None:
        ordered = tuple(d for d in Distortion if d in self.distortions)
        object.__setattr__(self, "distortions", ordered)
        object.__setattr__(self, "reasons", self.reasons.strip())


@dataclass(frozen=True, slots=True)
class Names(Prompt[Named]):
    """The question; its answer is free text whose last line holds the names.

    Attributes:
        asked: the labels that may be named.
        reasons: whether the answer gives its reasons first.

    Raises:
        DataError: nothing is asked for.
    """

    asked: frozenset[Distortion] = frozenset(CANONICAL)
    reasons: bool = False

    def __post_init__(self) -> None:
        if not self.asked:
            raise DataError("no label is asked for: give one or more")

    @property
    def name(self) -> str:
        """The name of its words."""
        return "names"

    @property
    def schema(self) -> None:
        """Free text."""
        return

    def messages(self, text: str) -> Messages:
        """The question about one message."""
        words = self.words
        system = self._system(
            names=words["separator"].join(d.name_in(self.lang) for d in self._in_order()),
            how=words["reasons" if self.reasons else "alone"],
            separator=words["separator"].strip(),
            none=words["none"],
        )
        return system, message("user", fenced("message", text))

    def _in_order(self) -> tuple[Distortion, ...]:
        return tuple(d for d in Distortion if d in self.asked)

    def parse(self, answer: str) -> Named:
        """What an answer says; see `Prompt.parse`.

        A label that was not asked for makes it unreadable: what it says of the others is not known.
        """
        said = spoken(answer)
        if not said:
            raise ParseError("the answer is empty", raw=answer, reason="empty")
        before, _, last = said.rstrip().rpartition("\n")
        try:
            return Named(self._named(last), before)
        except DataError as error:
            reason: Reason = "refused" if refuses(said) else "parse"
            raise ParseError(f"names: {error}", raw=answer, reason=reason) from error

    def _named(self, line: str) -> tuple[Distortion, ...]:
        bare = line.strip(_AROUND)
        if bare.casefold() in {words_of("names", lang)["none"] for lang in LANGS}:
            return ()
        try:
            found = tuple(parse(name.strip(_AROUND)) for name in _BETWEEN.split(bare))
        except DataError as error:
            # its message would repeat the answer
            raise DataError("its last line holds what is no label") from error
        if not self.asked.issuperset(found):
            raise DataError("its last line names a label that was not asked for")
        return found

    def render(self, value: Named) -> str:
        """The answer that says a value.

        Raises:
            DataError: it names a label that is not asked for.
        """
        if not self.asked.issuperset(value.distortions):
            raise DataError("it names a label that is not asked for")
        names = self.words["separator"].join(d.name_in(self.lang) for d in value.distortions)
        return f"{value.reasons}\n{names or self.words['none']}".strip()

    def read(self, fields: Fields) -> Named:
        """See `Prompt.read`; for a log that keeps what was said as an object."""
        found = tuple(parse(name) for name in fields.texts("distortions"))
        return Named(found, fields.maybe_text("reasons") or "")

    def write(self, value: Named) -> Json:
        """See `Prompt.write`."""
        names = [one.value for one in value.distortions]
        return {"distortions": names, "reasons": value.reasons or None}
