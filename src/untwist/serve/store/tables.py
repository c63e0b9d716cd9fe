"""The tables. What people write, and what was heard in it, stands in `body` and `reply` alone."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

ID = String(32)
"""Room for `untwist.serve.store.ids.new_id`."""
HASH = String(64)
_COUNT = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData()

people = Table(
    "people",
    metadata,
    Column("id", ID, primary_key=True),
    Column("created", Float, nullable=False),
    Column("seen", Float, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("hash", HASH, primary_key=True),
    Column("id", ID, nullable=False, unique=True),
    Column("person", ID, ForeignKey("people.id", ondelete="CASCADE"), nullable=True),
    Column("scope", String(16), nullable=False),
    Column("label", String(80), nullable=False),
    Column("created", Float, nullable=False),
    Column("expires", Float, nullable=True),
    Index("tokens_person", "person"),
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", ID, primary_key=True),
    Column("person", ID, ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("created", Float, nullable=False),
    Column("updated", Float, nullable=False),
    Column("turns", Integer, nullable=False),
    Column("holder", ID, nullable=True),
    Column("held_until", Float, nullable=True),
    Column("body", LargeBinary, nullable=False),
    Index("conversations_person", "person", "updated"),
)

turns = Table(
    "turns",
    metadata,
    Column("id", ID, primary_key=True),
    Column("conversation", ID, ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("key", HASH, nullable=True),
    Column("created", Float, nullable=False),
    Column("finished", Float, nullable=True),
    Column("body", LargeBinary, nullable=False),
    Column("reply", LargeBinary, nullable=True),
    UniqueConstraint("conversation", "seq", name="turns_in_order"),
    UniqueConstraint("conversation", "key", name="turns_once"),
)

events = Table(
    "events",
    metadata,
    Column("turn", ID, ForeignKey("turns.id", ondelete="CASCADE"), primary_key=True),
    Column("n", Integer, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

records = Table(
    "records",
    metadata,
    Column("id", ID, primary_key=True),
    Column("person", ID, ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("conversation", ID, nullable=True),
    Column("version", Integer, nullable=False),
    Column("created", Float, nullable=False),
    Column("updated", Float, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("records_person", "person", "kind", "updated"),
)

changes = Table(
    "changes",
    metadata,
    Column("record", ID, ForeignKey("records.id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("actor", String(16), nullable=False),
    Column("body", LargeBinary, nullable=False),
)

grants = Table(
    "grants",
    metadata,
    Column("id", ID, primary_key=True),
    Column("person", ID, ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("clinician", ID, ForeignKey("people.id", ondelete="CASCADE"), nullable=True),
    Column("invite", HASH, nullable=True, unique=True),
    Column("created", Float, nullable=False),
    Column("expires", Float, nullable=False),
    Column("accepted", Float, nullable=True),
    Column("body", LargeBinary, nullable=False),
    Index("grants_person", "person"),
    Index("grants_clinician", "clinician"),
)

audit = Table(
    "audit",
    metadata,
    Column("n", _COUNT, primary_key=True, autoincrement=False),
    Column("at", Float, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("subject", HASH, nullable=False),
    Column("facts", String(1000), nullable=False),
    Column("hash", HASH, nullable=False),
)

referrals = Table(
    "referrals",
    metadata,
    Column("month", String(7), primary_key=True),
    Column("region", String(8), primary_key=True),
    Column("lang", String(8), primary_key=True),
    Column("count", Integer, nullable=False),
)
