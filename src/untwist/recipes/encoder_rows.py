"""Which messages of which corpora an encoder learns from, and by which its epoch is chosen.

Leaves out: what is made of them; `train_encoder` does that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Literal

from untwist.data import Loaded, Mode, grouped, parts_of
from untwist.data.splits import PARTS
from untwist.detect import Example

Lang = Literal["both", "en", "zh"]


def parts_of_all(mode: Mode, loaded: Sequence[Loaded]) -> tuple[list[tuple[str, ...]], int]:
    """The part of each dialogue, by source; how many are of none, being near a row held out.

    The parts that ship keep near-duplicates on one side over all corpora; those of files of one's
    own are made file by file. Here a row to learn from or to choose by is left out ("") when a row
    near it in another source is to be tested on, and one to learn from when it is to be chosen by.
    The published split is left as the papers have it.

    Raises:
        DataError: the rows of a source name their parts only here and there.
    """
    parts = [parts_of(one.entry.name, one.dialogues, mode) for one in loaded]
    if mode == "published" or len(loaded) == 1:
        return parts, 0
    names = grouped([dialogue for one in loaded for dialogue in one.dialogues])
    strictest: dict[str, int] = {}
    for name, part in zip(names, chain(*parts), strict=True):
        strictest[name] = max(strictest.get(name, 0), PARTS.index(part))
    rest = iter(names)
    found = [
        tuple(part if PARTS.index(part) == strictest[next(rest)] else "" for part in own)
        for own in parts
    ]
    return found, sum(part == "" for own in found for part in own)


def examples(one: Loaded, parts: Sequence[str], part: str, lang: Lang) -> Iterator[Example]:
    """The judged messages of one part, in one language or both."""
    for dialogue, group, own in zip(one.dialogues, grouped(one.dialogues), parts, strict=True):
        if own != part:
            continue
        for utterance, labels in zip(dialogue.utterances, dialogue.labels, strict=True):
            spoken = utterance.role == "user" and lang in ("both", utterance.lang)
            if spoken and labels is not None:
                yield Example(utterance, labels, group)
