"""Which notice is due: that this is a program, that a break is due, what minors are told.

Rules and texts stand in `notices.json`; there is no clock here, the time is an argument. What the
laws ask of whom is in SAFETY.md. An operator's settings can make notices more frequent, not absent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

from untwist.errors import ConfigError
from untwist.text import Locale, normalize

_READ = 2000
_ASKED_CHARS = 400


class Audience(StrEnum):
    """Whether the person is known to be of age; an unknown one is timed as an adult."""

    ADULT = "adult"
    MINOR = "minor"
    UNKNOWN = "unknown"

    @property
    def role_play(self) -> bool:
        """Whether a language model may play a character for this person; never for a minor."""
        return self is not Audience.MINOR or bool(_file()["minor_mode"]["role_play"])


class Notice(StrEnum):
    """A text that is due; `said` gives it in a language."""

    START = "start"
    AWAY = "away"
    ASKED = "asked"
    REMINDER = "reminder"
    BREAK = "break"
    NEW_YORK = "new_york"
    CHAT_OFF = "chat_off"
    NO_ROLE_PLAY = "no_role_play"

    def said(self, locale: Locale, audience: Audience = Audience.UNKNOWN) -> str:
        """The text; a minor gets the wording for minors where there is one."""
        texts = _file()["texts"]
        own = f"{self.value}_minor" if audience is Audience.MINOR else self.value
        return str(texts.get(own, texts[self.value])[locale])


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator sets.

    Attributes:
        every: minutes between two reminders that this is a program, 1 to 180; None is 120, for
            minors 60.
        pause_after: minutes of use after which a break is proposed, 1 to 180.
        new_york: also give the notice in capitals that New York's law is read to ask for, at the
            start and at least every three hours.
        chat_off: regions where the operator has switched the conversation off, such as "US-IL".

    Raises:
        ConfigError: a number is out of range, or a region is no code.
    """

    every: int | None = None
    pause_after: int = 120
    new_york: bool = False
    chat_off: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        most = _file()["minutes"]["most"]
        for name, value in (("every", self.every), ("pause_after", self.pause_after)):
            if value is not None and not 1 <= value <= most:
                raise ConfigError(f"{name} is {value} minutes: give 1 to {most}")
        wrong = sorted(code for code in self.chat_off if not _REGION.fullmatch(code))
        if wrong:
            raise ConfigError(f'chat_off holds "{wrong[0]}": give codes such as US or US-IL')


_REGION = re.compile(r"[A-Z]{2}(?:-[A-Z0-9]{1,3})?")


@dataclass(frozen=True, slots=True)
class Visit:
    """What is known of a person's use; all times are aware.

    Attributes:
        started: when this stretch of use began.
        last_seen: when the person last did something; None on the first visit.
        last_notice: when it was last said that this is a program; None when it never was.
        last_break: when a break was last proposed; None when it never was.

    Raises:
        ConfigError: a time has no zone.
    """

    started: datetime
    last_seen: datetime | None = None
    last_notice: datetime | None = None
    last_break: datetime | None = None

    def __post_init__(self) -> None:
        for moment in (self.started, self.last_seen, self.last_notice, self.last_break):
            if moment is not None and moment.utcoffset() is None:
                raise ConfigError("a time without a zone: give aware datetimes")


def due(
    visit: Visit,
    now: datetime,
    audience: Audience = Audience.UNKNOWN,
    settings: Settings | None = None,
    *,
    asked: bool = False,
) -> tuple[Notice, ...]:
    """The notices to give now, in this order; empty when none is due.

    Args:
        visit: what is known of the person's use.
        now: the time, aware. A clock that went back makes a notice due, never absent.
        audience: whether the person is known to be a minor.
        settings: what the operator set; None is the defaults.
        asked: the person has asked whether this is a program (see `asks_if_person`).
    """
    settings = settings or Settings()
    minutes = _file()["minutes"]
    every = settings.every or minutes[audience.value]
    first = visit.last_notice is None
    away = visit.last_seen is not None and _over(visit.last_seen, now, minutes["away_days"] * 1440)
    again = visit.last_notice is not None and _over(visit.last_notice, now, every)
    found = []
    if first or away:
        found.append(Notice.START if first else Notice.AWAY)
    if asked:
        found.append(Notice.ASKED)
    elif again and not away:
        found.append(Notice.REMINDER)
    if settings.new_york and (first or away or again):
        found.append(Notice.NEW_YORK)
    since = max(m for m in (visit.started, visit.last_break) if m is not None)
    if not away and _over(since, now, settings.pause_after):
        found.append(Notice.BREAK)
    return tuple(found)


def _over(then: datetime, now: datetime, minutes: int) -> bool:
    return now - then >= timedelta(minutes=minutes) or now < then


def seen(visit: Visit, now: datetime, given: tuple[Notice, ...] = ()) -> Visit:
    """The visit after the person did something now and was given these notices.

    A gap of half an hour is a break of its own: what follows is a new stretch of use.
    """
    pause = _file()["minutes"]["pause"]
    rested = visit.last_seen is not None and _over(visit.last_seen, now, pause)
    told = any(n is not Notice.BREAK for n in given)
    return replace(
        visit,
        started=now if rested else visit.started,
        last_seen=now,
        last_notice=now if told else visit.last_notice,
        last_break=None if rested else now if Notice.BREAK in given else visit.last_break,
    )


def chat_is_off(region: str | None, settings: Settings) -> bool:
    """Whether the operator has switched the conversation off where the person is.

    A region stands for its parts: "US" switches "US-IL" off as well.
    """
    if region is None:
        return False
    code = region.strip().upper()
    return code in settings.chat_off or code.split("-")[0] in settings.chat_off


def ask_a_lawyer() -> Mapping[str, str]:
    """Regions whose law an operator should ask a lawyer about, with the name of the law.

    Nothing is switched off by itself.
    """
    found: Mapping[str, str] = _file()["ask_a_lawyer"]
    return found


def asks_if_person(text: str) -> bool:
    """Whether a message asks if it is a program or a person that answers, in English or Chinese."""
    folded = normalize(text[:_READ]).text.strip()[:_ASKED_CHARS]
    return any(_asks(folded, lang) for lang in ("en", "zh"))


def _asks(folded: str, lang: str) -> bool:
    wanted, unless = _patterns(lang)
    for pattern in wanted:
        for found in pattern.finditer(folded):
            before = folded[: found.start()][-60:]
            if not any(u.search(before) for u in unless):
                return True
    return False


@cache
def _patterns(lang: str) -> tuple[tuple[re.Pattern[str], ...], tuple[re.Pattern[str], ...]]:
    raw = _file()
    wanted = (re.compile(p, re.ASCII | re.MULTILINE) for p in raw["asked"][lang])
    return tuple(wanted), tuple(re.compile(p, re.ASCII) for p in raw["asked_not"][lang])


@cache
def _file() -> Mapping[str, Any]:
    path = files("untwist.safety").joinpath("notices.json")
    found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
