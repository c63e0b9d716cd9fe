"""How content is kept: JSON as bytes, plain or sealed with a key that lies elsewhere.

With a key, each value is sealed by itself with AES-256-GCM, bound to the place it belongs to, so
that a value moved to another row is refused. Several keys may be given: the first seals, all open.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from untwist.errors import ConfigError, MissingExtra, StoreError
from untwist.schema import Json

KEY_BYTES = 32
_NONCE_BYTES = 12
_MARK = b"u1:"
"""Begins a sealed value; JSON never begins so."""


@dataclass(frozen=True, slots=True)
class Codec:
    """JSON values to bytes and back.

    Attributes:
        keys: of 32 bytes each; the first seals, all open; none keeps values readable.

    Raises:
        ConfigError: a key has another length.
        MissingExtra: there is a key, and the extra "crypto" is not installed.
    """

    keys: tuple[bytes, ...] = field(default=(), repr=False)
    _boxes: tuple[tuple[bytes, Any], ...] = field(default=(), init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if any(len(key) != KEY_BYTES for key in self.keys):
            raise ConfigError(f"a key has {KEY_BYTES} bytes: make one with untwist serve key")
        if self.keys:
            made = tuple((_name(key), _aead()(key)) for key in self.keys)
            object.__setattr__(self, "_boxes", made)

    @property
    def seals(self) -> bool:
        """Whether values are written sealed."""
        return bool(self.keys)

    def encode(self, value: Json, place: str) -> bytes:
        """A value as bytes.

        Args:
            value: JSON.
            place: table, row and column that it belongs to.
        """
        plain = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        if not self._boxes:
            return plain
        name, box = self._boxes[0]
        nonce = os.urandom(_NONCE_BYTES)
        return _MARK + name + nonce + bytes(box.encrypt(nonce, plain, place.encode()))

    def decode(self, data: bytes, place: str) -> Json:
        """The value that was encoded for this place.

        Raises:
            StoreError: it is sealed with a key that is not here, or was changed.
        """
        plain = bytes(data)
        if plain.startswith(_MARK):
            plain = self._opened(plain[len(_MARK) :], place)
        try:
            value: Json = json.loads(plain)
        except ValueError as error:
            raise StoreError("a stored value is damaged: restore a backup", "corrupt") from error
        return value

    def current(self, data: bytes) -> bool:
        """Whether a value is written as `encode` would write it now."""
        if not self._boxes:
            return not bytes(data).startswith(_MARK)
        return bytes(data).startswith(_MARK + self._boxes[0][0])

    def _opened(self, rest: bytes, place: str) -> bytes:
        name, nonce, sealed = rest[:4], rest[4 : 4 + _NONCE_BYTES], rest[4 + _NONCE_BYTES :]
        box = next((box for known, box in self._boxes if known == name), None)
        if box is None:
            raise StoreError("what is stored is sealed with another key: give that key", "key")
        try:
            return bytes(box.decrypt(nonce, sealed, place.encode()))
        except import_module("cryptography.exceptions").InvalidTag as error:
            raise StoreError("a sealed value was changed: restore a backup", "corrupt") from error


def new_key() -> str:
    """A fresh key as text, to be kept outside the data folder."""
    return base64.urlsafe_b64encode(os.urandom(KEY_BYTES)).decode()


def read_keys(files: Sequence[Path]) -> tuple[bytes, ...]:
    """Keys from files, one a line; the first seals.

    Raises:
        ConfigError: a file cannot be read, or a line is no key.
    """
    found: list[bytes] = []
    for file in files:
        try:
            lines = file.read_text(encoding="ascii").split()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"cannot read the key file {file}") from error
        for line in lines:
            try:
                found.append(base64.urlsafe_b64decode(line))
            except (ValueError, binascii.Error) as error:
                raise ConfigError(
                    f"{file} holds no key: make one with untwist serve key"
                ) from error
    return tuple(found)


def _name(key: bytes) -> bytes:
    """Four bytes by which a key is found again; they say nothing about it."""
    return hashlib.sha256(b"untwist key name" + key).digest()[:4]


def _aead() -> Any:  # noqa: ANN401
    try:
        return import_module("cryptography.hazmat.primitives.ciphers.aead").AESGCM
    except ImportError as error:
        raise MissingExtra("encryption at rest", "crypto") from error
