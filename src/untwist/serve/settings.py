"""What an operator sets, in one place; the strings under the fields are the help.

From TOML (`untwist serve --config serve.toml`), then the environment (UNTWIST_DB and so on), then
options of the command, the last one winning. Nothing is read at import.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from untwist.errors import ConfigError
from untwist.safety import Settings as NoticeSettings
from untwist.safety import region_codes

FOLDER = "untwist"
FILE = "untwist.db"


def default_database(environment: Mapping[str, str]) -> str:
    """A file in the folder that this machine keeps for data of programs."""
    base = environment.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return f"sqlite:///{Path(base) / FOLDER / FILE}"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of what one request, one process and one turn may take.

    Attributes:
        body: bytes of a request.
        archive: bytes of an archive that is restored.
        message: characters of a message.
        requests: at work at the same time; more get 503 at once.
        receiving: seconds until a request is there in full.
        turn: seconds until a reply is made; more than `whole`.
        first: seconds until a language model's first piece; then the scripted reply is said.
        whole: seconds until its last.
        asking: replies that a language model makes at the same time in one process; further ones
            are scripted.
        heartbeat: seconds between two signs of life in a stream.
        drain: seconds that a stop waits for replies at work.
        turns: of one conversation.
    """

    body: int = 262_144
    archive: int = 52_428_800
    message: int = 20_000
    requests: int = 1000
    receiving: float = 10.0
    turn: float = 40.0
    first: float = 8.0
    whole: float = 30.0
    asking: int = 32
    heartbeat: float = 15.0
    drain: float = 10.0
    turns: int = 1000

    def __post_init__(self) -> None:
        wrong = [item.name for item in fields(self) if getattr(self, item.name) <= 0]
        if wrong:
            raise ConfigError(f"limits.{wrong[0]} must be above 0")
        if self.turn <= self.whole:
            raise ConfigError("limits.turn must be above limits.whole: a script speaks afterwards")


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """All settings of a server.

    Attributes:
        db: address of the database; "" is a file of this user.
        host: where it listens; anything but this machine asks for `public`.
        port: where it listens; 0 takes a free one.
        public: whether it may be reached from elsewhere: cookies are Secure then, and whoever
            comes through the API needs a key.
        contained: it runs in a container whose port is published on this machine alone or behind a
            proxy, so that it may listen on every address in there.
        origin: the address that browsers use, such as "https://example.org"; needed behind a proxy.
        region: ISO code of the country whose help lines are shown; "" is what the person says.
        locale: language of the pages until a person chooses; "" is what the browser asks for.
        key_files: files with keys for encryption at rest, outside the data folder; the first key
            seals.
        retention_days: people who did not come for so long are erased; 0 keeps them.
        llm: name of a language model as for `--responder llm:NAME`; "" speaks from scripts alone.
        minors: "ask" the age at the start, or treat "all" as minors, or "none".
        crisis_webhook: https address that is told when a crisis reply was given, and nothing else;
            "" tells nobody.
        limits: see `Limits`.
        notices: see `untwist.safety.Settings`.

    Raises:
        ConfigError: a value is out of its range, or two contradict each other.
    """

    db: str = ""
    host: str = "127.0.0.1"
    port: int = 8000
    public: bool = False
    contained: bool = False
    origin: str = ""
    region: str = ""
    locale: str = ""
    key_files: tuple[str, ...] = ()
    retention_days: int = 365
    llm: str = ""
    minors: str = "ask"
    crisis_webhook: str = ""
    limits: Limits = field(default_factory=Limits)
    notices: NoticeSettings = field(default_factory=NoticeSettings)

    def __post_init__(self) -> None:
        if not (self.public or self.contained or _loopback(self.host)):
            raise ConfigError(
                f"{self.host} can be reached from elsewhere: set public = true, which asks for "
                "keys, or listen on 127.0.0.1"
            )
        if self.public and not self.origin.startswith("https://"):
            raise ConfigError('a public server needs its address: origin = "https://..."')
        if not 0 <= self.port <= 65_535:
            raise ConfigError(f"port is {self.port}: give 0 to 65535")
        if self.region and self.region not in region_codes():
            raise ConfigError(f"region is no known code: give one of {', '.join(region_codes())}")
        if self.locale not in ("", "en", "zh", "zh-Hant"):
            raise ConfigError('locale is none of "en", "zh", "zh-Hant"')
        if self.retention_days < 0:
            raise ConfigError("retention_days counts from 0, which keeps everything")
        if self.minors not in ("ask", "all", "none"):
            raise ConfigError('minors is none of "ask", "all", "none"')
        if self.crisis_webhook and not _private(self.crisis_webhook):
            raise ConfigError("crisis_webhook is no https address, nor one of this machine")

    @property
    def secure(self) -> bool:
        """Whether browsers come by https."""
        return self.origin.startswith("https://")


_TEXTS = {
    "UNTWIST_DB": "db",
    "UNTWIST_HOST": "host",
    "UNTWIST_ORIGIN": "origin",
    "UNTWIST_REGION": "region",
    "UNTWIST_LOCALE": "locale",
    "UNTWIST_SERVE_LLM": "llm",
}


def with_environment(settings: ServeSettings, environment: Mapping[str, str]) -> ServeSettings:
    """Settings with what the environment says in place, and a database.

    Raises:
        ConfigError: a value is wrong, or the two contradict each other.
    """
    said: dict[str, Any] = {
        name: environment[key] for key, name in _TEXTS.items() if environment.get(key)
    }
    if port := environment.get("UNTWIST_PORT"):
        if not port.isdecimal():
            raise ConfigError("UNTWIST_PORT is no number")
        said["port"] = int(port)
    for name in ("public", "contained"):
        key = f"UNTWIST_{name.upper()}"
        if switch := environment.get(key):
            if switch not in ("0", "1"):
                raise ConfigError(f"{key} is 0 or 1")
            said[name] = switch == "1"
    if days := environment.get("UNTWIST_RETENTION_DAYS"):
        if not days.isdecimal():
            raise ConfigError("UNTWIST_RETENTION_DAYS is no number")
        said["retention_days"] = int(days)
    if keys := environment.get("UNTWIST_KEY_FILES"):
        said["key_files"] = tuple(keys.split(os.pathsep))
    if not said.get("db", settings.db):
        said["db"] = default_database(environment)
    return replace(settings, **said)


def _private(address: str) -> bool:
    """Whether nobody on the way can read what is sent to an address."""
    try:
        found = urlsplit(address)
        host = found.hostname or ""
    except ValueError:
        return False
    return bool(host) and (found.scheme == "https" or (found.scheme == "http" and _loopback(host)))


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
