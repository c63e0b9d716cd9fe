"""CBT-Bench, classification part: distortions, and core beliefs in three and in nineteen classes.

Source: mianzhang/CBT-Bench, CBT_LLM_data (2024).
Licence: not stated by the source; for research only, bring your own copy.
Language: English.
Labels: multi-label. Distortions: taxonomy "cbt-bench-10". Core beliefs: the corpus's own names, of
    which none is a distortion.
Splits: published, a seed of 20 each (the training part here) and a test part.
Known faults: every text is a whole question of the therapist corpus with the same id, labelled
    anew, differing in white space at most: never train on one and test on the other. The group is
    that of the therapist corpus, so grouped splits keep them together.
Size: distortions 20 and 146, major beliefs 20 and 184, fine beliefs 20 and 112.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from untwist.data.jsonlist import Entry, read_list
from untwist.data.ownlabels import BeliefLabels
from untwist.data.refusals import Refusals, build_each
from untwist.data.risklabels import parts_in
from untwist.data.tables import single
from untwist.errors import DataError
from untwist.schema import Dialogue, Json, Labels
from untwist.taxonomy import taxonomy

CORPUS = "cbt-bench"
CORE_MAJOR_CORPUS = "cbt-bench-core-major"
CORE_FINE_CORPUS = "cbt-bench-core-fine"
TAXONOMY = "cbt-bench-10"
FILES = {
    "seed": "cbt_bench/distortions_seed.json",
    "test": "cbt_bench/distortions_test.json",
}
CORE_MAJOR_FILES = {
    "seed": "cbt_bench/core_major_seed.json",
    "test": "cbt_bench/core_major_test.json",
}
CORE_FINE_FILES = {
    "seed": "cbt_bench/core_fine_seed.json",
    "test": "cbt_bench/core_fine_test.json",
}
CORE_MAJOR = ("helpless", "unlovable", "worthless")
"""The three classes of core beliefs."""
CORE_FINE = (
    "I am incompetent",
    "I am helpless",
    "I am powerless, weak, vulnerable",
    "I am a victim",
    "I am needy",
    "I am trapped",
    "I am out of control",
    "I am a failure, loser",
    "I am defective",
    "I am unlovable",
    "I am unattractive",
    "I am undesirable, unwanted",
    "I am bound to be rejected",
    "I am bound to be abandoned",
    "I am bound to be alone",
    "I am worthless, waste",
    "I am immoral",
    "I am bad - dangerous, toxic, evil",
    "I don’t deserve to live",
)
"""The nineteen core beliefs as the corpus writes them."""
_Judge = Callable[[Json], Labels]


def load(path: Path | str, refusals: Refusals | None = None) -> Iterator[Dialogue]:
    """The texts with distortions: both parts below a folder, or one file.

    Args:
        path: the folder, or one JSON file (its name ends in the part: `…_seed.json`).
        refusals: collects refused entries; without it the first one raises.

    Raises:
        DataError: a file is missing or no JSON list, or an entry is refused and there is no
            collector.
    """
    yield from _load(path, CORPUS, FILES, _distortions, refusals)


def load_core_major(path: Path | str, refusals: Refusals | None = None) -> Iterator[Dialogue]:
    """The texts with core beliefs in three classes: both parts below a folder, or one file.

    Args:
        path: the folder, or one JSON file (its name ends in the part: `…_seed.json`).
        refusals: collects refused entries; without it the first one raises.

    Raises:
        DataError: a file is missing or no JSON list, or an entry is refused and there is no
            collector.
    """
    judge = partial(_beliefs, "core_belief_major", CORE_MAJOR)
    yield from _load(path, CORE_MAJOR_CORPUS, CORE_MAJOR_FILES, judge, refusals)


def load_core_fine(path: Path | str, refusals: Refusals | None = None) -> Iterator[Dialogue]:
    """The texts with core beliefs in nineteen classes: both parts below a folder, or one file.

    Args:
        path: the folder, or one JSON file (its name ends in the part: `…_seed.json`).
        refusals: collects refused entries; without it the first one raises.

    Raises:
        DataError: a file is missing or no JSON list, or an entry is refused and there is no
            collector.
    """
    judge = partial(_beliefs, "core_belief_fine_grained", CORE_FINE)
    yield from _load(path, CORE_FINE_CORPUS, CORE_FINE_FILES, judge, refusals)


def _load(
    path: Path | str,
    corpus: str,
    files: dict[str, str],
    judge: _Judge,
    refusals: Refusals | None,
) -> Iterator[Dialogue]:
    for file, part in parts_in(path, files):
        build = partial(_build, corpus=corpus, part=part, judge=judge)
        yield from build_each(read_list(file), build, file, refusals)


def _build(entry: Entry, corpus: str, part: str | None, judge: _Judge) -> Dialogue:
    data = entry.require_object()
    id, text = data.get("id"), data.get("ori_text")
    if not isinstance(id, str) or not id.strip():
        raise DataError('"id" is missing or no string')
    if not isinstance(text, str):
        raise DataError('"ori_text" is missing or no string')
    group = f"therapist:{id.strip()}"
    split = "train" if part == "seed" else part
    return single(
        corpus, f"{part or 'all'}-{id.strip()}", text, judge(data), group=group, split=split
    )


def _distortions(data: Json) -> Labels:
    labels = taxonomy(TAXONOMY)
    names = _names(data, "distortions")
    return Labels(frozenset(d for n in names for d in labels.from_label(n)), labels.covered)


def _beliefs(key: str, known: tuple[str, ...], data: Json) -> BeliefLabels:
    names = _names(data, key)
    if any(name not in known for name in names):
        raise DataError(f'"{key}" holds a belief that is none of the {len(known)}')
    own = tuple(name for name in known if name in names)
    return BeliefLabels(None, frozenset(), beliefs=own)


def _names(data: Json, key: str) -> list[str]:
    names = data.get(key)
    if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
        raise DataError(f'"{key}" is missing or no list of names')
    return names
