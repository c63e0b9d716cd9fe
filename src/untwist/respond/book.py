"""The book of texts: every sentence a scripted reply can hold, read from data and checked once.

A book is a folder with seven JSON files. Whoever wants another wording edits the data; a variant
that is added to a list is used from the next start on. Nothing here decides what is said when.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from untwist.errors import ArtifactError, DataError
from untwist.taxonomy import CANONICAL, Acuity, Distortion, Intensity, Lang, Strategy

PARTS = ("validation", "key_thought", "challenge", "strategy", "encouragement")
"""The five CBT parts in their order (CBT-LLM, Fig. 3)."""
MIN_VARIANTS = 4
"""Fewest variants of a part; fewer and a conversation starts to sound like a form."""
FILES = ("strategies", "distortions", "occasions", "tone", "conversation", "moods", "crisis")
"""The files of a book, without their ending."""

_SLOT = re.compile(r"\{([^{}]*)\}")
OCCASIONS = ("loss", "third_party", "dark", "past")
"""What is listened to in its own wording, although it is no distortion."""

_CONVERSATION = ("hold", "invite", "fit", "go", "acknowledge", "balance", "small_step", "stay")
_SLOTS = {"hold": {"thought"}, "balance": {"thought"}}
_CRISIS = {
    "limits": set[str](),
    "stay": set[str](),
    "lead": set[str](),
    "lead_urgent": set[str](),
    "reminder": {"line", "emergency"},
    "reminder_urgent": {"line", "emergency"},
    "reminder_unknown": set[str](),
}
_SOFT = ("general", "passive", "self_injury", "third_party", "bereavement", "past")
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

Texts = tuple[str, ...]


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
class Barrier:
    """Help with what keeps people from calling.

    Attributes:
        needs: a channel that the region's line must have; None when it fits every line.
        text: what is said.
    """

    needs: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Crisis:
    """The texts for danger (see SAFETY.md for the contract they fill).

    Attributes:
        reviewed_by: the clinician who reviewed these texts; None as long as nobody has.
        urgent: kinds of danger where the emergency number comes first.
        order: kinds of danger, the one that decides the wording first.
        acuity: per kind of danger the slots "reflect", "question" and "near".
        shared: slots that are the same for all kinds.
        barriers: help with calling, for ordinary and for urgent danger.
        soft: sentences with a line offered softly, by occasion.
        help_known: names the line of a region.
        help_unknown: names the directory.
        emergency_unknown: stands for an emergency number that is not known.
        first_contact: which emergency service comes first, by kind of danger.
        choose: asks for the country.
    """

    reviewed_by: str | None
    urgent: frozenset[Acuity]
    order: tuple[Acuity, ...]
    acuity: Mapping[Acuity, Mapping[str, Texts]]
    shared: Mapping[str, Texts]
    barriers: Mapping[bool, tuple[Barrier, ...]]
    soft: Mapping[str, Texts]
    help_known: str
    help_unknown: str
    emergency_unknown: str
    first_contact: Mapping[Acuity, str]
    choose: str


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
    """All texts of one language.

    Attributes:
        lang: the language.
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

    lang: Lang
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


@cache
def open_book(lang: Lang, folder: Path | None = None) -> Book:
    """The texts of one language, checked.

    Args:
        lang: which language.
        folder: holds one folder per language; None means the texts that ship with the package.

    Raises:
        ArtifactError: a file is absent or is not JSON.
        DataError: a file lacks a text, or a text has a slot that is not filled; the message says
            where.
    """
    place = folder or Path(str(files("untwist").joinpath("respond", "scripts")))
    pages = {name: _page(place / lang / f"{name}.json") for name in FILES}
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
        lang=lang,
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
        crisis=_crisis(pages["crisis"]),
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


@dataclass(frozen=True, slots=True)
class _Node:
    """A place in a file, which can say where it is."""

    value: Any
    where: str

    def at(self, key: str) -> _Node:
        if not isinstance(self.value, dict) or key not in self.value:
            raise DataError(f'{self.where}: "{key}" is missing')
        return _Node(self.value[key], f"{self.where} > {key}")

    def names(self) -> Texts:
        if not isinstance(self.value, dict):
            raise DataError(f"{self.where}: must be an object")
        return tuple(self.value)

    def items(self) -> Iterator[_Node]:
        if not isinstance(self.value, list) or not self.value:
            raise DataError(f"{self.where}: must be a list with at least one entry")
        return (_Node(v, f"{self.where}[{i}]") for i, v in enumerate(self.value))

    def text(self, slots: set[str]) -> str:
        if not isinstance(self.value, str) or not self.value.strip():
            raise DataError(f"{self.where}: must be a text that is not empty")
        unknown = set(_SLOT.findall(self.value)) - slots
        rest = _SLOT.sub("", self.value)
        if unknown or "{" in rest or "}" in rest:
            allowed = ", ".join("{" + s + "}" for s in sorted(slots)) or "none"
            raise DataError(f"{self.where}: unknown slot in {self.value!r}; allowed: {allowed}")
        return self.value

    def texts(self, slots: set[str], fewest: int = 1) -> Texts:
        found = tuple(node.text(slots) for node in self.items())
        if len(found) < fewest:
            raise DataError(f"{self.where}: needs at least {fewest} texts, has {len(found)}")
        if len(set(found)) < len(found):
            raise DataError(f"{self.where}: holds the same text twice")
        return found


