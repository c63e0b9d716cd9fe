"""The trail of decisions: who was shown what kind of help, read, exported or erased; never a text.

Each entry holds the hash of the one before it, so that a change or a gap shows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, text

from untwist.errors import StoreError
from untwist.schema import Json
from untwist.serve.store.ids import subject_of
from untwist.serve.store.tables import audit

ROOT = "0" * 64
"""Stands before the first entry."""
_LOCK = 7_300_421
_MOST = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry.

    Attributes:
        n: its place, from 1 without a gap.
        at: seconds since 1970, UTC.
        kind: "safety", "read", "export", "import", "erase", "share", "revoke", "key".
        subject: a hash that stands for the person.
        facts: level, kinds of danger, rules, versions; no text.
        hash: over all this and the hash before it.
    """

    n: int
    at: float
    kind: str
    subject: str
    facts: Json
    hash: str


def append(connection: Connection, at: float, kind: str, person: str, facts: Json) -> None:
    """Write one entry in the caller's transaction."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    last = connection.execute(
        select(audit.c.n, audit.c.hash).order_by(audit.c.n.desc()).limit(1)
    ).first()
    n, before = (last.n + 1, last.hash) if last else (1, ROOT)
    written = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    if len(written) > _MOST:
        raise StoreError("an audit entry holds more than facts", "failed")
    row = {"n": n, "at": at, "kind": kind, "subject": subject_of(person), "facts": written}
    connection.execute(insert(audit).values(**row, hash=_hash(before, row)))


def entries(connection: Connection, after: int = 0, most: int = 1000) -> Iterator[Entry]:
    """Entries in order, without checking them."""
    rows = connection.execute(
        select(audit).where(audit.c.n > after).order_by(audit.c.n).limit(most)
    )
    for row in rows:
        yield Entry(row.n, row.at, row.kind, row.subject, json.loads(row.facts), row.hash)


def first_break(connection: Connection) -> int | None:
    """The place of the first entry that was changed or is missing; None when the trail holds."""
    before, expected = ROOT, 1
    for row in connection.execute(select(audit).order_by(audit.c.n)):
        own = {key: getattr(row, key) for key in ("n", "at", "kind", "subject", "facts")}
        if row.n != expected or row.hash != _hash(before, own):
            return expected
        before, expected = row.hash, row.n + 1
    return None


def _hash(before: str, row: Json) -> str:
    told = json.dumps([before, *(row[key] for key in ("n", "at", "kind", "subject", "facts"))])
    return hashlib.sha256(told.encode()).hexdigest()
