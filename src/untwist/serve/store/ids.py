"""Names of things that nobody can guess, and secrets of which only a hash is kept."""

from __future__ import annotations

import hashlib
import hmac
import secrets


def new_id() -> str:
    """An id of 144 random bits, 24 characters that may stand in an address."""
    return secrets.token_urlsafe(18)


def new_secret() -> str:
    """A secret of 256 random bits; it is shown once and never stored."""
    return secrets.token_urlsafe(32)


def hash_of(secret: str) -> str:
    """What is stored of a secret; a random one of 256 bits needs no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def subject_of(person: str) -> str:
    """The name of a person in the audit trail: tied to nothing once the person is erased."""
    return hmac.new(b"untwist audit subject", person.encode(), hashlib.sha256).hexdigest()
