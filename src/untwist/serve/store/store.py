"""The store as the server uses it: every call is one transaction, and gives a Future."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, delete, insert, select, text, update

from untwist.errors import StoreError
from untwist.schema import Json
from untwist.serve.store import archive, audit, people, records
from untwist.serve.store import conversations as talk
from untwist.serve.store.archive import Restored
from untwist.serve.store.codec import Codec
from untwist.serve.store.database import Database
from untwist.serve.store.ids import hash_of
from untwist.serve.store.migrate import upgrade
from untwist.serve.store.tables import conversations, metadata, referrals
from untwist.serve.store.tables import people as people_table
from untwist.serve.store.values import (
    Conversation,
    Event,
    Grant,
    Person,
    Record,
    Scope,
    StoredTurn,
    Token,
)

T = TypeVar("T")
_SWEEP = 500
"""Most people that one sweep erases in a transaction."""


@dataclass(frozen=True)
class Store:
    """All that is kept. A call of another person's thing fails with StoreError "gone".

    Attributes:
        database: where.
        codec: how contents are written.
        clock: seconds since 1970, UTC.
    """

    database: Database
    codec: Codec = field(default_factory=Codec)
    clock: Callable[[], float] = time.time

    # --- people, keys, shares ---------------------------------------------------------------

    def new_person(
        self, settings: Json, scope: Scope = "person", expires: float | None = None
    ) -> Future[tuple[Person, str]]:
        """Somebody new, and the secret of their first token."""

        def work(connection: Connection) -> tuple[Person, str]:
            made = people.create(connection, self.codec, self.clock(), settings)
            _, secret = people.issue(connection, self.clock(), scope, made.id, "", expires)
            return made, secret

        return self.database.write(work)

    def person(self, name: str) -> Future[Person]:
        """Somebody."""
        return self._read(lambda c: people.get(c, self.codec, name))

    def set_person(self, name: str, settings: Json) -> Future[None]:
        """Put other settings in place."""
        return self._write(lambda c: people.change(c, self.codec, name, settings))

    def came(self, name: str) -> Future[None]:
        """Note that somebody came, to the hour; what keeps their things from retention."""
        return self._write(lambda c: people.came(c, name, self.clock()))

    def token(self, secret: str) -> Future[Token | None]:
        """The token of a secret; None when there is none, or its time is over."""
        return self._read(lambda c: people.token(c, secret, self.clock()))

    def issue(
        self, scope: Scope, person: str | None, label: str = "", expires: float | None = None
    ) -> Future[tuple[Token, str]]:
        """A new token, and its secret, which is nowhere else."""

        def work(connection: Connection) -> tuple[Token, str]:
            made, secret = people.issue(connection, self.clock(), scope, person, label, expires)
            facts = {"scope": scope, "id": made.id}
            audit.append(connection, self.clock(), "key", person or "operator", facts)
            return made, secret

        return self.database.write(work)

    def tokens(self, person: str | None) -> Future[list[Token]]:
        """The tokens of somebody; None lists all."""
        return self._read(lambda c: people.tokens_of(c, person))

    def revoke(self, name: str, person: str | None = None) -> Future[None]:
        """Make a token worthless at once."""
        return self._write(lambda c: people.revoke(c, name, person))

    def invite(self, person: str, shares: Json, expires: float) -> Future[tuple[Grant, str]]:
        """Invite a clinician to look; the secret is given on by the person."""

        def work(connection: Connection) -> tuple[Grant, str]:
            made = people.invite(connection, self.codec, self.clock(), person, shares, expires)
            audit.append(connection, self.clock(), "share", person, {"grant": made[0].id})
            return made

        return self.database.write(work)

    def accept(self, secret: str, clinician: str) -> Future[Grant]:
        """Take an invitation, once."""
        return self._write(lambda c: people.accept(c, self.codec, self.clock(), secret, clinician))

    def grants(self, person: str) -> Future[list[Grant]]:
        """Whom somebody has invited."""
        return self._read(lambda c: people.grants_of(c, self.codec, person))

    def granted(self, clinician: str) -> Future[list[Grant]]:
        """Whose things a clinician may look at now."""
        return self._read(lambda c: people.granted_to(c, self.codec, clinician, self.clock()))

    def withdraw(self, person: str, name: str) -> Future[None]:
        """End a share or an invitation at once."""

        def work(connection: Connection) -> None:
            people.withdraw(connection, person, name)
            audit.append(connection, self.clock(), "revoke", person, {"grant": name})

        return self.database.write(work)

    # --- conversations ----------------------------------------------------------------------

    def new_conversation(self, person: str, about: Json) -> Future[Conversation]:
        """A new conversation."""
        return self._write(lambda c: talk.create(c, self.codec, self.clock(), person, about))

    def conversation(self, person: str, name: str) -> Future[Conversation]:
        """One of this person's."""
        return self._read(lambda c: talk.get(c, self.codec, person, name))

    def conversations(
        self, person: str, before: float | None = None, most: int = 50
    ) -> Future[list[Conversation]]:
        """Those of a person, the latest first."""
        return self._read(lambda c: talk.of_person(c, self.codec, person, before, most))

    def search(self, person: str, words: str, most: int = 50) -> Future[list[Conversation]]:
        """Conversations of a person in which these words were said, by either, in any case."""
        wanted = words.casefold()

        def work(connection: Connection) -> list[Conversation]:
            found = talk.of_person(connection, self.codec, person, None, 1_000_000)
            return [one for one in found if self._says(connection, one.id, wanted)][:most]

        return self.database.read(work)

    def describe(self, person: str, name: str, about: Json) -> Future[None]:
        """Change what is known about a conversation."""

        def work(connection: Connection) -> None:
            talk.get(connection, self.codec, person, name)
            talk.describe(connection, self.codec, name, about)

        return self.database.write(work)

    def delete_conversation(self, person: str, name: str) -> Future[None]:
        """Delete a conversation with all that was said."""

        def work(connection: Connection) -> None:
            talk.get(connection, self.codec, person, name)
            connection.execute(delete(conversations).where(conversations.c.id == name))

        return self.database.write(work)

    def begin_turn(
        self,
        person: str,
        name: str,
        said: Json,
        facts: Json,
        holder: str,
        seconds: float,
        key: str | None = None,
        seq: int | None = None,
        turn: str | None = None,
    ) -> Future[StoredTurn | None]:
        """Keep a message and its decision on safety in one transaction, and take the conversation.

        Args:
            person: who said it.
            name: the conversation.
            said: {"message": ..., "decision": ...}.
            facts: of the decision, for the audit trail; no text.
            holder: who works on it, by a random name.
            seconds: how long the conversation is held at most.
            key: of the request, so that a repeated one finds the same turn.
            seq: the place that the decision was made for; None takes the next.
            turn: the name that a new turn gets, so that the caller can tell it from a known one;
                None makes one.

        Returns:
            The turn: the one with this key if there is one, finished or not. None while another
            holds the conversation, or when another turn came first.
        """

        def work(connection: Connection) -> StoredTurn | None:
            now, hashed = self.clock(), hash_of(key) if key is not None else None
            found = talk.get(connection, self.codec, person, name)
            if hashed and (known := talk.by_key(connection, self.codec, name, hashed)):
                return known
            if seq not in (None, found.turns):
                return None
            if not talk.hold(connection, name, holder, now, now + seconds):
                return None
            audit.append(connection, now, "safety", person, facts)
            return talk.begin_turn(connection, self.codec, now, name, said, hashed, turn)

        return self.database.write(work)

    def finish_turn(
        self, turn: StoredTurn, record: Json, sent: Sequence[Json], holder: str
    ) -> Future[None]:
        """Keep the reply and its last events, and let go of the conversation.

        "conflict" when the turn is finished, or another has taken the conversation meanwhile.
        """

        def work(connection: Connection) -> None:
            talk.must_hold(connection, turn.conversation, holder)
            talk.finish_turn(connection, self.codec, self.clock(), turn.id, record, sent)
            talk.release(connection, turn.conversation, holder)

        return self.database.write(work)

    def add_events(self, turn: StoredTurn, sent: Sequence[Json], holder: str) -> Future[None]:
        """Keep events of a reply that is still being made.

        "conflict" when the turn is finished, or another has taken the conversation meanwhile.
        """

        def work(connection: Connection) -> None:
            talk.must_hold(connection, turn.conversation, holder)
            talk.must_be_open(connection, turn.id)
            talk.add_events(connection, self.codec, turn.id, sent)

        return self.database.write(work)

    def turn_by_key(self, person: str, name: str, key: str) -> Future[StoredTurn | None]:
        """The turn that a request with this key has made; None if none did."""

        def work(connection: Connection) -> StoredTurn | None:
            talk.get(connection, self.codec, person, name)
            return talk.by_key(connection, self.codec, name, hash_of(key))

        return self.database.read(work)

    def events(self, turn: str, first: int = 0) -> Future[list[Event]]:
        """The events of a turn from a place on."""
        return self._read(lambda c: talk.events_of(c, self.codec, turn, first))

    def turn(self, person: str, name: str) -> Future[StoredTurn]:
        """One turn of this person."""
        return self._read(lambda c: talk.turn_of(c, self.codec, person, name))

    def turns(self, person: str, name: str, first: int = 0) -> Future[list[StoredTurn]]:
        """The turns of a conversation of this person, in order."""

        def work(connection: Connection) -> list[StoredTurn]:
            talk.get(connection, self.codec, person, name)
            return talk.turns_of(connection, self.codec, name, first)

        return self.database.read(work)

    def orphans(self, holder: str, seconds: float, most: int = 20) -> Future[list[StoredTurn]]:
        """Turns that a dead process left without a reply; their conversations are taken."""

        def work(connection: Connection) -> list[StoredTurn]:
            now = self.clock()
            found = talk.orphans(connection, self.codec, now, most)
            return [
                one
                for one in found
                if talk.hold(connection, one.conversation, holder, now, now + seconds)
            ]

        return self.database.write(work)

    def owner(self, conversation: str) -> Future[str]:
        """Whose a conversation is."""
        return self._read(lambda c: talk.owner(c, conversation))

    # --- records ----------------------------------------------------------------------------

    def add_record(
        self,
        person: str,
        kind: str,
        body: Json,
        *,
        conversation: str | None = None,
        actor: Scope = "person",
    ) -> Future[Record]:
        """Keep a worksheet, an answer sheet, a plan or the like."""

        def work(connection: Connection) -> Record:
            if conversation is not None:
                talk.get(connection, self.codec, person, conversation)
            return records.create(
                connection,
                self.codec,
                self.clock(),
                person,
                kind,
                body,
                conversation=conversation,
                actor=actor,
            )

        return self.database.write(work)

    def change_record(
        self,
        person: str,
        name: str,
        body: Json,
        *,
        version: int | None = None,
        actor: Scope = "person",
    ) -> Future[Record]:
        """Put another content in place; "conflict" when it was changed since that version."""
        return self._write(
            lambda c: records.change(
                c, self.codec, self.clock(), person, name, body, version=version, actor=actor
            )
        )

    def record(self, person: str, name: str) -> Future[Record]:
        """One record of this person."""
        return self._read(lambda c: records.get(c, self.codec, person, name))

    def records(self, person: str, kind: str | None = None) -> Future[list[Record]]:
        """What a person keeps, the latest first."""
        return self._read(lambda c: records.of_person(c, self.codec, person, kind))

    def record_history(self, person: str, name: str) -> Future[list[Json]]:
        """The log of a record's changes, the oldest first."""
        return self._read(lambda c: records.history(c, self.codec, person, name))

    def delete_record(self, person: str, name: str) -> Future[None]:
        """Delete a record with its log."""
        return self._write(lambda c: records.remove(c, person, name))

    # --- export, import, erase --------------------------------------------------------------

    def export(self, person: str) -> Future[Json]:
        """Everything that is kept of a person."""

        def work(connection: Connection) -> Json:
            audit.append(connection, self.clock(), "export", person, {})
            return archive.export(connection, self.codec, person)

        return self.database.write(work)

    def restore(self, person: str, content: Json) -> Future[Restored]:
        """Put an archive's content under a person; all of it or nothing."""

        def work(connection: Connection) -> Restored:
            done = archive.restore(connection, self.codec, person, content)
            facts = {"conversations": done.conversations, "records": done.records}
            audit.append(connection, self.clock(), "import", person, facts)
            return done

        return self.database.write(work)

    def erase(self, person: str) -> Future[None]:
        """Delete somebody with all that is theirs; `scrub` then cleans the file."""

        def work(connection: Connection) -> None:
            people.get(connection, self.codec, person)
            connection.execute(delete(people_table).where(people_table.c.id == person))
            audit.append(connection, self.clock(), "erase", person, {})

        return self.database.write(work)

    def scrub(self) -> None:
        """Leave nothing of deleted content in the file, its free pages or the write-ahead log."""
        if self.database.sqlite:
            checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)"
            self.database.alone(checkpoint, "VACUUM", checkpoint).result()

    def retire(self, days: float) -> Future[int]:
        """Erase people who have not come for so many days; how many that were."""

        def work(connection: Connection) -> int:
            limit = self.clock() - days * 86_400
            rows = connection.execute(
                select(people_table.c.id).where(people_table.c.seen < limit).limit(_SWEEP)
            )
            names = [row.id for row in rows]
            for name in names:
                connection.execute(delete(people_table).where(people_table.c.id == name))
                audit.append(connection, self.clock(), "erase", name, {"by": "retention"})
            return len(names)

        return self.database.write(work)

    # --- the operator -----------------------------------------------------------------------

    def note(self, kind: str, person: str, facts: Json) -> Future[None]:
        """Write one entry of the audit trail."""
        return self._write(lambda c: audit.append(c, self.clock(), kind, person, facts))

    def trail(self, after: int = 0, most: int = 1000) -> Future[list[audit.Entry]]:
        """Entries of the audit trail, in order."""
        return self._read(lambda c: list(audit.entries(c, after, most)))

    def trail_break(self) -> Future[int | None]:
        """The place of the first entry that was changed; None when the trail holds."""
        return self._read(audit.first_break)

    def count_referral(self, region: str, lang: str) -> Future[None]:
        """Count that somebody was shown where help is: month, region and language alone."""

        def work(connection: Connection) -> None:
            month = datetime.fromtimestamp(self.clock(), UTC).strftime("%Y-%m")
            cell = {"month": month, "region": region, "lang": lang}
            here = [referrals.c[name] == value for name, value in cell.items()]
            counted = connection.execute(
                update(referrals).where(*here).values(count=referrals.c.count + 1)
            )
            if not counted.rowcount:
                connection.execute(insert(referrals).values(**cell, count=1))

        return self.database.write(work)

    def referral_counts(self) -> Future[list[tuple[str, str, str, int]]]:
        """Month, region, language and count, in order."""

        def work(connection: Connection) -> list[tuple[str, str, str, int]]:
            shown = referrals.c
            query = select(shown.month, shown.region, shown.lang, shown.count.label("n"))
            ordered = query.order_by(shown.month, shown.region, shown.lang)
            return [(r.month, r.region, r.lang, r.n) for r in connection.execute(ordered)]

        return self.database.read(work)

    def ready(self) -> Future[None]:
        """Fails with StoreError when the store cannot be read."""

        def work(connection: Connection) -> None:
            connection.execute(text("SELECT 1 FROM people LIMIT 1"))

        return self.database.read(work)

    def people(self) -> Future[list[str]]:
        """The names of all people, in order of their coming."""
        query = select(people_table.c.id).order_by(people_table.c.created)
        return self._read(lambda c: [row.id for row in c.execute(query)])

    def readable(self) -> Future[int]:
        """How many contents can be read; fails with StoreError where one cannot."""

        def work(connection: Connection) -> int:
            return sum(self._read_all(connection, *spot) for spot in _SEALED)

        return self.database.read(work)

    def reseal(self) -> Future[int]:
        """Write every content with the first key; how many were written anew.

        All in one transaction: either every value has the new key or none.
        """

        def work(connection: Connection) -> int:
            return sum(self._resealed(connection, *spot) for spot in _SEALED)

        return self.database.write(work)

    def close(self) -> None:
        """Finish what waits, then let go."""
        self.database.close()

    def _resealed(
        self, connection: Connection, table: str, column: str, place: str, keys: Sequence[str]
    ) -> int:
        where, written = metadata.tables[table], 0
        for row in connection.execute(select(where)).fetchall():
            data = getattr(row, column)
            if data is None or self.codec.current(data):
                continue
            at = place.format(*(getattr(row, key) for key in keys))
            value = self.codec.encode(self.codec.decode(data, at), at)
            connection.execute(
                update(where)
                .where(*(where.c[key] == getattr(row, key) for key in keys))
                .values({column: value})
            )
            written += 1
        return written

    def _read_all(
        self, connection: Connection, table: str, column: str, place: str, keys: Sequence[str]
    ) -> int:
        read = 0
        for row in connection.execute(select(metadata.tables[table])):
            data = getattr(row, column)
            if data is not None:
                self.codec.decode(data, place.format(*(getattr(row, key) for key in keys)))
                read += 1
        return read

    def _says(self, connection: Connection, name: str, wanted: str) -> bool:
        for turn in talk.turns_of(connection, self.codec, name):
            said = turn.said["message"]["text"]
            answered = turn.turn["reply"]["text"] if turn.turn else ""
            if wanted in said.casefold() or wanted in answered.casefold():
                return True
        return False

    def _read(self, work: Callable[[Connection], T]) -> Future[T]:
        return self.database.read(work)

    def _write(self, work: Callable[[Connection], T]) -> Future[T]:
        return self.database.write(work)


