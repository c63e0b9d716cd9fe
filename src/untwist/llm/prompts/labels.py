"""The labels of a taxonomy as a prompt shows them and as an answer names them.

A label is spelled as its taxonomy spells it; an answer may also use any name that the taxonomy's
distortions have in either language. `negative_emotion` is no distortion, so nobody is asked for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

from untwist.errors import DataError
from untwist.llm.prompts.base import listed, words_of
from untwist.taxonomy import Distortion, Lang, parse, taxonomy

DEFAULT = "untwist-12"


@cache
def labels_of(name: str) -> dict[str, tuple[Distortion, ...]]:
    """The labels of a taxonomy and what they stand for; of two spellings of one label the first.

    Raises:
        DataError: there is no taxonomy of that name.
    """
    found: dict[tuple[Distortion, ...], str] = {}
    for label, stands_for in taxonomy(name).labels.items():
        if Distortion.NEGATIVE_EMOTION not in stands_for:
            found.setdefault(stands_for, label)
    return {label: stands_for for stands_for, label in found.items()}


def listing(name: str, lang: Lang, more: Mapping[str, str] | None = None) -> str:
    """The labels of a taxonomy as a list: key, name where it is another one, definition.

    Args:
        name: of the taxonomy.
        lang: language of names and definitions.
        more: by distortion, what is said after the definition.
    """
    common = words_of("common", lang)
    rows = []
    for label, stands_for in labels_of(name).items():
        named = common["between"].join(d.name_in(lang) for d in stands_for)
        told = [d.definition_in(lang) for d in stands_for]
        told += [more[d.value] for d in stands_for] if more else []
        rows.append(
            listed(
                label, label if len(stands_for) > _MANY else named, common["after"].join(told), lang
            )
        )
    return "\n".join(rows)


_MANY = 3
"""A label that stands for more distortions than this ("others") is told by definitions alone."""


def label_in(said: str, name: str) -> str:
    """The label of a taxonomy that an answer means.

    Raises:
        DataError: it means none; the message does not repeat it.
    """
    known = labels_of(name)
    bare = said.strip().strip("\"'“”「」").casefold()
    for label in known:
        if label.casefold() == bare:
            return label
    try:
        meant = parse(bare)
    except DataError:
        meant = None
    for label, stands_for in known.items():
        if meant in stands_for:
            return label
    raise DataError(f"it holds a label that is none of {name}")


def label_for(distortion: Distortion, name: str) -> str | None:
    """The label of a taxonomy for a distortion; None where the taxonomy has none."""
    found = (label for label, ds in labels_of(name).items() if distortion in ds)
    return next(found, None)


def labels_for(distortions: Iterable[Distortion], name: str) -> tuple[str, ...]:
    """The labels of a taxonomy for some distortions, each once, in the taxonomy's order."""
    wanted = {label_for(d, name) for d in distortions}
    return tuple(label for label in labels_of(name) if label in wanted)


def distortions_of(labels: Iterable[str], name: str) -> frozenset[Distortion]:
    """What some labels stand for; a label that stands for several says all of them.

    Raises:
        DataError: a label is none of the taxonomy.
    """
    known = labels_of(name)
    return frozenset(d for label in labels for d in known[label_in(label, name)])
