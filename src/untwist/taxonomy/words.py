"""The data behind the taxonomy: one versioned file, `words.json`, read once."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any, Literal

Lang = Literal["en", "zh"]
LANGS: tuple[Lang, ...] = ("en", "zh")
Written = Literal["en", "zh", "zh-Hant"]
"""How names are written: a language, and for Chinese the characters."""


@cache
def words() -> dict[str, Any]:
    """The whole word file, as JSON values."""
    text = files("untwist.taxonomy").joinpath("words.json").read_text(encoding="utf-8")
    data: dict[str, Any] = json.loads(text)
    return data


def spoken(kind: str, slug: str, lang: Written, field: str) -> str:
    """One text of the word file, such as the Chinese name of a strategy."""
    return str(words()[kind][slug][lang][field])


def aliases(kind: str, slug: str, lang: Lang) -> tuple[str, ...]:
    """Other names of the same thing in the literature."""
    return tuple(words()[kind][slug][lang]["aliases"])
