"""What a person keeps beside conversations, each with the log of its changes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from untwist.errors import StoreError
from untwist.schema import Json
from untwist.serve.store.codec import Codec
from untwist.serve.store.ids import new_id
from untwist.serve.store.tables import changes, records
from untwist.serve.store.values import Record, Scope


def create(
    connection: Connection,
    codec: Codec,
    now: float,
    person: str,
    kind: str,
    body: Json,
    *,
    conversation: str | None = None,
    actor: Scope = "person",
) -> Record:
    """Keep something new."""
    made = Record(new_id(), person, kind, conversation, 1, now, now, body)
    connection.execute(
        insert(records).values(
            id=made.id,
            person=person,
            kind=kind,
            conversation=conversation,
            version=1,
            created=now,
            updated=now,
            body=codec.encode(body, f"records:{made.id}"),
        )
    )
    _log(connection, codec, made, now, actor)
    return made


def change(
    connection: Connection,
    codec: Codec,
    now: float,
    person: str,
    name: str,
    body: Json,
    *,
    version: int | None = None,
    actor: Scope = "person",
) -> Record:
    """Put another content in place of a record's.

    Args:
        connection: of the caller's transaction.
        codec: how content is kept.
        now: the time.
        person: whose.
        name: which.
        body: what it shall hold.
        version: the one that was changed; None replaces whatever is there.
        actor: in which role it is changed.

    Raises:
        StoreError: "gone", or "conflict" when it was changed meanwhile.
    """
    old = get(connection, codec, person, name)
    if version is not None and version != old.version:
        raise StoreError("it was changed elsewhere meanwhile: load it again", "conflict")
    changed = connection.execute(
        update(records)
        .where(records.c.id == name, records.c.version == old.version)
        .values(version=old.version + 1, updated=now, body=codec.encode(body, f"records:{name}"))
    )
    if changed.rowcount != 1:
        raise StoreError("it was changed elsewhere meanwhile: load it again", "conflict")
    new = Record(name, person, old.kind, old.conversation, old.version + 1, old.created, now, body)
    _log(connection, codec, new, now, actor)
    return new


def get(connection: Connection, codec: Codec, person: str, name: str) -> Record:
    """One record of this person.

    Raises:
        StoreError: "gone" when there is none of that name, or it is another's.
    """
    row = connection.execute(
        select(records).where(records.c.id == name, records.c.person == person)
    ).first()
    if row is None:
        raise StoreError("there is no such record", "gone")
    return _record(codec, row)


def of_person(
    connection: Connection, codec: Codec, person: str, kind: str | None = None
) -> list[Record]:
    """What a person keeps, the latest first."""
    query = select(records).where(records.c.person == person)
    if kind is not None:
        query = query.where(records.c.kind == kind)
    rows = connection.execute(query.order_by(records.c.updated.desc(), records.c.id))
    return [_record(codec, row) for row in rows]


def history(connection: Connection, codec: Codec, person: str, name: str) -> list[Json]:
    """The log of a record's changes, the oldest first: version, at, actor, body."""
    get(connection, codec, person, name)
    rows = connection.execute(
        select(changes).where(changes.c.record == name).order_by(changes.c.version)
    )
    return [
        {
            "version": row.version,
            "at": row.at,
            "actor": row.actor,
            "body": codec.decode(row.body, f"changes:{name}:{row.version}"),
        }
        for row in rows
    ]


def remove(connection: Connection, person: str, name: str) -> None:
    """Delete a record with its log.

    Raises:
        StoreError: "gone" when there is none of that name, or it is another's.
    """
    owned = records.c.id == name, records.c.person == person
    if connection.execute(delete(records).where(*owned)).rowcount != 1:
        raise StoreError("there is no such record", "gone")


def _log(connection: Connection, codec: Codec, record: Record, now: float, actor: Scope) -> None:
    body = codec.encode(record.body, f"changes:{record.id}:{record.version}")
    connection.execute(
        insert(changes).values(
            record=record.id, version=record.version, at=now, actor=actor, body=body
        )
    )


def _record(codec: Codec, row: Row[Any]) -> Record:
    return Record(
        row.id,
        row.person,
        row.kind,
        row.conversation,
        row.version,
        row.created,
        row.updated,
        codec.decode(row.body, f"records:{row.id}"),
    )
