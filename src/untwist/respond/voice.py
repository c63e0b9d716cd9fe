"""One reply's way of speaking: which book, which intensity, what has been said before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from untwist.respond.book import Book
from untwist.respond.page import Texts
from untwist.respond.pick import pick
from untwist.taxonomy import Distortion, Intensity, Strategy


@dataclass(frozen=True, slots=True)
class Subject:
    """What is talked about, and how.

    Attributes:
        strategy: how.
        target: the distortion; None when the person is listened to without one.
        occasion: what is listened to in its own wording; None for the general wording.
    """

    strategy: Strategy
    target: Distortion | None
    occasion: str | None = None


@dataclass(frozen=True, slots=True)
class Voice:
    """Picks variants for one reply.

    Attributes:
        book: the texts.
        seed: decides between variants; made from the message and the number of the turn.
        said: the program's earlier texts, which are not repeated.
        intensity: how strongly the thought is held; None means not judged.
    """

    book: Book
    seed: str
    said: Sequence[str]
    intensity: Intensity | None

    def pick(self, name: str, *tiers: Sequence[str]) -> str:
        """A variant out of the first tier that has one left; `name` varies the seed."""
        return pick(tiers, self.seed + name, self.said)

    def say(self, part: str, subject: Subject, thought: str | None = None) -> str:
        """One part, with the thought in it where there is a wording for that."""
        tiers = self._tiers(part, subject)
        plain = [[text for text in tier if "{thought}" not in text] for tier in tiers]
        quoting = [[text for text in tier if "{thought}" in text] for tier in tiers if thought]
        return self.fill(self.pick(part, *quoting, *plain), thought)

    def pace(self) -> list[str]:
        """A sentence that slows down or lightens, where the intensity asks for one."""
        texts = self.book.pace.get(self.intensity, ())
        return [self.pick("pace", texts)] if texts else []

    def fill(self, text: str, thought: str | None) -> str:
        """A text with the thought in its slot, between quotation marks."""
        return text.replace("{thought}", self.book.quoted(thought or ""))

    def _tiers(self, part: str, subject: Subject) -> list[Texts]:
        """Where a part is looked for: the wording that fits best comes first."""
        general = self.book.strategies[subject.strategy].pool(part, self.intensity)
        if subject.occasion is not None:
            return [self.book.occasions[subject.occasion].pool(part), general]
        if part == "encouragement":
            return [self.book.closing.get(self.intensity, ()), general]
        entry = self.book.distortions.get(subject.target) if subject.target else None
        if entry is None:
            return [general]
        if part == "challenge":
            return [entry.challenges.get(subject.strategy, ()), general]
        return [entry.pool(part), general]
