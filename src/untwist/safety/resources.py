"""Who to contact, by region, from one dated and sourced file; nothing else may print a number.

A fact that has not been confirmed at its source is in the file too, switched off, and is never
returned. Language is not region: where nothing is known of the place, a worldwide directory and a
chooser are shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from untwist.errors import ConfigError
from untwist.text import Locale, normalize

Kind = Literal["emergency", "line", "text", "directory"]

EVERYWHERE = "*"
"""The region of what can be reached from any country."""

_ORDER = ("emergency", "line", "text", "directory")
_NUMBER = re.compile(r"\d[\d \-]*\d|\d")
_HERE_EN = re.compile(
    r"\b(?:i'?m|i am|we'?re|we are|i live|i'?m living|living|based|located|staying|currently|here"
    r"|from|stuck|studying|working)"
    r" (?:[a-z]+ ){0,3}?(?:in|from|at|near|outside|around|to) (?:the )?(?P<place>[a-z.' ]{2,40})"
)
_HERE_ZH = re.compile(
    "(?:我|人|现在|目前|住|身)[^，。！？,.!?]{0,6}?(?:在|住|来自|是)(?P<place>[^，。！？,.!?]{2,12})"
)


@dataclass(frozen=True, slots=True)
class Resource:
    """A service that can be contacted.

    Attributes:
        id: its name in the file.
        region: ISO 3166 code of the country or territory ("EU" for the common emergency number), or
            "*".
        name_en: English name.
        name_zh: Chinese name, in Simplified characters.
        name_zh_hant: Chinese name, in Traditional characters.
        contact: the number or address, as it is printed.
        kind: emergency service, telephone line, text line or directory.
        hours_en: when it answers, in English; None when not confirmed.
        hours_zh: when it answers, in Simplified Chinese; None when not confirmed.
        hours_zh_hant: when it answers, in Traditional Chinese; None when not confirmed.
        source: where the fact comes from.
        source_date: date of the source, ISO 8601.
        checked: when the source was read, ISO 8601.
    """

    id: str
    region: str
    name_en: str
    name_zh: str
    name_zh_hant: str
    contact: str
    kind: Kind
    hours_en: str | None
    hours_zh: str | None
    hours_zh_hant: str | None
    source: str
    source_date: str
    checked: str

    def name_in(self, locale: Locale) -> str:
        """Its name, in English, Simplified or Traditional Chinese."""
        names = {"en": self.name_en, "zh": self.name_zh, "zh-Hant": self.name_zh_hant}
        return names[locale]

    def hours_in(self, locale: Locale) -> str | None:
        """When it answers; None when that has not been confirmed."""
        hours = {"en": self.hours_en, "zh": self.hours_zh, "zh-Hant": self.hours_zh_hant}
        return hours[locale]


@cache
def _file() -> Mapping[str, Any]:
    path = files("untwist.safety").joinpath("resources.json")
    found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


@cache
def _enabled() -> tuple[Resource, ...]:
    return tuple(
        Resource(
            id=entry["id"],
            region=entry["region"],
            name_en=entry["name"]["en"],
            name_zh=entry["name"]["zh"],
            name_zh_hant=entry["name"]["zh-Hant"],
            contact=entry["contact"],
            kind=entry["kind"],
            hours_en=(entry["hours"] or {}).get("en"),
            hours_zh=(entry["hours"] or {}).get("zh"),
            hours_zh_hant=(entry["hours"] or {}).get("zh-Hant"),
            source=entry["source"],
            source_date=entry["source_date"],
            checked=entry["checked"],
        )
        for entry in _file()["entries"]
        if entry["verified"]
    )


def regions() -> tuple[str, ...]:
    """The codes of the regions with at least one confirmed contact, sorted."""
    return tuple(sorted({r.region for r in _enabled()} - {EVERYWHERE}))


def region_codes() -> tuple[str, ...]:
    """The codes of all regions in the file, sorted, those without a confirmed contact too."""
    return tuple(sorted(_file()["regions"]))


def region_name(code: str, locale: Locale) -> str:
    """The name of a region; its code when it is not in the file."""
    found = _file()["regions"].get(code)
    return str(found[locale]) if found else code


def lines(region: str | None = None) -> tuple[Resource, ...]:
    """The confirmed contacts of a region, emergency first; the worldwide directory when unknown.

    Raises:
        ConfigError: the region is in the file under no code; the message lists the known ones.
    """
    wanted = EVERYWHERE if region is None else region.strip().upper()
    if wanted not in (*_file()["regions"], EVERYWHERE):
        raise ConfigError(f'region is "{region}"; the known ones are {", ".join(regions())}')
    found = [r for r in _enabled() if r.region == wanted]
    if not found:
        found = [r for r in _enabled() if r.region == EVERYWHERE]
    return tuple(sorted(found, key=lambda r: _ORDER.index(r.kind)))


_MOST_PLACES = 20
"""Places that are looked up in one message; bounds the time of a long one."""


def region_of(text: str) -> str | None:
    """Where a message says its writer is; None when it does not. Never told from the language."""
    folded = normalize(text).text
    said = [m["place"] for pattern in (_HERE_EN, _HERE_ZH) for m in pattern.finditer(folded)]
    for place in list(dict.fromkeys(said))[:_MOST_PLACES]:
        for code, entry in _file()["regions"].items():
            if any(_names(name, place) for name in entry["places"]):
                return str(code)
    return _bare_place(text)


def _bare_place(text: str) -> str | None:
    """A message that is nothing but the name of a place: the answer to "where are you?"."""
    bare = text.strip(" .!?。！？,，")
    if bare in _file()["regions"]:
        return bare
    name = normalize(bare).text.removeprefix("the ")
    for code, entry in _file()["regions"].items():
        if name in entry["places"]:
            return str(code)
    return None


def _names(name: str, place: str) -> bool:
    if name[0].isascii():
        return re.match(rf"(?:[a-z]+ ){{0,3}}?{re.escape(name)}(?![a-z])", place) is not None
    return name in place


def help_block(locale: Locale, region: str | None = None) -> str:
    """A short fixed text: who to contact now, in a language and its characters.

    With a region, its lines; without one, the names of the known regions and the directory.

    Raises:
        ConfigError: the region is unknown.
    """
    words = _file()["block"][locale]
    contacts = lines(region)
    local = [r for r in contacts if r.region != EVERYWHERE]
    rows = [words["now"]]
    if local:
        rows += [words["lines"], *(f"- {_row(r, words, locale)}" for r in local)]
    else:
        names = [_file()["regions"][code][locale] for code in regions()]
        comma = ", " if locale == "en" else "、"
        rows.append(words["chooser"].format(regions=comma.join(names)))
    directory = lines(None)[0]
    rows.append(words["directory"].format(contact=directory.contact))
    return "\n".join(rows)


def _row(resource: Resource, words: Mapping[str, str], locale: Locale) -> str:
    hours = resource.hours_in(locale)
    shape = words["line_hours"] if hours else words["line"]
    return shape.format(name=resource.name_in(locale), contact=resource.contact, hours=hours)


@cache
def digit_strings() -> frozenset[str]:
    """Every number that may be printed: the confirmed contacts and the numbers in their names."""
    printed = [r.contact for r in _enabled()] + [r.name_en for r in _enabled()]
    return frozenset(found.group() for text in printed for found in _NUMBER.finditer(text))


def stale(today: date) -> tuple[Resource, ...]:
    """The confirmed contacts that were last checked too long ago to be trusted."""
    oldest = today - timedelta(days=_file()["max_age_days"])
    return tuple(r for r in _enabled() if date.fromisoformat(r.checked) < oldest)
