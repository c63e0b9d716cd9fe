"""The book of texts: every sentence a scripted reply can hold, read from data and checked once.

A book is a folder with seven JSON files. Whoever wants another wording edits the data; a variant
that is added to a list is used from the next start on. Nothing here decides what is said when.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from untwist.errors import DataError
from untwist.respond.danger import Crisis, read_crisis
from untwist.respond.page import Node, Texts, page
from untwist.taxonomy import CANONICAL, Distortion, Intensity, Lang, Strategy
from untwist.text import LOCALES, Locale

PARTS = ("validation", "key_thought", "challenge", "strategy", "encouragement")
"""The five CBT parts in their order (CBT-LLM, Fig. 3)."""
MIN_VARIANTS = 4
"""Fewest variants of a part; fewer and a conversation starts to sound like a form."""
FILES = ("strategies", "distortions", "occasions", "tone", "conversation", "moods", "crisis")
"""The files of a book, without their ending."""

OCCASIONS = ("loss", "third_party", "dark", "past")
"""What is listened to in its own wording, although it is no distortion."""

_CONVERSATION = ("hold", "invite", "fit", "go", "acknowledge", "balance", "small_step", "stay")
_SLOTS = {"hold": {"thought"}, "balance": {"thought"}}
_MOODS = (
    "after_crisis",
    "neutral",
    "nod",
    "greeting",
    "good_news",
    "thanks",
    "program",
    "unsure",
    "refuse",
    "doubt",
)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a strategy's conversation beyond the five parts.

    Attributes:
        part: which of the five parts it counts as.
        texts: its variants.
    """

    part: str
    texts: Texts


@dataclass(frozen=True, slots=True)
class Entry:
    """What a strategy or a distortion has to say.

    Attributes:
        pools: variants by part and intensity; the key None holds for any intensity.
        challenges: questions by strategy (distortions only).
        steps: further conversation steps (strategies only).
    """

    pools: Mapping[tuple[str, Intensity | None], Texts]
    challenges: Mapping[Strategy, Texts]
    steps: tuple[Step, ...]

    def pool(self, part: str, intensity: Intensity | None = None) -> Texts:
        """The variants of one part, in the wording for this intensity where there is one."""
        return self.pools.get((part, intensity)) or self.pools.get((part, None), ())

    def marks(
        self,
        target: Distortion | None,
        strategy: Strategy | None,
        occasion: str | None = None,
    ) -> Iterator[Mark]:
        """All variants of all parts, each with what it was written for."""
        for (part, _), texts in self.pools.items():
            yield from (Mark(text, target, strategy, part, occasion) for text in texts)
        for suited, texts in self.challenges.items():
            yield from (Mark(text, target, suited, "challenge") for text in texts)
        for step in self.steps:
            yield from (Mark(text, target, strategy, step.part) for text in step.texts)


@dataclass(frozen=True, slots=True)
class Moods:
    """How a message without a distortion is told apart, and what is said to it.

    Attributes:
        order: moods in the order in which they are tried.
        short: moods that only a short message can have.
        opening: moods whose cue must open the message.
        whole: moods whose cue must be the whole message.
        short_limit: longest short message, in English words or Chinese characters.
        contrast: words that announce a turn ("but").
        cues: words and phrases by mood.
        texts: whole replies by mood.
    """

    order: Texts
    short: frozenset[str]
    opening: frozenset[str]
    whole: frozenset[str]
    short_limit: int
    contrast: Texts
    cues: Mapping[str, Texts]
    texts: Mapping[str, Texts]


@dataclass(frozen=True, slots=True)
class Mark:
    """A text by which an earlier turn is recognised.

    Attributes:
        text: the variant.
        target: the distortion it was written for.
        strategy: the strategy it was written for.
        part: the part it is a variant of.
        occasion: the occasion it was written for.
    """

    text: str
    target: Distortion | None
    strategy: Strategy | None
    part: str
    occasion: str | None = None


@dataclass(frozen=True, slots=True)
class Book:
    """All texts of one locale.

    Attributes:
        locale: the language, and for Chinese the characters.
        folder: where the texts were read from; None means those that ship.
        strategies: texts by strategy A0 to A8.
        distortions: texts by canonical distortion.
        occasions: texts for listening, by occasion.
        pace: sentences that slow down or lighten, by intensity.
        closing: encouragement by intensity.
        conversation: texts that hold a conversation together, by step.
        moods: messages without a distortion.
        crisis: texts for danger.
        marks: the texts of strategies and distortions, to recognise earlier turns by.
    """

    locale: Locale
    folder: Path | None
    strategies: Mapping[Strategy, Entry]
    distortions: Mapping[Distortion, Entry]
    occasions: Mapping[str, Entry]
    pace: Mapping[Intensity | None, Texts]
    closing: Mapping[Intensity | None, Texts]
    conversation: Mapping[str, Texts]
    moods: Moods
    crisis: Crisis
    marks: tuple[Mark, ...]

    @property
    def lang(self) -> Lang:
        """The language."""
        return "en" if self.locale == "en" else "zh"

    def join(self, *sentences: str) -> str:
        """Sentences as one paragraph."""
        return (" " if self.lang == "en" else "").join(filter(None, sentences))

    def quoted(self, words: str) -> str:
        """Words between the quotation marks of the locale."""
        return f"「{words}」" if self.locale == "zh-Hant" else f"“{words}”"


