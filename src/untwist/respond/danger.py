"""The texts for danger, read from `crisis.json`; how they become a reply stands in `crisis`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from untwist.errors import DataError
from untwist.respond.page import Node, Texts
from untwist.taxonomy import Acuity

FEWEST = 4
"""Fewest variants of a text: with fewer, one would come again within three turns."""
SLOTS = ("reflect", "question", "near")
"""What every kind of danger has in its own words."""
FROM_PAST = ("bereavement", "past")
"""What is behind a wish to die, when the message tells it, and is reflected instead of the wish."""

_SHARED = {
    "limits": set[str](),
    "stay": set[str](),
    "lead": set[str](),
    "lead_urgent": set[str](),
    "reminder": {"line", "emergency"},
    "reminder_urgent": {"line", "emergency"},
    "reminder_unknown": set[str](),
    "heard_urgent": set[str](),
    "retracted": set[str](),
    "turned": set[str](),
}
_SOFT = ("general", "passive", "self_injury", "third_party", *FROM_PAST)


@dataclass(frozen=True, slots=True)
class Barrier:
    """Help with what keeps people from calling.

    Attributes:
        needs: a word that the name, kind or hours of the region's line must have ("text", "free");
            None when it fits every line.
        text: what is said.
    """

    needs: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One thing that keeps people from calling, such as fear of who might be told.

    Attributes:
        cues: words by which a refusal that names it is told.
        heard: sentences that acknowledge it, in place of the reflection.
        help: what can be done about it.
    """

    cues: Texts
    heard: Texts
    help: tuple[Barrier, ...]


@dataclass(frozen=True, slots=True)
class Crisis:
    """The texts for danger (see SAFETY.md for the contract they fill).

    Attributes:
        version: which edition of the texts.
        reviewed_by: the clinician who reviewed these texts; None as long as nobody has.
        urgent: kinds of danger where the emergency number comes first.
        order: kinds of danger, the one that decides the wording first.
        acuity: per kind of danger the slots "reflect", "question" and "near".
        reflect: reflections for a loss, or for something that was over and has come back.
        shared: slots that are the same for all kinds.
        barriers: help with calling, for "own", "urgent" and "other" people's danger.
        obstacles: what refusals name, the more particular first; the last is a bare refusal.
        retracting: words that take a message back ("just kidding").
        soft: sentences with a line offered softly, by occasion.
        help_known: names the line of a region.
        help_unknown: names the directory.
        emergency_unknown: stands for an emergency number that is not known.
        first_contact: which emergency service comes first, by kind of danger.
        choose: asks for the country.
    """

    version: str
    reviewed_by: str | None
    urgent: frozenset[Acuity]
    order: tuple[Acuity, ...]
    acuity: Mapping[Acuity, Mapping[str, Texts]]
    reflect: Mapping[str, Texts]
    shared: Mapping[str, Texts]
    barriers: Mapping[str, tuple[Barrier, ...]]
    obstacles: tuple[Obstacle, ...]
    retracting: Texts
    soft: Mapping[str, Texts]
    help_known: str
    help_unknown: str
    emergency_unknown: str
    first_contact: Mapping[Acuity, str]
    choose: str


def read_crisis(node: Node) -> Crisis:
    """The texts of one file, checked.

    Raises:
        DataError: a text is missing or wrong; the message says where.
    """
    kinds, barriers, first = node.at("acuity"), node.at("barriers"), node.at("first_contact")
    return Crisis(
        version=node.at("version").text(set()),
        reviewed_by=node.at("reviewed_by").value,
        urgent=frozenset(_acuities(node.at("urgent"))),
        order=_acuities(node.at("order")),
        acuity={
            a: {slot: kinds.at(a.value).at(slot).texts(set(), FEWEST) for slot in SLOTS}
            for a in Acuity
        },
        reflect={key: node.at("reflect").at(key).texts(set(), FEWEST) for key in FROM_PAST},
        shared={key: node.at(key).texts(slots, FEWEST) for key, slots in _SHARED.items()},
        barriers={key: _help(barriers.at(key)) for key in ("own", "urgent", "other")},
        obstacles=tuple(_obstacle(entry) for entry in node.at("obstacles").items()),
        retracting=node.at("retracting").texts(set()),
        soft={key: node.at("soft").at(key).texts({"help"}, FEWEST) for key in _SOFT},
        help_known=node.at("help").at("known").text({"line"}),
        help_unknown=node.at("help").at("unknown").text(set()),
        emergency_unknown=node.at("emergency_unknown").text(set()),
        first_contact={
            a: first.at(a.value).text(set())
            for a in _acuities(Node(list(first.names()), first.where))
        },
        choose=node.at("choose").text(set()),
    )


def _acuities(node: Node) -> tuple[Acuity, ...]:
    known = {a.value for a in Acuity}
    found = node.texts(set())
    strange = sorted(set(found) - known)
    if strange:
        raise DataError(f'{node.where}: "{strange[0]}" is not a kind of danger')
    return tuple(map(Acuity, found))


def _obstacle(node: Node) -> Obstacle:
    texts = {key: node.at(key).texts(set()) for key in ("cues", "heard")}
    return Obstacle(texts["cues"], texts["heard"], _help(node.at("help")))


def _help(node: Node) -> tuple[Barrier, ...]:
    return tuple(
        Barrier(entry.at("needs").value, entry.at("text").text(set())) for entry in node.items()
    )
