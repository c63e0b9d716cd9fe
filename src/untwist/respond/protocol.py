"""Protocols: what a strategy asks, step by step, read from data and checked once.

A protocol is one JSON file; its steps are asked in their order. The frame is the skeleton around it
(settle, thought, ratings, name, then the protocol, then a balanced thought, ratings, a small step,
close), the branches are what is said when the person does something else than answer. Whoever
wants another step, another wording or another protocol edits or adds a file; nothing here decides
what is said when. `scripts/README.md` has the format.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Literal, TypeVar, cast, get_args

from untwist.errors import DataError
from untwist.respond.book import kept_in, scripts_of
from untwist.respond.page import Node, Texts, page
from untwist.taxonomy import CANONICAL, Distortion, Intensity, Lang, Strategy
from untwist.text import Locale

T = TypeVar("T")
Takes = Literal["text", "percent", "shares", "yes_no"]
"""What a step is answered with; shares are causes, each with a part of a hundred."""

FRAME = "frame"
"""The name of the skeleton."""
FRAME_STEPS = (
    "settle",
    "thought",
    "belief",
    "emotion",
    "name",
    "balanced",
    "belief_after",
    "emotion_after",
    "small_step",
    "close",
)
"""The steps that a frame must have; a strategy's protocol comes before "balanced"."""
CUES = (
    "agrees",
    "doubts",
    "unknown",
    "refuses",
    "new_thought",
    "worse",
    "thanks",
    "stop",
    "question_to_program",
)
"""What a message can be instead of an answer."""
WHOLE = (
    "doubts",
    "unknown",
    "refuses",
    "refuses_again",
    "another_way",
    "new_thought",
    "worse",
    "thanks",
    "stop",
    "question_to_program",
    "shares_under",
    "shares_over",
    "after_close",
)
"""Branches whose texts are a whole reply, with at most one question."""
LEADS = ("agrees", "skip", "switch", "name_off", "number_unclear", "shares_done", "summary")
"""Branches whose texts lead to what is said next, and hold no question."""
ENDS = ("farewell",)
"""Branches whose texts end a conversation, and hold no question."""

MIN_ASK, MIN_REFLECT, MIN_UNKNOWN, MIN_DOUBTS, MIN_BRANCH = 6, 5, 4, 3, 8
"""Fewest variants; fewer and a conversation starts to sound like a form."""

