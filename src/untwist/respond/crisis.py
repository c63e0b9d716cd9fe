"""The crisis reply: six fixed parts, with the contacts of the region; no part is ever generated.

Contract (SAFETY.md): thanks and reflection, one direct question, the line and the emergency number,
a person nearby and distance from danger, what an AI cannot do, staying available.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from untwist import safety
from untwist.respond.book import Barrier, Book
from untwist.respond.moods import DARK
from untwist.respond.pick import occurs, pick
from untwist.schema import Assessment
from untwist.taxonomy import Acuity

CRISIS_PARTS = ("reflect", "question", "resource", "near", "limits", "stay")
"""The six parts of the contract."""
BLOCK_PAUSE = 3
"""For how many assistant turns the same list of contacts is not shown again word for word."""

_MOST = 2
_ASIDE = re.compile(r"\s*[（(][^（）()]*[）)]")


def crisis_text(
    assessment: Assessment, book: Book, region: str | None, seed: str, said: Sequence[str]
) -> str:
    """The six parts for the kind of danger that decides, as short paragraphs."""
    kind = _kind(assessment.acuity, book)
    urgent = bool(set(assessment.acuity) & book.crisis.urgent) or kind in book.crisis.urgent
    lead_kind = next((a for a in assessment.acuity if a in book.crisis.first_contact), kind)
    own = {
        slot: pick([texts], seed + slot, said) for slot, texts in book.crisis.acuity[kind].items()
    }
    contacts = _Contacts(book, region, lead_kind)
    resource = _resource(contacts, urgent, seed, said)
    limits = pick([book.crisis.shared["limits"]], seed + "limits", said)
    stay = pick([book.crisis.shared["stay"]], seed + "stay", said)
    space = "" if book.lang == "zh" else " "
    ending = space.join([limits, stay])
    if urgent:
        return "\n\n".join([own["reflect"], resource, own["near"], own["question"], ending])
    return "\n\n".join(
        [space.join([own["reflect"], own["question"]]), resource, own["near"], ending]
    )


def soft_text(
    assessment: Assessment, book: Book, region: str | None, seed: str, said: Sequence[str]
) -> str:
    """One sentence that says where help is, without pressing it on anyone."""
    contacts = _Contacts(book, region, None)
    line = contacts.line()
    help_ = book.crisis.help_known.format(line=line) if line else book.crisis.help_unknown
    return pick([book.crisis.soft[_occasion(assessment)]], seed + "soft", said).format(help=help_)


def contacts_text(book: Book, region: str | None, seed: str, said: Sequence[str]) -> str:
    """The list of contacts with a sentence that leads to it."""
    return _resource(_Contacts(book, region, None), False, seed, said)


def shows_crisis(texts: Sequence[str], book: Book) -> bool:
    """Whether one of these texts is a crisis reply."""
    return any(limit in text for limit in book.crisis.shared["limits"] for text in texts)


def _kind(acuity: Sequence[Acuity], book: Book) -> Acuity:
    if Acuity.THIRD_PARTY in acuity:
        return Acuity.THIRD_PARTY
    return next((a for a in book.crisis.order if a in acuity), Acuity.PASSIVE)


def _occasion(assessment: Assessment) -> str:
    reasons = " ".join(assessment.reasons)
    for occasion, sign in (("bereavement", "bereave"), ("past", "history")):
        if sign in reasons:
            return occasion
    if Acuity.THIRD_PARTY in assessment.acuity:
        return "third_party"
    if Acuity.SELF_INJURY in assessment.acuity:
        return "self_injury"
    return "passive" if DARK & set(assessment.acuity) else "general"


class _Contacts:
    """The contacts of a region, in the wording of a book."""

    def __init__(self, book: Book, region: str | None, kind: Acuity | None) -> None:
        self.book = book
        known = [r for r in safety.lines(region) if region and r.kind != "directory"]
        first = book.crisis.first_contact.get(kind, "") if kind else ""
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

    def line(self) -> str | None:
        """The first line in few words; None when none is known."""
        return self._short(self.lines[0]) if self.lines else None

    def reminder(self, seed: str, said: Sequence[str], *, urgent: bool) -> str:
        """The contacts in one sentence, the emergency number first when it is urgent."""
        shared = self.book.crisis.shared
        line = self.line()
        if line is None and not self.emergency:
            return pick([shared["reminder_unknown"]], seed + "reminder", said)
        texts = shared["reminder_urgent" if urgent else "reminder"]
        numbers = [f"{r.name_in(self.book.lang)} {r.contact}" for r in self.emergency]
        emergency = ("、" if self.book.lang == "zh" else ", ").join(numbers)
        return pick([texts], seed + "reminder", said).format(
            line=line or self.directory.contact,
            emergency=emergency or self.book.crisis.emergency_unknown,
        )

    def fits(self, barrier: Barrier) -> bool:
        """Whether the region's line has the channel that the advice speaks of."""
        return barrier.needs is None or any(
            barrier.needs in f"{r.kind} {r.name_en}".lower() for r in self.lines
        )

    def _directory(self) -> str:
        return self.directory.name_in(self.book.lang)

    def _row(self, resource: safety.Resource) -> str:
        name, hours = resource.name_in(self.book.lang), resource.hours_in(self.book.lang)
        colon, comma = ("：", "，") if self.book.lang == "zh" else (": ", ", ")
        return f"{name}{colon}{resource.contact}" + (f"{comma}{hours}" if hours else "")

    def _short(self, resource: safety.Resource) -> str:
        name = _ASIDE.sub("", resource.name_in(self.book.lang))
        if resource.contact in name:
            return name
        return (
            f"{name}（{resource.contact}）"
            if self.book.lang == "zh"
            else f"{name} ({resource.contact})"
        )


def _resource(contacts: _Contacts, urgent: bool, seed: str, said: Sequence[str]) -> str:
    block = contacts.block(urgent=urgent)
    if any(occurs(block, text) for text in said[-BLOCK_PAUSE:]):
        texts = [b.text for b in contacts.book.crisis.barriers[urgent] if contacts.fits(b)]
        space = "" if contacts.book.lang == "zh" else " "
        advice = pick([texts], seed + "barrier", said)
        return advice + space + contacts.reminder(seed, said, urgent=urgent)
    lead = contacts.book.crisis.shared["lead_urgent" if urgent else "lead"]
    return f"{pick([lead], seed + 'lead', said)}\n{block}"
