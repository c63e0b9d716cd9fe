"""Cognitive Reframing, thinking traps (D_r).

Source: behavioral-data/Cognitive-Reframing, data/thinking_traps.jsonl (Sharma et al. 2023).
Licence: CC BY-NC-ND 4.0; adapted versions may not be shared, so keep derived files private.
Language: English.
Labels: multi-label, taxonomy "reframing-14"; one label a row of the file, gathered by prompt, two
    spellings merged. "Comparing" and "negative feeling or emotion" exist in this corpus only.
Splits: not published; 6:2:2.
Known faults: 15 texts are marked both undistorted and distorted (the distortions are kept); many
    texts are near-duplicates with another beginning; the mental filter cannot be carried.
Size: 1,077 rows, 698 texts, 62 of them undistorted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from untwist.data.jsonlines import Failure, Record, read_records
from untwist.data.ownlabels import WordLabels
from untwist.data.refusals import Refusals, build_each, refuse
from untwist.data.tables import locate, single
from untwist.errors import DataError
from untwist.schema import Dialogue
from untwist.taxonomy import taxonomy

CORPUS = "reframing"
TAXONOMY = "reframing-14"
FILE = "cognitive_reframing/thinking_traps_all.jsonl"
_UNDISTORTED = "Not distorted"


@dataclass(slots=True)
class _Thought:
    """One prompt and every label that its rows give it."""

    line: int
    number: int
    prompt: str
    names: list[str] = field(default_factory=list)


def load(path: Path | str, refusals: Refusals | None = None) -> Iterator[Dialogue]:
    """Every text once, with the labels of all its rows, in the order of first appearance.

    A text is refused whole when one of its labels is unknown: half a label set would be wrong.

    Args:
        path: the JSONL file or a folder above it.
        refusals: collects refused rows; without it the first one raises.

    Raises:
        DataError: the file is missing, or a row is refused and there is no collector.
    """
    file = locate(path, FILE)
    yield from build_each(_thoughts(file, refusals), _build, file, refusals)


def _thoughts(file: Path, refusals: Refusals | None) -> list[_Thought]:
    by_prompt: dict[str, _Thought] = {}
    for record in read_records(file):
        if isinstance(record, Failure):
            refuse(refusals, file, record.line, record.message)
            continue
        try:
            prompt, name = _cell(record, "prompt"), _cell(record, "completion")
        except DataError as error:
            refuse(refusals, file, record.line, str(error))
            continue
        new = _Thought(record.line, len(by_prompt) + 1, prompt)
        by_prompt.setdefault(prompt, new).names.append(name.strip())
    return list(by_prompt.values())


def _cell(record: Record, key: str) -> str:
    value = record.data.get(key)
    if not isinstance(value, str):
        raise DataError(f'"{key}" is missing or no string')
    return value


def _build(thought: _Thought) -> Dialogue:
    labels = taxonomy(TAXONOMY)
    names = [name for name in thought.names if name != _UNDISTORTED]
    found = frozenset(d for name in names for d in labels.from_label(name))
    text = thought.prompt.strip().removesuffix("->").rstrip()
    own = tuple(dict.fromkeys(thought.names))
    return single(CORPUS, str(thought.number), text, WordLabels(found, labels.covered, own=own))