@cache
def kept_in(folder: Path | None) -> tuple[Locale, ...]:
    """The locales that a folder has a book for; all that there are for the shipped texts."""
    return tuple(code for code in LOCALES if (scripts_of(folder) / code).is_dir())


def scripts_of(folder: Path | None) -> Path:
    """Where the texts are: a folder of one's own, or those that ship."""
    return folder or Path(str(files("untwist").joinpath("respond", "scripts")))


@cache
def open_book(locale: Locale, folder: Path | None = None) -> Book:
    """The texts of one locale, checked.

    Args:
        locale: which language and characters; a folder without Traditional Chinese answers in
            Simplified.
        folder: holds one folder per locale; None means the texts that ship with the package.

    Raises:
        ArtifactError: a file is absent or is not JSON.
        DataError: a file lacks a text, or a text has a slot that is not filled; the message says
            where.
    """
    if locale == "zh-Hant" and locale not in kept_in(folder):
        locale = "zh"
    pages = {name: page(scripts_of(folder) / locale / f"{name}.json") for name in FILES}
    tone = pages["tone"]
    strategies: dict[Strategy, Entry] = {
        s: _entry(pages["strategies"].at(s.value), PARTS)
        for s in Strategy
        if s is not Strategy.CRISIS_INTERVENTION
    }
    distortions = {
        d: _entry(pages["distortions"].at(d.value), PARTS[:2], challenges=True) for d in CANONICAL
    }
    occasions = {key: _entry(pages["occasions"].at(key), PARTS) for key in OCCASIONS}
    return Book(
        locale=locale,
        folder=folder,
        strategies=strategies,
        distortions=distortions,
        occasions=occasions,
        pace=_by_intensity(tone.at("pace")),
        closing=_by_intensity(tone.at("encouragement")),
        conversation={
            key: pages["conversation"].at(key).texts(_SLOTS.get(key, set()))
            for key in _CONVERSATION
        },
        moods=_moods(pages["moods"]),
        crisis=read_crisis(pages["crisis"]),
        marks=(
            *(m for d, entry in distortions.items() for m in entry.marks(d, None)),
            *(m for s, entry in strategies.items() for m in entry.marks(None, s)),
            *(
                m
                for key, entry in occasions.items()
                for m in entry.marks(None, Strategy.EMPATHIC_VALIDATION, key)
            ),
        ),
    )


def _entry(node: Node, parts: Sequence[str], *, challenges: bool = False) -> Entry:
    pools: dict[tuple[str, Intensity | None], Texts] = {}
    for part in parts:
        pools.update(_pools(part, node.at(part)))
    return Entry(pools, _challenges(node) if challenges else {}, _steps(node))


def _pools(part: str, node: Node) -> Mapping[tuple[str, Intensity | None], Texts]:
    if not isinstance(node.value, dict):
        return {(part, None): _plain_first(node, MIN_VARIANTS)}
    by_intensity: dict[tuple[str, Intensity | None], Texts] = {
        (part, Intensity(key)): _plain_first(node.at(key), 1)
        for key in node.names()
        if key in {i.value for i in Intensity}
    }
    return {(part, None): _plain_first(node.at("any"), MIN_VARIANTS), **by_intensity}


def _plain_first(node: Node, fewest: int) -> Texts:
    """Texts of which enough have no slot, since the person's words cannot always be quoted."""
    found = node.texts({"thought"})
    if sum("{" not in text for text in found) < fewest:
        raise DataError(f"{node.where}: needs at least {fewest} texts without a slot")
    return found


def _challenges(node: Node) -> Mapping[Strategy, Texts]:
    found = node.at("challenge")
    known = {s.value for s in Strategy}
    strange = sorted(set(found.names()) - known)
    if strange:
        raise DataError(f'{found.where}: "{strange[0]}" is not a strategy')
    return {Strategy(key): _plain_first(found.at(key), MIN_VARIANTS) for key in found.names()}


def _steps(node: Node) -> tuple[Step, ...]:
    if "steps" not in node.value:
        return ()
    return tuple(_step(entry) for entry in node.at("steps").items())


def _step(node: Node) -> Step:
    part = node.at("part").text(set())
    if part not in PARTS:
        raise DataError(f'{node.where}: "{part}" is not one of {", ".join(PARTS)}')
    return Step(part, node.at("texts").texts(set()))


def _by_intensity(node: Node) -> Mapping[Intensity | None, Texts]:
    return {i: node.at(i.value).texts(set()) for i in Intensity if i.value in node.names()}


def _moods(node: Node) -> Moods:
    cues = node.at("cues")
    texts = node.at("texts")
    limit = node.at("short_limit").value
    if not isinstance(limit, int):
        raise DataError(f"{node.where} > short_limit: must be a whole number")
    return Moods(
        order=node.at("order").texts(set()),
        short=frozenset(node.at("short").texts(set())),
        opening=frozenset(node.at("opening").texts(set())),
        whole=frozenset(node.at("whole").texts(set())),
        short_limit=limit,
        contrast=node.at("contrast").texts(set()),
        cues={key: cues.at(key).texts(set()) for key in cues.names()},
        texts={key: texts.at(key).texts(set(), MIN_VARIANTS) for key in _MOODS},
    )