_SEALED = (
    ("people", "body", "people:{}", ("id",)),
    ("conversations", "body", "conversations:{}", ("id",)),
    ("turns", "body", "turns:{}:body", ("id",)),
    ("turns", "reply", "turns:{}:reply", ("id",)),
    ("events", "body", "events:{}:{}", ("turn", "n")),
    ("records", "body", "records:{}", ("id",)),
    ("changes", "body", "changes:{}:{}", ("record", "version")),
    ("grants", "body", "grants:{}", ("id",)),
)


def open_store(
    url: str, keys: Sequence[bytes] = (), clock: Callable[[], float] = time.time
) -> Store:
    """A store whose tables are up to date.

    Args:
        url: of the database.
        keys: of 32 bytes; the first seals, all open; none keeps contents readable.
        clock: tells the time.

    Raises:
        ConfigError: the address or a key cannot be used.
        MissingExtra: the driver or the cipher is not installed.
        StoreError: the database cannot be used; nothing in it was changed.
    """
    codec = Codec(tuple(keys))
    database = Database(url)
    try:
        upgrade(database.engine)
        database.read(lambda c: c.execute(select(people_table.c.id).limit(1)).first()).result()
    except BaseException:
        database.close()
        raise
    return Store(database, codec, clock)


def backup(file: Path, target: Path) -> None:
    """Copy a SQLite database while it is in use.

    Raises:
        StoreError: it cannot be read, or the copy cannot be written.
    """
    try:
        with (
            closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as old,
            closing(sqlite3.connect(target)) as new,
        ):
            old.backup(new)
            found = new.execute("PRAGMA integrity_check").fetchone()
    except sqlite3.Error as error:
        raise StoreError(f"no backup was made ({type(error).__name__})", "failed") from error
    if found != ("ok",):
        raise StoreError("the copy is damaged, and so may be the database", "corrupt")
