"""A passphrase before the pages of one person; help never needs it."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from untwist.serve.auth import Caller
from untwist.serve.settings import ServeSettings

COOKIE = "untwist_open"
KEY = "lock"
"""The setting of a person that holds what is kept of the passphrase."""
WRONG = "lock_wrong"
"""The setting that counts wrong passphrases in a row, and when the last one was."""
FREE_TRIES = 5
"""Wrong passphrases in a row before one has to wait."""
LONGEST_WAIT = 3600.0
QUIET = 900.0
"""Seconds after which locked pages ask again."""
FREE = ("/help", "/away", "/protocol", "/language", "/region", "/unlock", "/erase", "/static/")
"""Pages that a lock does not close."""
_SCRYPT: Mapping[str, Any] = {"n": 2**14, "r": 8, "p": 1}


def wait(settings: Mapping[str, Any], now: float) -> float:
    """Seconds until another passphrase may be tried: a minute after five, doubled by each more."""
    tried, last = settings.get(WRONG, (0, 0.0))
    if tried < FREE_TRIES:
        return 0.0
    pause: float = min(60.0 * 2.0 ** min(tried - FREE_TRIES, 10), LONGEST_WAIT)
    return max(0.0, float(last) + pause - now)


def after(settings: Mapping[str, Any], now: float, *, right: bool) -> dict[str, Any]:
    """Settings after a try."""
    rest = {key: value for key, value in settings.items() if key != WRONG}
    return rest if right else {**rest, WRONG: (settings.get(WRONG, (0, 0.0))[0] + 1, now)}


def locked_with(passphrase: str) -> str:
    """What is kept of a passphrase (scrypt, RFC 7914)."""
    salt = os.urandom(16)
    return f"{salt.hex()}:{_stretched(passphrase, salt).hex()}"


def fits(passphrase: str, kept: str) -> bool:
    """Whether it is the passphrase."""
    salt, _, key = kept.partition(":")
    try:
        wanted = bytes.fromhex(key)
        found = _stretched(passphrase, bytes.fromhex(salt))
    except ValueError:
        return False
    return bool(wanted) and hmac.compare_digest(found, wanted)


def open_for(
    answer: Response, settings: ServeSettings, caller: Caller, kept: str, now: float
) -> None:
    """Let this browser in for a while."""
    until = str(int(now + QUIET))
    answer.set_cookie(
        COOKIE,
        f"{until}.{_signed(caller, kept, until)}",
        httponly=True,
        secure=settings.secure,
        samesite="strict",
        path="/",
    )


def is_open(request: Request, caller: Caller, kept: str | None, now: float) -> bool:
    """Whether things may be shown: there is no lock, it was opened lately, or help is asked for."""
    if kept is None or caller.via != "cookie" or request.url.path.startswith(FREE):
        return True
    return opened(request, caller, kept, now)


def opened(request: Request, caller: Caller, kept: str, now: float) -> bool:
    """Whether this browser opened the lock lately."""
    until, _, sign = request.cookies.get(COOKIE, "").partition(".")
    fresh = until.isdecimal() and int(until) > now
    return fresh and hmac.compare_digest(sign, _signed(caller, kept, until))


def _signed(caller: Caller, kept: str, until: str) -> str:
    return hmac.new(caller.secret.encode(), f"open {until} {kept}".encode(), "sha256").hexdigest()


def _stretched(passphrase: str, salt: bytes) -> bytes:
    return hashlib.scrypt(passphrase.encode(), salt=salt, **_SCRYPT)
