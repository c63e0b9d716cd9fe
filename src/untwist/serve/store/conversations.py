"""Conversations, their turns and the events of a reply, inside a transaction of the caller."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, or_, select, update

from untwist.errors import StoreError
from untwist.schema import Json
from untwist.serve.store.codec import Codec
from untwist.serve.store.ids import new_id
from untwist.serve.store.tables import conversations, events, turns
from untwist.serve.store.values import Conversation, Event, StoredTurn


def create(
    connection: Connection, codec: Codec, now: float, person: str, about: Json
) -> Conversation:
    """A new conversation of a person."""
    name = new_id()
    body = codec.encode(about, f"conversations:{name}")
    connection.execute(
        insert(conversations).values(
            id=name, person=person, created=now, updated=now, turns=0, body=body
        )
    )
    return Conversation(name, person, now, now, 0, about)


def get(connection: Connection, codec: Codec, person: str, name: str) -> Conversation:
    """One conversation of this person.

    Raises:
        StoreError: "gone" when there is none of that name, or it is another's.
    """
    row = connection.execute(
        select(conversations).where(conversations.c.id == name, conversations.c.person == person)
    ).first()
    if row is None:
        raise StoreError("there is no such conversation", "gone")
    return _conversation(codec, row)


def of_person(
    connection: Connection, codec: Codec, person: str, before: float | None, most: int
) -> list[Conversation]:
    """Conversations of a person, the latest first."""
    query = select(conversations).where(conversations.c.person == person)
    if before is not None:
        query = query.where(conversations.c.updated < before)
    rows = connection.execute(query.order_by(conversations.c.updated.desc()).limit(most))
    return [_conversation(codec, row) for row in rows]


def describe(connection: Connection, codec: Codec, name: str, about: Json) -> None:
    """Change what is known about a conversation."""
    body = codec.encode(about, f"conversations:{name}")
    connection.execute(update(conversations).where(conversations.c.id == name).values(body=body))


def hold(connection: Connection, name: str, holder: str, now: float, until: float) -> bool:
    """Take a conversation for one turn; False while another holds it."""
    taken = connection.execute(
        update(conversations)
        .where(
            conversations.c.id == name,
            or_(
                conversations.c.holder.is_(None),
                conversations.c.holder == holder,
                conversations.c.held_until < now,
            ),
        )
        .values(holder=holder, held_until=until)
    )
    return taken.rowcount == 1


def release(connection: Connection, name: str, holder: str) -> None:
    """Let go of a conversation that this holder has."""
    connection.execute(
        update(conversations)
        .where(conversations.c.id == name, conversations.c.holder == holder)
        .values(holder=None, held_until=None)
    )


def must_hold(connection: Connection, name: str, holder: str) -> None:
    """Refuse to write for somebody whose time was over before they were done.

    Raises:
        StoreError: "conflict" when another holds the conversation, or nobody.
    """
    row = connection.execute(
        select(conversations.c.holder).where(conversations.c.id == name).with_for_update()
    ).first()
    if row is None or row.holder != holder:
        raise StoreError("another works on this conversation now", "conflict")


def must_be_open(connection: Connection, turn: str) -> None:
    """Refuse to add to a reply that is whole.

    Raises:
        StoreError: "conflict" when the turn is finished, or gone.
    """
    row = connection.execute(select(turns.c.finished).where(turns.c.id == turn)).first()
    if row is None or row.finished is not None:
        raise StoreError("this turn is finished already, or gone", "conflict")


def begin_turn(
    connection: Connection,
    codec: Codec,
    now: float,
    name: str,
    said: Json,
    key: str | None,
    turn: str | None = None,
) -> StoredTurn:
    """Keep a message and its decision on safety, in the next place."""
    row = connection.execute(
        update(conversations)
        .where(conversations.c.id == name)
        .values(turns=conversations.c.turns + 1, updated=now)
        .returning(conversations.c.turns)
    ).first()
    if row is None:
        raise StoreError("there is no such conversation", "gone")
    made = turn or new_id()
    connection.execute(
        insert(turns).values(
            id=made,
            conversation=name,
            seq=row.turns - 1,
            key=key,
            created=now,
            body=codec.encode(said, f"turns:{made}:body"),
        )
    )
    return StoredTurn(made, name, row.turns - 1, now, None, said, None)


def by_key(connection: Connection, codec: Codec, name: str, key: str) -> StoredTurn | None:
    """The turn that was begun with this key; None if none was."""
    row = connection.execute(
        select(turns).where(turns.c.conversation == name, turns.c.key == key)
    ).first()
    return _turn(codec, row) if row else None


def finish_turn(
    connection: Connection, codec: Codec, now: float, turn: str, record: Json, sent: Sequence[Json]
) -> None:
    """Keep the reply and the events that are still missing.

    Raises:
        StoreError: "conflict" when it was finished before.
    """
    done = connection.execute(
        update(turns)
        .where(turns.c.id == turn, turns.c.finished.is_(None))
        .values(finished=now, reply=codec.encode(record, f"turns:{turn}:reply"))
    )
    if done.rowcount != 1:
        raise StoreError("this turn is finished already, or gone", "conflict")
    add_events(connection, codec, turn, sent)


def add_events(connection: Connection, codec: Codec, turn: str, sent: Sequence[Json]) -> None:
    """Keep events behind those that are there."""
    if not sent:
        return
    known = connection.execute(
        select(events.c.n).where(events.c.turn == turn).order_by(events.c.n.desc()).limit(1)
    ).first()
    first = known.n + 1 if known else 0
    rows = [
        {"turn": turn, "n": n, "body": codec.encode(body, f"events:{turn}:{n}")}
        for n, body in enumerate(sent, first)
    ]
    connection.execute(insert(events), rows)


def events_of(connection: Connection, codec: Codec, turn: str, first: int) -> list[Event]:
    """The events of a turn from a place on."""
    rows = connection.execute(
        select(events).where(events.c.turn == turn, events.c.n >= first).order_by(events.c.n)
    )
    return [Event(turn, r.n, codec.decode(r.body, f"events:{turn}:{r.n}")) for r in rows]


def turns_of(
    connection: Connection, codec: Codec, name: str, first: int = 0, most: int | None = None
) -> list[StoredTurn]:
    """Turns in order, from a place on."""
    query = select(turns).where(turns.c.conversation == name, turns.c.seq >= first)
    rows = connection.execute(query.order_by(turns.c.seq).limit(most))
    return [_turn(codec, row) for row in rows]


def turn_of(connection: Connection, codec: Codec, person: str, name: str) -> StoredTurn:
    """One turn of this person.

    Raises:
        StoreError: "gone" when there is none of that name, or it is another's.
    """
    row = connection.execute(
        select(turns)
        .join(conversations, conversations.c.id == turns.c.conversation)
        .where(turns.c.id == name, conversations.c.person == person)
    ).first()
    if row is None:
        raise StoreError("there is no such turn", "gone")
    return _turn(codec, row)


def orphans(connection: Connection, codec: Codec, now: float, most: int) -> list[StoredTurn]:
    """Turns without a reply that nobody is working on, the oldest first."""
    rows = connection.execute(
        select(turns)
        .join(conversations, conversations.c.id == turns.c.conversation)
        .where(
            turns.c.finished.is_(None),
            or_(conversations.c.holder.is_(None), conversations.c.held_until < now),
        )
        .order_by(turns.c.created)
        .limit(most)
    )
    return [_turn(codec, row) for row in rows]


def owner(connection: Connection, name: str) -> str:
    """Whose a conversation is.

    Raises:
        StoreError: "gone" when there is none of that name.
    """
    row = connection.execute(
        select(conversations.c.person).where(conversations.c.id == name)
    ).first()
    if row is None:
        raise StoreError("there is no such conversation", "gone")
    return str(row.person)


def _conversation(codec: Codec, row: Row[Any]) -> Conversation:
    about = codec.decode(row.body, f"conversations:{row.id}")
    return Conversation(row.id, row.person, row.created, row.updated, row.turns, about)


def _turn(codec: Codec, row: Row[Any]) -> StoredTurn:
    said = codec.decode(row.body, f"turns:{row.id}:body")
    reply = codec.decode(row.reply, f"turns:{row.id}:reply") if row.reply else None
    return StoredTurn(row.id, row.conversation, row.seq, row.created, row.finished, said, reply)
