"""Protocols: what a strategy asks, step by step, read from data and checked once.

A protocol is one JSON file; its steps are asked in their order. The frame is the skeleton around it
(settle, thought, ratings, name, then the protocol, then a balanced thought, ratings, a small step,
close), the branches are what is said when the person does something else than answer. Whoever
wants another step, another wording or another protocol edits or adds a file; nothing here decides
what is said when. `scripts/README.md` has the format.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TypeVar, cast, get_args

from untwist.errors import DataError
from untwist.respond.book import kept_in, scripts_of
from untwist.respond.page import Node, Texts, page
from untwist.respond.steps import (
    CUES,
    ENDS,
    FRAME,
    FRAME_STEPS,
    LEADS,
    QUESTION,
    WHOLE,
    Asked,
    Branches,
    Protocol,
    Protocols,
    ProtocolStep,
    Question,
    Takes,
    Variants,
)
from untwist.taxonomy import CANONICAL, Distortion, Intensity, Strategy
from untwist.text import Locale

T = TypeVar("T")
MIN_ASK, MIN_REFLECT, MIN_UNKNOWN, MIN_DOUBTS, MIN_BRANCH = 6, 5, 4, 3, 8
"""Fewest variants; fewer and a conversation starts to sound like a form."""

_QUESTION = re.compile(r"[?？]")
_ID = re.compile(r"[a-z][a-z0-9_]*")


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
    questions = {}
    if "questions" in root.names():
        asked = root.at("questions")
        questions = {name: _question(asked.at(name)) for name in asked.names()}
    told = {name: cues.at(name).texts(set()) for name in CUES}
    told[QUESTION] += tuple(cue for one in questions.values() for cue in one.cues)
    return Branches(told, found, questions)


def _question(node: Node) -> Question:
    texts = _variants(node.at("texts"), {"thought"}, MIN_DOUBTS)
    _questions(node.at("texts"), texts, 0, 1)
    return Question(node.at("cues").texts(set()), texts)


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
