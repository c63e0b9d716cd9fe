"""What a person writes outside a conversation is heard too: danger in it is never just filed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from untwist.errors import SafetyError
from untwist.schema import Assessment, Utterance
from untwist.serve.events import facts_of
from untwist.serve.state import State
from untwist.taxonomy import Risk
from untwist.text import language

_LONGEST = 20_000


async def heard(
    here: State, person: str, written: Iterable[str], *, talk: bool = True
) -> tuple[Risk, str]:
    """The highest risk in what was written, and the text that it is in.

    An error counts as medium: help is shown, and nothing is taken for harmless by accident.
    Medium risk is noted in the audit trail here; high risk too, unless a conversation about it
    follows, which notes it itself.
    """
    worst, where = Risk.NONE, ""
    for text in dict.fromkeys(one.strip()[:_LONGEST] for one in written):
        if not text:
            continue
        try:
            found = await asyncio.to_thread(_heard, here, text)
        except SafetyError:
            found = None
        risk = found.risk if found else Risk.MEDIUM
        if found and (risk is Risk.MEDIUM or (risk is Risk.HIGH and not talk)):
            await asyncio.wrap_future(here.store.note("safety", person, facts_of(found)))
        if risk > worst:
            worst, where = risk, text
    return worst, where


def _heard(here: State, text: str) -> Assessment:
    return here.engine.hear(Utterance(text, language(text)), ())
