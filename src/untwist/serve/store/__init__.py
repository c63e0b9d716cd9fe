"""What is kept: conversations, records, people, shares, an audit trail; SQLite or PostgreSQL.

Nothing is acknowledged before it is committed. What people write stands in sealed or plain bodies
that nothing but this package reads; ids are random, tokens are kept as hashes.
"""

from untwist.serve.store.codec import Codec, new_key, read_keys
from untwist.serve.store.ids import new_id, new_secret
from untwist.serve.store.store import Store, open_store
from untwist.serve.store.values import (
    Conversation,
    Event,
    Grant,
    Person,
    Record,
    StoredTurn,
    Token,
)

__all__ = [
    "Codec",
    "Conversation",
    "Event",
    "Grant",
    "Person",
    "Record",
    "Store",
    "StoredTurn",
    "Token",
    "new_id",
    "new_key",
    "new_secret",
    "open_store",
    "read_keys",
]
