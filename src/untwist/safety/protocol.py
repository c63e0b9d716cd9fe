"""The page that says what happens in a crisis, made from the rules that run, with their hashes.

Nothing on it is written by hand that the data could say: counts, contacts and strategies are read
from the files whose hashes stand at its end. The words around them are in `protocol.json`.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from untwist.safety.gate import allowed
from untwist.safety.resources import EVERYWHERE, Resource, lines, regions
from untwist.safety.rules import LANGUAGES, rulebook
from untwist.taxonomy import LANGS, Acuity, Lang, Risk

_FILES = (
    *(f"{folder}/{lang}.json" for folder in ("rules", "wording") for lang in LANGUAGES),
    "claims.json",
    "notices.json",
    "protocol.json",
    "redact.json",
    "resources.json",
)
_BINARY = (".safetensors",)


@dataclass(frozen=True, slots=True)
class CrisisProtocol:
    """What a service does in a crisis, as values.

    Attributes:
        version: of the package.
        sha256: one hash over the names and hashes of all files.
        files: name and sha256 of every file, by name.
        families: per family of messages how many rules there are in each language.
        combinations: how many families mean more together.
        questions: how many direct safety questions are known.
        wording: how many rules of safe wording there are.
        contacts: the confirmed contacts, by region.
        urgent: kinds of danger where the emergency number comes first.
        reviewed_by: who reviewed the crisis texts; None as long as nobody has.
    """

    version: str
    sha256: str
    files: tuple[tuple[str, str], ...]
    families: Mapping[str, Mapping[Lang, int]]
    combinations: int
    questions: int
    wording: int
    contacts: tuple[Resource, ...]
    urgent: frozenset[Acuity]
    reviewed_by: str | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        fields = ("region", "contact", "kind", "source", "source_date", "checked")
        return {
            "version": self.version,
            "sha256": self.sha256,
            "files": dict(self.files),
            "rules": {family: dict(counts) for family, counts in self.families.items()},
            "combinations": self.combinations,
            "questions": self.questions,
            "wording_rules": self.wording,
            "levels": {risk.value: sorted(allowed(risk)) for risk in Risk},
            "urgent": [a.value for a in Acuity if a in self.urgent],
            "contacts": [
                {"id": r.id, "name": r.name_en, **{name: getattr(r, name) for name in fields}}
                for r in self.contacts
            ],
            "reviewed_by": self.reviewed_by,
        }


def crisis_protocol(
    version: str,
    extra: Mapping[str, bytes],
    urgent: Collection[Acuity] = (),
    reviewed_by: str | None = None,
) -> CrisisProtocol:
    """The protocol of what runs.

    Args:
        version: of the package.
        extra: further files that shape a crisis reply, by name: crisis texts, a second reader.
        urgent: kinds of danger where the crisis texts put the emergency number first.
        reviewed_by: who reviewed the crisis texts.
    """
    room = files("untwist.safety")
    content = {f"safety/{name}": room.joinpath(name).read_bytes() for name in _FILES}
    hashes = sorted((name, _sha256(name, raw)) for name, raw in {**content, **extra}.items())
    whole = hashlib.sha256("".join(f"{name} {sha}\n" for name, sha in hashes).encode())
    book = rulebook()
    counts = Counter((rule.family, rule.id.split("-", 1)[0]) for rule in book.rules)
    found = sorted({family for family, _ in counts})
    wording = json.loads(content["safety/wording/en.json"])["rules"]
    return CrisisProtocol(
        version,
        whole.hexdigest(),
        tuple(hashes),
        {family: {lang: counts[family, lang] for lang in LANGS} for family in found},
        len(book.combinations),
        len(book.questions),
        len(wording),
        (*(r for code in regions() for r in lines(code)), *lines(None)),
        frozenset(urgent),
        reviewed_by,
    )


def _sha256(name: str, raw: bytes) -> str:
    """Of a text whatever its line ends are, so that a checkout on another system has the same."""
    return hashlib.sha256(
        raw if name.endswith(_BINARY) else raw.replace(b"\r\n", b"\n")
    ).hexdigest()


def protocol_page(protocol: CrisisProtocol, lang: Lang) -> str:
    """The protocol as a Markdown page in English or Chinese."""
    t = _words()[lang]
    sections = (
        _levels(t, lang),
        _acuities(protocol, t),
        _parts(t),
        _contacts(protocol, t, lang),
        _rules(protocol, t),
        ["## " + t["limits"], "", *(f"- {limit}" for limit in t["limit_list"])],
        ["## " + t["figures"], "", t["figures_text"]],
        ["## " + t["report"], "", t["report_text"]],
        ["## " + t["files"], "", t["file_head"], "|---|---|"]
        + [f"| `{name}` | `{sha}` |" for name, sha in protocol.files],
    )
    head = [
        "# " + t["title"],
        "",
        t["made"],
        "",
        t["intro"].format(version=protocol.version, sha256=protocol.sha256),
        "",
        t["review"].format(who=protocol.reviewed_by or t["nobody"]),
    ]
    return "\n".join([*head, *(line for one in sections for line in ("", *one))]) + "\n"


def _levels(t: Mapping[str, Any], lang: Lang) -> list[str]:
    rows = []
    for risk in reversed(Risk):
        names = ", ".join(sorted(s.name_in(lang) for s in allowed(risk)))
        shown = t[risk.value].format(strategies=names, n=len(allowed(risk)))
        rows.append(f"- `{risk.value}`: {shown}")
    return ["## " + t["levels"], "", t["levels_intro"], "", *rows]


def _acuities(protocol: CrisisProtocol, t: Mapping[str, Any]) -> list[str]:
    head = f"| {t['kind']} | {t['meaning']} | {t['emergency']} |"
    rows = [
        f"| `{a.value}` | {t['acuities'][a.value]} | {t['first'] if a in protocol.urgent else ''} |"
        for a in Acuity
    ]
    return ["## " + t["acuity"], "", t["acuity_intro"], "", head, "|---|---|---|", *rows]


def _parts(t: Mapping[str, Any]) -> list[str]:
    parts = [f"{place}. {text}" for place, text in enumerate(t["crisis_parts"].values(), 1)]
    return ["## " + t["parts"], "", t["parts_intro"], "", *parts, "", t["error"]]


def _contacts(protocol: CrisisProtocol, t: Mapping[str, Any], lang: Lang) -> list[str]:
    rows = []
    for r in protocol.contacts:
        place = t["everywhere"] if r.region == EVERYWHERE else r.region
        hours = r.hours_in(lang) or t["not_confirmed"]
        source = f"{r.source}, {r.source_date}"
        cells = (place, r.name_in(lang), r.contact, hours, source, r.checked)
        rows.append(f"| {' | '.join(cells)} |")
    head = [t["contact_head"], "|---|---|---|---|---|---|"]
    return ["## " + t["contacts"], "", t["contacts_intro"], "", *head, *rows]


def _rules(protocol: CrisisProtocol, t: Mapping[str, Any]) -> list[str]:
    intro = t["rules_intro"].format(
        rules=sum(n for counts in protocol.families.values() for n in counts.values()),
        families=len(protocol.families),
        combinations=protocol.combinations,
        questions=protocol.questions,
        wording=protocol.wording,
    )
    rows = [
        f"| {family} | {counts['en']} | {counts['zh']} |"
        for family, counts in protocol.families.items()
    ]
    return ["## " + t["rules"], "", intro, "", t["rule_head"], "|---|---|---|", *rows]


@cache
def crisis_part_names() -> tuple[str, ...]:
    """The parts of the crisis reply that the page describes, in order."""
    return tuple(_words()["en"]["crisis_parts"])


@cache
def _words() -> Mapping[str, Mapping[str, Any]]:
    path = files("untwist.safety").joinpath("protocol.json")
    found: Mapping[str, Mapping[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return found
