"""What the store gives: frozen values. Times are seconds since 1970, UTC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from untwist.schema import Json

Scope = Literal["person", "clinician", "operator"]
"""What a token may do: its person's own things, what was shared, or the machine without texts."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, by a random name.

    Attributes:
        id: random.
        created: when.
        seen: when they last came.
        settings: what they set: language, region, retention, lock, contacts.
    """

    id: str
    created: float
    seen: float
    settings: Json


@dataclass(frozen=True, slots=True)
class Token:
    """A key or cookie, without its secret.

    Attributes:
        id: by which it is revoked.
        person: whose; None is the operator's.
        scope: what it may do.
        label: given by whoever made it.
        created: when.
        expires: when; None never.
    """

    id: str
    person: str | None
    scope: Scope
    label: str
    created: float
    expires: float | None


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation of a person.

    Attributes:
        id: random.
        person: whose.
        created: when.
        updated: when its last turn was begun or finished.
        turns: how many there are; the next one gets this number.
        about: title, locale, region and the like.
    """

    id: str
    person: str
    created: float
    updated: float
    turns: int
    about: Json


@dataclass(frozen=True, slots=True)
class StoredTurn:
    """A message with its safety decision, and the reply once there is one.

    Attributes:
        id: random.
        conversation: which.
        seq: its place, from 0 without a gap.
        created: when the message was kept.
        finished: when the reply was kept; None while it is being made.
        said: the message and the decision on safety: {"message": ..., "decision": ...}.
        turn: the record of `schema.Turn`; None while it is being made.
    """

    id: str
    conversation: str
    seq: int
    created: float
    finished: float | None
    said: Json
    turn: Json | None


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a reply's stream.

    Attributes:
        turn: of which turn.
        n: its place, from 0.
        body: what is sent: {"event": ..., "data": ...}.
    """

    turn: str
    n: int
    body: Json


@dataclass(frozen=True, slots=True)
class Record:
    """A worksheet, questionnaire, rating, plan or anything else that a person keeps.

    Attributes:
        id: random.
        person: whose.
        kind: such as "thought-record" or "phq-9".
        conversation: where it came from; None if from none.
        version: counts changes from 1.
        created: when.
        updated: when it was changed last.
        body: what it holds.
    """

    id: str
    person: str
    kind: str
    conversation: str | None
    version: int
    created: float
    updated: float
    body: Json


@dataclass(frozen=True, slots=True)
class Grant:
    """That a clinician may look at what a person keeps.

    Attributes:
        id: by which it is revoked.
        person: whose things.
        clinician: who may look; None until the invitation is accepted.
        created: when.
        expires: when it ends.
        accepted: when the invitation was accepted; None until then.
        shares: what may be seen, such as {"kinds": [...]}.
    """

    id: str
    person: str
    clinician: str | None
    created: float
    expires: float
    accepted: float | None
    shares: Json
