"""Where a server is, out of a base URL."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from untwist.errors import ConfigError

_LOOPBACK = ("localhost", "::1", "127.")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is.

    Attributes:
        host: name or address.
        port: of TCP.
        tls: whether the connection is encrypted.
        path: of the base URL, without a slash at the end.
    """

    host: str
    port: int
    tls: bool
    path: str

    @property
    def loopback(self) -> bool:
        """Whether it is this machine."""
        return self.host in _LOOPBACK or self.host.startswith(_LOOPBACK[-1])

    @property
    def shown(self) -> str:
        """Host and port, as a header names them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"


def address_of(url: str) -> Address:
    """The address in a base URL.

    Raises:
        ConfigError: it is none, or it holds a user or a password.
    """
    parts = urlsplit(url.strip())
    try:
        port = parts.port
    except ValueError:
        port = -1
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == -1:
        raise ConfigError("the model's URL is none: give one such as http://127.0.0.1:8000/v1")
    if not url.strip().isascii() or any(c.isspace() for c in url.strip()):
        raise ConfigError("the model's URL holds a blank or a letter that no URL has: encode it")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigError("the model's URL holds more than an address: give the key by itself")
    tls = parts.scheme == "https"
    return Address(parts.hostname, port or (443 if tls else 80), tls, parts.path.rstrip("/"))
