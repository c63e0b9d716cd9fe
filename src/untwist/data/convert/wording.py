"""The words that converters put around data, in English and Chinese, from one file."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files

from untwist.errors import DataError
from untwist.taxonomy import LANGS, Distortion, Lang, parse

_BETWEEN_NAMES = re.compile(r"[,，、;；\n]")


@cache
def wording(lang: Lang) -> dict[str, str]:
    """Every text of one language by its key."""
    text = files("untwist.data.convert").joinpath("wording.json").read_text(encoding="utf-8")
    words: dict[str, str] = json.loads(text)[lang]
    return words


def question(lang: Lang) -> str:
    """What a detection row asks; the same for every row."""
    return wording(lang)["question"]


def answer(distortions: frozenset[Distortion], lang: Lang) -> str:
    """What a detection row answers: names in the order of the taxonomy, or that there is none."""
    names = [d.name_in(lang) for d in Distortion if d in distortions]
    return wording(lang)["separator"].join(names) or wording(lang)["none"]


def parse_answer(text: str) -> frozenset[Distortion]:
    """What an answer names, in either language; the inverse of `answer`.

    Raises:
        DataError: one of the names is nobody's; the message gives its place only.
    """
    bare = text.strip().rstrip(".。").casefold()
    if bare in {wording(lang)["none"] for lang in LANGS}:
        return frozenset()
    names = _BETWEEN_NAMES.split(bare)
    found: set[Distortion] = set()
    for place, name in enumerate(names, 1):
        try:
            found.add(parse(name))
        except DataError as error:
            where = f"name {place} of {len(names)} in the answer"
            raise DataError(f"{where} is an unknown label: give names of the taxonomy") from error
    return frozenset(found)


def asked(text: str) -> str | None:
    """The message within a detection row's whole question; None when it is none of ours."""
    for lang in LANGS:
        if text.startswith(question(lang) + "\n"):
            return text.removeprefix(question(lang) + "\n")
    return None