def _page(path: Path) -> _Node:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: reinstall untwist or restore it") from error
    except ValueError as error:
        raise ArtifactError(f"{path} is not valid JSON: {error}") from error
    return _Node(value, f"{path.parent.name}/{path.name}")


def _entry(node: _Node, parts: Sequence[str], *, challenges: bool = False) -> Entry:
    pools: dict[tuple[str, Intensity | None], Texts] = {}
    for part in parts:
        pools.update(_pools(part, node.at(part)))
    return Entry(pools, _challenges(node) if challenges else {}, _steps(node))


def _pools(part: str, node: _Node) -> Mapping[tuple[str, Intensity | None], Texts]:
    if not isinstance(node.value, dict):
        return {(part, None): _plain_first(node, MIN_VARIANTS)}
    by_intensity: dict[tuple[str, Intensity | None], Texts] = {
        (part, Intensity(key)): _plain_first(node.at(key), 1)
        for key in node.names()
        if key in {i.value for i in Intensity}
    }
    return {(part, None): _plain_first(node.at("any"), MIN_VARIANTS), **by_intensity}


def _plain_first(node: _Node, fewest: int) -> Texts:
    """Texts of which enough have no slot, since the person's words cannot always be quoted."""
    found = node.texts({"thought"})
    if sum("{" not in text for text in found) < fewest:
        raise DataError(f"{node.where}: needs at least {fewest} texts without a slot")
    return found


def _challenges(node: _Node) -> Mapping[Strategy, Texts]:
    found = node.at("challenge")
    known = {s.value for s in Strategy}
    strange = sorted(set(found.names()) - known)
    if strange:
        raise DataError(f'{found.where}: "{strange[0]}" is not a strategy')
    return {Strategy(key): _plain_first(found.at(key), MIN_VARIANTS) for key in found.names()}


def _steps(node: _Node) -> tuple[Step, ...]:
    if "steps" not in node.value:
        return ()
    return tuple(_step(entry) for entry in node.at("steps").items())


def _step(node: _Node) -> Step:
    part = node.at("part").text(set())
    if part not in PARTS:
        raise DataError(f'{node.where}: "{part}" is not one of {", ".join(PARTS)}')
    return Step(part, node.at("texts").texts(set()))


def _by_intensity(node: _Node) -> Mapping[Intensity | None, Texts]:
    return {i: node.at(i.value).texts(set()) for i in Intensity if i.value in node.names()}


def _moods(node: _Node) -> Moods:
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


def _crisis(node: _Node) -> Crisis:
    kinds = node.at("acuity")
    return Crisis(
        reviewed_by=node.at("reviewed_by").value,
        urgent=frozenset(Acuity(a) for a in _acuities(node.at("urgent"))),
        order=tuple(Acuity(a) for a in _acuities(node.at("order"))),
        acuity={
            a: {
                slot: kinds.at(a.value).at(slot).texts(set(), MIN_VARIANTS)
                for slot in ("reflect", "question", "near")
            }
            for a in Acuity
        },
        shared={key: node.at(key).texts(slots, MIN_VARIANTS) for key, slots in _CRISIS.items()},
        barriers={
            False: tuple(_barrier(entry) for entry in node.at("barrier").items()),
            True: tuple(_barrier(entry) for entry in node.at("barrier_urgent").items()),
        },
        soft={key: node.at("soft").at(key).texts({"help"}, MIN_VARIANTS) for key in _SOFT},
        help_known=node.at("help").at("known").text({"line"}),
        help_unknown=node.at("help").at("unknown").text(set()),
        emergency_unknown=node.at("emergency_unknown").text(set()),
        first_contact={
            Acuity(a): node.at("first_contact").at(a).text(set())
            for a in _acuities(_Node(list(node.at("first_contact").names()), node.where))
        },
        choose=node.at("choose").text(set()),
    )


def _acuities(node: _Node) -> Texts:
    known = {a.value for a in Acuity}
    found = node.texts(set())
    strange = sorted(set(found) - known)
    if strange:
        raise DataError(f'{node.where}: "{strange[0]}" is not a kind of danger')
    return found


def _barrier(node: _Node) -> Barrier:
    return Barrier(node.at("needs").value, node.at("text").text(set()))
