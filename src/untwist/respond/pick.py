"""Which variant is said: chosen by a stable hash, and not one that has been said before."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from functools import cache

from untwist.schema import Utterance

PAUSE = 3
"""So many other variants are said before one comes again, where there are as many."""
_SLOT = re.compile(r"\{[^{}]*\}")


def said_by_program(history: Sequence[Utterance]) -> tuple[str, ...]:
    """The texts of the assistant's earlier turns, oldest first."""
    return tuple(u.text for u in history if u.role == "assistant")


@cache
def _pieces(variant: str) -> tuple[str, ...]:
    return tuple(_SLOT.split(variant))


def filled(template: str, text: str) -> str | None:
    """What stands between quotation marks in the slot of a template that a text holds."""
    before, _, after = template.partition("{thought}")
    found = re.search(f"{re.escape(before)}[“「]([^“”「」]*)[”」]{re.escape(after)}", text)
    return found.group(1) if found else None


def quotes(text: str) -> bool:
    """Whether a text quotes anything."""
    return "“" in text or "「" in text


def occurs(variant: str, text: str) -> bool:
    """Whether a text holds a variant, whatever its slots were filled with."""
    place = 0
    for piece in _pieces(variant):
        place = text.find(piece, place)
        if place < 0:
            return False
        place += len(piece)
    return True


def pick(tiers: Iterable[Sequence[str]], seed: str, said: Sequence[str]) -> str:
    """A variant out of the first tier that has one which was not said yet.

    When every variant of every tier has been said, one of those that were said longest ago; at
    least `PAUSE` others come before it again, where there are as many. The same arguments give the
    same variant in every process.
    """
    ordered = [_rotated(tier, seed) for tier in tiers if tier]
    for tier in ordered:
        for variant in tier:
            if not any(occurs(variant, text) for text in said):
                return variant
    every = dict.fromkeys(variant for tier in ordered for variant in tier)
    oldest = sorted(every, key=lambda variant: (_last(variant, said), variant))
    return _rotated(oldest[: max(1, len(oldest) - PAUSE)], seed)[0]


def _rotated(tier: Sequence[str], seed: str) -> list[str]:
    digest = hashlib.sha256(seed.encode("utf-8", "surrogatepass")).digest()
    start = int.from_bytes(digest[:8], "big") % len(tier)
    return [*tier[start:], *tier[:start]]


def _last(variant: str, said: Sequence[str]) -> int:
    return max(i for i, text in enumerate(said) if occurs(variant, text))
