"""What runs beside a conversation in the terminal: notices that are due, and the referral count."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from untwist.safety import (
    Audience,
    Notice,
    Settings,
    Visit,
    asks_if_person,
    due,
    read_referrals,
    region_of,
    seen,
    write_referrals,
)
from untwist.schema import Utterance
from untwist.taxonomy import Lang
from untwist.text import Locale


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Watch:
    """Times of one conversation and where its referrals are counted; holds no text.

    Attributes:
        audience: whether the person is known to be a minor.
        settings: what the operator set.
        counters: the file of counts; None counts nothing.
        region: the region that was set; None takes it from what the person writes.
        clock: tells the time.
        visit: what is known of the use; None before the first notice.
    """

    audience: Audience = Audience.UNKNOWN
    settings: Settings = field(default_factory=Settings)
    counters: str | None = None
    region: str | None = None
    clock: Callable[[], datetime] = _now
    visit: Visit | None = None

    def opening(self, locales: Iterable[Locale]) -> list[str]:
        """What is said at the start besides the notice that is always there."""
        own = Notice.START if self.audience is not Audience.MINOR else None
        self.visit = Visit(self.clock())
        given = [notice for notice in self._due("") if notice is not own]
        return [notice.said(locale, self.audience) for locale in locales for notice in given]

    def notices(self, line: str, locale: Locale) -> list[str]:
        """The notices to give with the answer to a line; the first was given at the opening."""
        return [notice.said(locale, self.audience) for notice in self._due(line)]

    def _due(self, line: str) -> tuple[Notice, ...]:
        now = self.clock()
        visit = self.visit or Visit(now, now, now)
        given = due(visit, now, self.audience, self.settings, asked=asks_if_person(line))
        self.visit = seen(visit, now, given)
        return given

    def referred(self, lang: Lang, said: Sequence[Utterance]) -> None:
        """Count one referral, when the operator asked for it.

        Raises:
            DataError: the file cannot be read or written.
        """
        if self.counters is None:
            return
        told = (region_of(u.text) for u in reversed(said) if u.role == "user")
        region = self.region or next((place for place in told if place), None)
        code = region.strip().upper() if region else None
        counts = read_referrals(self.counters).add(self.clock(), code, lang)
        write_referrals(self.counters, counts)
