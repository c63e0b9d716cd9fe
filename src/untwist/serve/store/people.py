"""People, their keys and cookies, and who may look at what; inside the caller's transaction."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, delete, insert, or_, select, update

from untwist.errors import StoreError
from untwist.schema import Json
from untwist.serve.store.codec import Codec
from untwist.serve.store.ids import hash_of, new_id, new_secret
from untwist.serve.store.tables import grants, people, tokens
from untwist.serve.store.values import Grant, Person, Scope, Token

SEEN_EVERY = 3600.0
"""Seconds between two notes of when somebody came; more would be a log of their days."""


def create(connection: Connection, codec: Codec, now: float, settings: Json) -> Person:
    """Somebody new."""
    made = Person(new_id(), now, now, settings)
    body = codec.encode(settings, f"people:{made.id}")
    connection.execute(insert(people).values(id=made.id, created=now, seen=now, body=body))
    return made


def get(connection: Connection, codec: Codec, name: str) -> Person:
    """Somebody.

    Raises:
        StoreError: "gone" when there is nobody of that name.
    """
    row = connection.execute(select(people).where(people.c.id == name)).first()
    if row is None:
        raise StoreError("there is nobody of that name", "gone")
    return Person(row.id, row.created, row.seen, codec.decode(row.body, f"people:{row.id}"))


def change(connection: Connection, codec: Codec, name: str, settings: Json) -> None:
    """Put other settings in place."""
    body = codec.encode(settings, f"people:{name}")
    done = connection.execute(update(people).where(people.c.id == name).values(body=body))
    if done.rowcount != 1:
        raise StoreError("there is nobody of that name", "gone")


def came(connection: Connection, name: str, now: float) -> None:
    """Note that somebody came, to the hour."""
    connection.execute(
        update(people).where(people.c.id == name, people.c.seen < now - SEEN_EVERY).values(seen=now)
    )


def issue(
    connection: Connection,
    now: float,
    scope: Scope,
    person: str | None,
    label: str = "",
    expires: float | None = None,
) -> tuple[Token, str]:
    """A new token, and its secret, which is nowhere else."""
    secret = new_secret()
    made = Token(new_id(), person, scope, label[:80], now, expires)
    connection.execute(
        insert(tokens).values(
            hash=hash_of(secret),
            id=made.id,
            person=person,
            scope=scope,
            label=made.label,
            created=now,
            expires=expires,
        )
    )
    return made, secret


def token(connection: Connection, secret: str, now: float) -> Token | None:
    """The token of a secret; None when there is none, or its time is over."""
    row = connection.execute(
        select(tokens).where(
            tokens.c.hash == hash_of(secret),
            or_(tokens.c.expires.is_(None), tokens.c.expires > now),
        )
    ).first()
    return _token(row) if row else None


def tokens_of(connection: Connection, person: str | None) -> list[Token]:
    """The tokens of somebody, the latest first; None lists all."""
    query = select(tokens).order_by(tokens.c.created.desc())
    if person is not None:
        query = query.where(tokens.c.person == person)
    return [_token(row) for row in connection.execute(query)]


def revoke(connection: Connection, name: str, person: str | None = None) -> None:
    """Make a token worthless at once.

    Raises:
        StoreError: "gone" when there is none of that name, or it is another's.
    """
    query = delete(tokens).where(tokens.c.id == name)
    if person is not None:
        query = query.where(tokens.c.person == person)
    if connection.execute(query).rowcount != 1:
        raise StoreError("there is no such key", "gone")


def invite(
    connection: Connection, codec: Codec, now: float, person: str, shares: Json, expires: float
) -> tuple[Grant, str]:
    """Invite a clinician; the secret is given on by the person."""
    secret, name = new_secret(), new_id()
    connection.execute(
        insert(grants).values(
            id=name,
            person=person,
            invite=hash_of(secret),
            created=now,
            expires=expires,
            body=codec.encode(shares, f"grants:{name}"),
        )
    )
    return Grant(name, person, None, now, expires, None, shares), secret


def accept(connection: Connection, codec: Codec, now: float, secret: str, clinician: str) -> Grant:
    """Take an invitation, once.

    Raises:
        StoreError: "gone" when there is none, it is over, or it was taken.
    """
    row = connection.execute(
        select(grants).where(grants.c.invite == hash_of(secret), grants.c.expires > now)
    ).first()
    if row is None or row.person == clinician:
        raise StoreError("there is no such invitation, or it was taken or is over", "gone")
    done = connection.execute(
        update(grants)
        .where(grants.c.id == row.id, grants.c.clinician.is_(None))
        .values(clinician=clinician, accepted=now, invite=None)
    )
    if done.rowcount != 1:
        raise StoreError("there is no such invitation, or it was taken or is over", "gone")
    shares = codec.decode(row.body, f"grants:{row.id}")
    return Grant(row.id, row.person, clinician, row.created, row.expires, now, shares)


def grants_of(connection: Connection, codec: Codec, person: str) -> list[Grant]:
    """Whom somebody has invited, the latest first."""
    query = select(grants).where(grants.c.person == person).order_by(grants.c.created.desc())
    return [_grant(codec, row) for row in connection.execute(query)]


def granted_to(connection: Connection, codec: Codec, clinician: str, now: float) -> list[Grant]:
    """Whose things a clinician may look at now."""
    query = select(grants).where(grants.c.clinician == clinician, grants.c.expires > now)
    rows = connection.execute(query.order_by(grants.c.created.desc()))
    return [_grant(codec, row) for row in rows]


def withdraw(connection: Connection, person: str, name: str) -> None:
    """End a share or an invitation at once.

    Raises:
        StoreError: "gone" when there is none of that name, or it is another's.
    """
    owned = grants.c.id == name, grants.c.person == person
    if connection.execute(delete(grants).where(*owned)).rowcount != 1:
        raise StoreError("there is no such share", "gone")


def _token(row: Row[Any]) -> Token:
    return Token(row.id, row.person, row.scope, row.label, row.created, row.expires)


def _grant(codec: Codec, row: Row[Any]) -> Grant:
    shares = codec.decode(row.body, f"grants:{row.id}")
    return Grant(row.id, row.person, row.clinician, row.created, row.expires, row.accepted, shares)
