"""A turn as the page shows it: the reply, why it was given, and numbers that a phone can call."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from typing import Any

from untwist.safety import lines, region_codes
from untwist.schema import Turn
from untwist.serve.store import StoredTurn
from untwist.serve.web.render import address_of, texts
from untwist.taxonomy import Distortion, Risk
from untwist.text import Locale


def turn_view(
    kept: StoredTurn, locale: Locale, said: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """A turn as the page shows it."""
    own = said.get(kept.id, {})
    text = kept.said["message"]["text"]
    shown: dict[str, Any] = {
        "id": kept.id,
        "seq": kept.seq,
        "text": text,
        "pending": kept.finished is None,
        "reply": None,
        "thought": None,
        "rating": own.get("rating"),
    }
    if kept.turn is None:
        return shown
    made = Turn.from_dict(kept.turn)
    findings = [
        {
            "slug": one.distortion.value,
            "name": one.distortion.name_in(locale),
            "definition": one.distortion.definition_in(locale),
            "opinion": _opinion(own.get("labels", {}).get(one.distortion.value), locale),
        }
        for one in made.assessment.findings
    ]
    strategy = made.reply.strategy
    step = made.reply.step
    return {
        **shown,
        "reply": made.reply.text,
        "rows": [linked(row) for row in made.reply.text.split("\n") if row.strip()],
        "crisis": made.assessment.risk is Risk.HIGH,
        "thought": step.thought if step else None,
        "findings": findings,
        "marked": marked(made, locale),
        "strategy": strategy.name_in(locale),
        "strategy_does": strategy.speaker_in(locale),
        "speaker": _speaker(made, locale),
    }


def marked(made: Turn, locale: Locale) -> list[tuple[str, str | None]]:
    """The message in pieces, each with the labels that it is the evidence of."""
    text = made.assessment.utterance.text
    spans = [
        (one.start, one.end, one.distortion.name_in(locale))
        for one in made.assessment.findings
        if one.start is not None and one.end is not None
    ]
    edges = sorted({0, len(text), *(at for start, end, _ in spans for at in (start, end))})
    pieces: list[tuple[str, str | None]] = []
    for start, end in pairwise(edges):
        names = [name for a, b, name in spans if a <= start and end <= b]
        pieces.append((text[start:end], " · ".join(names) or None))
    return pieces


def _opinion(said: str | None, locale: Locale) -> str | None:
    words = texts(locale)
    if said is None:
        return None
    if said in ("accept", "reject"):
        return str(words["accepted" if said == "accept" else "rejected"])
    return str(words["changed"]).format(Distortion(said).name_in(locale))


def _speaker(made: Turn, locale: Locale) -> str:
    name = made.reply.responder
    kind = "script" if name.startswith("scripted") else "model"
    return str(texts(locale)["fixed" if name.startswith("help-block") else kind])


def linked(row: str) -> list[tuple[str, str | None]]:
    """A row of a reply in pieces, each with the address of the help line that it is.

    Only rows of a list of help lines are read so: elsewhere "988" may be any number.
    """
    if not row.startswith("- "):
        return [(row, None)]
    known = _contacts()
    pattern = "|".join(re.escape(one) for one in known)
    pieces = re.split(rf"(?<![\d-])({pattern})(?![\d-])", row)
    return [(piece, known.get(piece)) for piece in pieces if piece]


@cache
def _contacts() -> Mapping[str, str]:
    """Addresses by contact, the longest contact first."""
    found = {
        one.contact: address
        for code in (None, *region_codes())
        for one in lines(code)
        if (address := address_of(one))
    }
    return dict(sorted(found.items(), key=lambda item: -len(item[0])))
