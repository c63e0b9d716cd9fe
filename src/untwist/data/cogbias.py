"""CogBiasESC: Chinese support dialogues, distortion, intensity and risk on the seeker's turns.

Source: Chips98/CoPoLLM-for-ACL-2026, data/test.json (CoPoLLM, ACL 2026); its train.json is read in
    the same way by whoever has it.
Licence: the repository says both "MIT" and "TBD" and holds no licence; for research only, bring
    your own copy.
Language: Chinese.
Labels: taxonomy "beck-8" on some of the seeker's turns, with intensity and risk.
Splits: published as two files; the part is told by the name `train.json` or `test.json`.
Known faults: 324 dialogues where paper and README say 405 (the 81 of D4 may not be passed on), and
    981 labels where the paper says 2,185: every labelled turn has exactly one, though the paper is
    multi-label, so its own score cannot be recomputed from the file. Only 1,022 of 3,816 seeker
    turns have an annotation; a turn without one is undistorted or was not looked at, and nothing
    tells which. 41 annotations are empty, all in PsyDTCorpus. Every dialogue begins with the same
    generation prompt, which is left out here. 129 seeker turns are repeated. The eight labels are
    very unequal (385 to 29), mild intensity (17) and high risk (42) are rare, and every turn of
    high risk is severe. For CPsyCounD `sample_id` is the number of exchanges less one and names
    nothing, so each of its dialogues is a group of its own. The dialogues are CPsyCounD's (200) and
    PsyDTCorpus's (124): who trains on those has seen them.
Size: 324 dialogues, 7,632 utterances, 981 labelled turns; 24 dialogues in the sample.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar, cast

from untwist.data.jsonlist import Entry, read_list
from untwist.data.refusals import Refusals, build_each
from untwist.data.tables import locate
from untwist.errors import ConfigError, DataError
from untwist.schema import Dialogue, Json, Labels, Utterance
from untwist.taxonomy import Distortion, Intensity, Risk, taxonomy
from untwist.text import require_text

CORPUS = "cogbias"
TAXONOMY = "beck-8"
FILE = "cogbias_sample/cogbias_sample24.json"
PARTS = ("train", "test")
"""Names of the published files, without their ending."""
NUMBERED = ("PsyDTCorpus",)
"""Sources whose `sample_id` names a dialogue of theirs."""
Unmarked = Literal["unknown", "undistorted"]

_SEPARATORS = re.compile(r"[、,，;；/]")
_NONE = "无"
_NOT_JUDGED = ("", "未知")
_INTENSITIES = {intensity.name_in("zh"): intensity for intensity in Intensity}
_RISKS = {risk.name_in("zh"): risk for risk in Risk}
_Said = tuple[Utterance, Labels | None]
_Level = TypeVar("_Level", bound=Enum)


def load(
    path: Path | str, refusals: Refusals | None = None, *, unmarked: Unmarked = "unknown"
) -> Iterator[Dialogue]:
    """Every dialogue, in the order of the file; one fault in it refuses the whole dialogue.

    A risk without a distortion is kept. An intensity without a distortion is of nothing, so it is
    None in the labels.

    Args:
        path: a JSON file of the format, or a folder that holds `train.json` or `test.json` or
            both, or the folder above the sample.
        refusals: collects refused dialogues; without it the first one raises.
        unmarked: what a seeker's turn without annotation is: "unknown" gives no labels, as the
            file has it; "undistorted" gives an empty set, as the paper counts. An annotation that
            is there and empty gives no labels either way.

    Raises:
        DataError: the file is missing or no JSON list, or a dialogue is refused and there is no
            collector.
        ConfigError: `unmarked` is neither of the two.
    """
    if unmarked not in ("unknown", "undistorted"):
        raise ConfigError(f'unmarked is "{unmarked}": give "unknown" or "undistorted"')
    covered = taxonomy(TAXONOMY).covered
    default = None if unmarked == "unknown" else Labels(frozenset(), covered)
    for file in _files(Path(path)):
        split = file.stem if file.stem in PARTS else None
        build = partial(_build, split=split, default=default)
        yield from build_each(read_list(file), build, file, refusals)


def _files(path: Path) -> list[Path]:
    published = [path / f"{part}.json" for part in PARTS]
    return [file for file in published if file.is_file()] or [locate(path, FILE)]


def _build(entry: Entry, split: str | None, default: Labels | None) -> Dialogue:
    data = entry.require_object()
    id, source, sample = (_name(data, key) for key in ("id", "data_source", "sample_id"))
    group = f"{source}:{sample if source in NUMBERED else id}"
    messages = data.get("messages")
    if not isinstance(messages, list):
        raise DataError('"messages" is missing or no list')
    said = [
        pair
        for place, message in enumerate(messages, 1)
        if (pair := _said(message, place, id, default)) is not None
    ]
    if not any(utterance.role == "user" for utterance, _ in said):
        raise DataError("no message is the seeker's")
    utterances, labels = zip(*said, strict=True)
    return Dialogue(id, CORPUS, utterances, labels, group, split)


def _name(data: Json, key: str) -> str:
    value = data.get(key)
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        raise DataError(f'"{key}" is neither a string nor a whole number')
    return str(value).strip()


def _said(message: object, place: int, id: str, default: Labels | None) -> _Said | None:
    """What was said and its labels; None for the prompt that every dialogue begins with."""
    where = f"message {place}"
    if not isinstance(message, dict):
        raise DataError(f"{where} is no object")
    role, annotation = message.get("role"), message.get("annotation")
    if role not in ("system", "user", "assistant"):
        raise DataError(f'{where}: role is neither "user" nor "assistant" nor "system"')
    if role != "user" and annotation is not None:
        raise DataError(f"{where}: an annotation on what the seeker did not say")
    if role == "system":
        return None
    text = require_text(cast("str", message.get("content")), f"{where}: content")
    utterance = Utterance(text, id=f"{id}/{place}", role=role)
    if role == "assistant":
        return utterance, None
    return utterance, default if annotation is None else _labels(annotation, where)


def _labels(annotation: object, where: str) -> Labels | None:
    if not isinstance(annotation, dict) or "bias_tags" not in annotation:
        raise DataError(f'{where}: the annotation is no object with "bias_tags"')
    found = _distortions(annotation["bias_tags"], where)
    risk = _level(annotation.get("risk_level"), _RISKS, f"{where}: risk_level")
    held = _level(annotation.get("bias_intensity"), _INTENSITIES, f"{where}: bias_intensity")
    if found is None and risk is None:
        return None
    return Labels(found, taxonomy(TAXONOMY).covered, held if found else None, risk)


def _distortions(tags: object, where: str) -> frozenset[Distortion] | None:
    """The tags as ours; empty for "none"; None when there is no tag."""
    listed = [tags] if isinstance(tags, str) else tags or []
    if not isinstance(listed, list) or not all(isinstance(tag, str) for tag in listed):
        raise DataError(f"{where}: bias_tags is neither a string nor a list of strings")
    names = {name.strip() for tag in listed for name in _SEPARATORS.split(tag)} - {""}
    if not names:
        return None
    if _NONE in names:
        if len(names) > 1:
            raise DataError(f'{where}: bias_tags holds "{_NONE}" beside a distortion')
        return frozenset()
    labels = taxonomy(TAXONOMY)
    try:
        return frozenset(d for name in names for d in labels.from_label(name))
    except DataError as error:
        raise DataError(f"{where}: {error}") from error


def _level(value: object, levels: Mapping[str, _Level], where: str) -> _Level | None:
    """The level that a Chinese name stands for; None when it was not judged."""
    name = "" if value is None else value
    if not isinstance(name, str):
        raise DataError(f"{where} is no string")
    name = name.strip()
    if name in levels:
        return levels[name]
    if name in _NOT_JUDGED or (name == _NONE and levels is _INTENSITIES):
        return None
    raise DataError(f"{where} is unknown: give one of {', '.join(levels)}")
