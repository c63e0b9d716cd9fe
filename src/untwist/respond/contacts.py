"""The contacts of a region, in the wording of a book: as a list, as a sentence, as a mention."""

from __future__ import annotations

import re

from untwist import safety
from untwist.respond.danger import Barrier
from untwist.respond.voice import Voice
from untwist.taxonomy import Acuity

_MOST = 2
_ASIDE = re.compile(r"\s*[（(][^（）()]*[）)]")


class Contacts:
    """Whom a person can reach, as far as it is known where they are."""

    def __init__(self, voice: Voice, region: str | None, kind: Acuity | None) -> None:
        self.voice = voice
        self.book = voice.book
        known = [r for r in safety.lines(region) if region and r.kind != "directory"]
        first = self.book.crisis.first_contact.get(kind, "") if kind else ""
        emergency = [r for r in known if r.kind == "emergency"]
        emergency.sort(key=lambda r: not (first and r.id.endswith(first)))
        self.emergency = emergency[:_MOST]
        self.lines = [r for r in known if r.kind != "emergency"][:_MOST]
        self.directory = next(r for r in safety.lines(None) if r.kind == "directory")
        self.placed = region is not None

    def block(self, *, urgent: bool) -> str:
        """The list, the emergency number first when it is urgent."""
        emergency = [f"- {self._row(r)}" for r in self.emergency]
        if not emergency:
            emergency = [f"- {self.book.crisis.emergency_unknown}"]
        others = [f"- {self._row(r)}" for r in self.lines] or [f"- {self._directory()}"]
        rows = emergency + others if urgent else others + emergency
        if not self.placed:
            rows.append(self.book.crisis.choose)
        return "\n".join(rows)

    def help(self) -> str:
        """Where help is, as part of a sentence."""
        line, texts = self._line(), self.book.crisis
        return texts.help_known.format(line=line) if line else texts.help_unknown

    def reminder(self, *, urgent: bool) -> str:
        """The contacts in one sentence, the emergency number first when it is urgent."""
        shared = self.book.crisis.shared
        line = self._line()
        if line is None and not self.emergency:
            return self.voice.pick("reminder", shared["reminder_unknown"])
        numbers = [f"{r.name_in(self.book.locale)} {r.contact}" for r in self.emergency]
        emergency = ("、" if self.book.lang == "zh" else ", ").join(numbers)
        texts = shared["reminder_urgent" if urgent else "reminder"]
        return self.voice.pick("reminder", texts).format(
            line=line or self.directory.contact,
            emergency=emergency or self.book.crisis.emergency_unknown,
        )

    def fits(self, barrier: Barrier) -> bool:
        """Whether the line that is named first has what the advice speaks of."""
        return barrier.needs is None or any(
            barrier.needs in f"{r.kind} {r.name_en} {r.hours_en}".lower() for r in self.lines[:1]
        )

    def _line(self) -> str | None:
        """The first line in few words; None when none is known."""
        return self._short(self.lines[0]) if self.lines else None

    def _directory(self) -> str:
        return self.directory.name_in(self.book.locale)

    def _row(self, resource: safety.Resource) -> str:
        locale = self.book.locale
        name, hours = resource.name_in(locale), resource.hours_in(locale)
        colon, comma = ("：", "，") if self.book.lang == "zh" else (": ", ", ")
        return f"{name}{colon}{resource.contact}" + (f"{comma}{hours}" if hours else "")

    def _short(self, resource: safety.Resource) -> str:
        name = _ASIDE.sub("", resource.name_in(self.book.locale))
        if resource.contact in name:
            return name
        left, right = ("（", "）") if self.book.lang == "zh" else (" (", ")")
        return f"{name}{left}{resource.contact}{right}"