_QUESTION = re.compile(r"[?？]")
_ID = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a text of the scripts was written for, so that an earlier turn is recognised by it.

    Attributes:
        text: the variant.
        protocol: its protocol; None for a text of the branches.
        step: its step; None for a text of the branches.
        branch: None when it asks the step.
        intensity: what it is worded for; None for any.
    """

    text: str
    protocol: str | None
    step: str | None
    branch: str | None
    intensity: Intensity | None = None


@dataclass(frozen=True, slots=True)
class Variants:
    """The wordings of one thing.

    Attributes:
        any: for every intensity that has none of its own.
        own: by intensity.
    """

    any: Texts
    own: Mapping[Intensity, Texts]

    def of(self, intensity: Intensity | None) -> Texts:
        """Those for an intensity; those for any where there are none."""
        return self.own.get(intensity, self.any) if intensity else self.any

    def all(self) -> Texts:
        """All of them."""
        return (*self.any, *chain.from_iterable(self.own.values()))

    def asked(self, protocol: str | None, step: str | None, branch: str | None) -> Iterator[Asked]:
        """Each of them, with what it was written for."""
        yield from (Asked(text, protocol, step, branch) for text in self.any)
        for intensity, texts in self.own.items():
            yield from (Asked(text, protocol, step, branch, intensity) for text in texts)


@dataclass(frozen=True, slots=True)
class ProtocolStep:
    """One question of a protocol, and what belongs to it.

    Attributes:
        id: its name within the protocol.
        field: the worksheet field that the answer fills; None fills none.
        takes: what it is answered with.
        intensity: it is asked only at these; None asks it at any.
        ask: the question; may hold {thought}.
        reflect: said after an answer, before the next question; may hold {answer}.
        unknown: smaller or other questions for whoever does not know.
        doubts: for whoever doubts at this step; grants it, then asks one question.
        optional: it may be left out without a word.
    """

    id: str
    field: str | None
    takes: Takes
    intensity: frozenset[Intensity] | None
    ask: Variants
    reflect: Variants
    unknown: Variants
    doubts: Variants
    optional: bool

    def fits(self, intensity: Intensity | None) -> bool:
        """Whether it is asked at an intensity; what was not judged counts as moderate."""
        return self.intensity is None or (intensity or Intensity.MODERATE) in self.intensity


@dataclass(frozen=True, slots=True)
class Protocol:
    """What a strategy asks, in order.

    Attributes:
        name: of its file.
        strategy: which it carries out; None for the frame.
        targets: the distortions that it is meant for; None is meant for any.
        steps: in order.
    """

    name: str
    strategy: Strategy | None
    targets: frozenset[Distortion] | None
    steps: tuple[ProtocolStep, ...]

    def step(self, name: str) -> ProtocolStep | None:
        """The step of a name; None when there is none."""
        return next((step for step in self.steps if step.id == name), None)


@dataclass(frozen=True, slots=True)
class Branches:
    """How a message that is no answer is told, and what is said to it.

    Attributes:
        cues: words and phrases by kind of message.
        texts: by branch.
    """

    cues: Mapping[str, Texts]
    texts: Mapping[str, Variants]


@dataclass(frozen=True, slots=True)
class Protocols:
    """All protocols of one locale.

    Attributes:
        locale: the language, and for Chinese the characters.
        frame: the skeleton.
        branches: what is said to whatever is no answer.
        own: by name of the file.
    """

    locale: Locale
    frame: Protocol
    branches: Branches
    own: Mapping[str, Protocol]

    @property
    def lang(self) -> Lang:
        """The language."""
        return "en" if self.locale == "en" else "zh"

    def named(self, name: str) -> Protocol | None:
        """The protocol of a name, or the frame; None when there is none."""
        return self.frame if name == FRAME else self.own.get(name)

    def of(self, strategy: Strategy, target: Distortion | None) -> Protocol:
        """The protocol of a strategy that fits a distortion best: one that names it comes first.

        Raises:
            DataError: the strategy has no protocol.
        """
        fitting = [
            (protocol.targets is None, len(protocol.targets or ()), protocol.name, protocol)
            for protocol in self.own.values()
            if protocol.strategy is strategy
            and (protocol.targets is None or target in protocol.targets)
        ]
        if not fitting:
            raise DataError(f"no protocol carries out {strategy.value}: add one to the scripts")
        return min(fitting, key=lambda entry: entry[:3])[3]

    def asked(self) -> Iterator[Asked]:
        """Every text by which an earlier turn is recognised."""
        for protocol in (self.frame, *self.own.values()):
            for step in protocol.steps:
                lists = ((None, step.ask), ("unknown", step.unknown), ("doubts", step.doubts))
                for branch, variants in lists:
                    yield from variants.asked(protocol.name, step.id, branch)
        for branch, variants in self.branches.texts.items():
            yield from variants.asked(None, None, branch)


@cache
def open_protocols(locale: Locale, folder: Path | None = None) -> Protocols:
    """The protocols of one locale, checked.

    Args:
        locale: which language and characters; a folder without Traditional Chinese answers in
            Simplified.
        folder: holds one folder per locale; None means the texts that ship with the package.

    Raises:
        ArtifactError: a file is absent or is not JSON.
        DataError: a file is not what its format says; the message says where.
    """
    if locale == "zh-Hant" and locale not in kept_in(folder):
        locale = "zh"
    place = scripts_of(folder) / locale
    own = {path.stem: read_protocol(path) for path in sorted((place / "protocols").glob("*.json"))}
    found = Protocols(
        locale, read_protocol(place / "frame.json"), read_branches(place / "branches.json"), own
    )
    _check_whole(found, place)
    return found


def read_protocol(path: Path) -> Protocol:
    """One file of steps: a strategy's protocol, or the frame.

    Raises:
        ArtifactError: it is absent or is not JSON.
        DataError: it is not what its format says; the message says where.
    """
    root = page(path)
    name, frame = path.stem, path.stem == FRAME
    steps = tuple(_step(node) for node in root.at("steps").items())
    ids = [step.id for step in steps]
    if len(set(ids)) < len(ids):
        raise DataError(f"{root.where} > steps: two steps have the same id")
    if frame:
        if missing := [step for step in FRAME_STEPS if step not in ids]:
            raise DataError(f'{root.where} > steps: "{missing[0]}" is missing')
        return Protocol(FRAME, None, None, steps)
    strategy = _member(root.at("strategy"), {s.value: s for s in Strategy}, "a strategy")
    if strategy is Strategy.CRISIS_INTERVENTION:
        raise DataError(f"{root.where} > strategy: the crisis contract is fixed and no protocol")
    return Protocol(name, strategy, _targets(root), steps)


def read_branches(path: Path) -> Branches:
    """The file of the branches.

    Raises:
        ArtifactError: it is absent or is not JSON.
        DataError: it is not what its format says; the message says where.
    """
    root = page(path)
    cues, texts = root.at("cues"), root.at("texts")
    slots = {
        "new_thought": {"thought", "new"},
        "shares_under": {"sum", "rest"},
        "shares_over": {"sum", "rest"},
    }
    found = {
        name: _variants(texts.at(name), slots.get(name, {"thought"}), MIN_BRANCH)
        for name in (*WHOLE, *LEADS, *ENDS)
    }
    for name, variants in found.items():
        most = 1 if name in WHOLE else 0
        _questions(texts.at(name), variants, 0, most)
    return Branches({name: cues.at(name).texts(set()) for name in CUES}, found)


def _step(node: Node) -> ProtocolStep:
    name = node.at("id").text(set())
    if not _ID.fullmatch(name):
        raise DataError(f"{node.where} > id: small Latin letters and _ only")
    field = node.value.get("field")
    if field is not None and not (isinstance(field, str) and _ID.fullmatch(field)):
        raise DataError(f"{node.where} > field: null, or the name of a worksheet field")
    takes = node.at("takes").value
    if takes not in get_args(Takes):
        raise DataError(f"{node.where} > takes: one of {', '.join(get_args(Takes))}")
    optional = node.value.get("optional", True)
    if not isinstance(optional, bool):
        raise DataError(f"{node.where} > optional: true or false")
    shown = {"thought", "distortion", "definition"} if name == "name" else {"thought"}
    ask = _variants(node.at("ask"), shown, MIN_ASK)
    reflect = _variants(node.at("reflect"), {"answer"}, MIN_REFLECT)
    unknown = _variants(node.at("unknown"), shown, MIN_UNKNOWN)
    doubts = _variants(node.at("doubts"), shown, MIN_DOUBTS)
    _questions(node.at("ask"), ask, 1, 1)
    _questions(node.at("reflect"), reflect, 0, 0)
    _questions(node.at("unknown"), unknown, 1, 1)
    _questions(node.at("doubts"), doubts, 1, 1)
    return ProtocolStep(
        name,
        field,
        cast(Takes, takes),
        _intensities(node),
        ask,
        reflect,
        unknown,
        doubts,
        optional,
    )


def _intensities(node: Node) -> frozenset[Intensity] | None:
    if node.value.get("intensity") is None:
        return None
    known = {i.value: i for i in Intensity}
    return frozenset(_member(one, known, "an intensity") for one in node.at("intensity").items())


def _targets(root: Node) -> frozenset[Distortion] | None:
    if root.value.get("for") is None:
        return None
    known = {d.value: d for d in CANONICAL}
    return frozenset(_member(one, known, "a distortion") for one in root.at("for").items())


def _member(node: Node, known: Mapping[str, T], what: str) -> T:
    if not isinstance(node.value, str) or node.value not in known:
        raise DataError(f"{node.where}: {node.value!r} is not {what}")
    return known[node.value]


def _variants(node: Node, slots: set[str], fewest: int) -> Variants:
    """Texts for any intensity, and where there are some, those for one.

    Enough of those for any have no slot, since the person's words cannot always be quoted; {sum},
    {rest}, {distortion} and {definition} can always be filled.
    """
    if not isinstance(node.value, dict):
        return Variants(_plain(node, slots, fewest), {})
    known = {i.value: i for i in Intensity}
    strange = sorted(set(node.names()) - {"any", *known})
    if strange:
        raise DataError(f'{node.where}: "{strange[0]}" is neither "any" nor an intensity')
    own = {known[key]: _plain(node.at(key), slots, 1) for key in node.names() if key != "any"}
    return Variants(_plain(node.at("any"), slots, fewest), own)


def _plain(node: Node, slots: set[str], fewest: int) -> Texts:
    found = node.texts(slots)
    words = ("{thought}", "{answer}", "{new}")
    plain = sum(not any(slot in text for slot in words) for text in found)
    if len(found) < fewest or plain < min(fewest, 3):
        raise DataError(
            f"{node.where}: needs at least {fewest} texts, {min(fewest, 3)} of them without "
            f"the person's words; has {len(found)} and {plain}"
        )
    return found


def _questions(node: Node, variants: Variants, fewest: int, most: int) -> None:
    for text in variants.all():
        if not fewest <= len(_QUESTION.findall(text)) <= most:
            wanted = "no question" if most == 0 else f"{'at most' if fewest < most else 'exactly'}"
            wanted = wanted if most == 0 else f"{wanted} one question"
            raise DataError(f"{node.where}: needs {wanted} in {text!r}")


def _check_whole(found: Protocols, place: Path) -> None:
    """Every strategy has a protocol for any distortion, and every text tells where it stands."""
    for strategy in Strategy:
        if strategy is not Strategy.CRISIS_INTERVENTION:
            found.of(strategy, None)
    seen: dict[str, Asked] = {}
    for asked in found.asked():
        if asked.text in seen:
            other = seen[asked.text]
            raise DataError(
                f"{place.name}: {asked.text!r} stands in {asked.protocol or asked.branch} and in "
                f"{other.protocol or other.branch}; a turn is recognised by its text"
            )
        seen[asked.text] = asked
