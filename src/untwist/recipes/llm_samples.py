"""The samples of a tuning run: sources read, histories cut to fit, groups held out, streams kept.

    sources -> drafted samples -> no test part -> what fits -> an ablation's -> train and held out

Nothing of a test part is ever learned from or looked at, nor a near-duplicate of it or what a model
made of it. Groups are held out whole, so that no turn of a held-out dialogue and no near-duplicate
is learned from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import numpy as np

from untwist.data import (
    Failure,
    Loaded,
    Reading,
    Record,
    Refusal,
    Refusals,
    known_corpora,
    load_source,
    near_key,
    parts_of,
)
from untwist.data.convert.files import read_rows
from untwist.data.splits import PARTS, part_named
from untwist.errors import ConfigError, DataError
from untwist.schema import Dialogue, Json
from untwist.tune import Sample, read_samples
from untwist.tune.config import DataConfig
from untwist.tune.dsco import Ablation, ablate
from untwist.tune.streams import (
    Drafted,
    fitting,
    from_chains,
    from_dialogues,
    from_labels,
    from_triads,
    from_worksheets,
    without_replaced,
)

Fits = Callable[[Sample], bool]
_OF_DIALOGUES = ("dialogues", "labels", "chains")


@dataclass(frozen=True, slots=True)
class Sources:
    """Where samples come from.

    Attributes:
        data: corpora by name, or files of the kind that the preset says.
        augmented: files of `untwist generate enhance`; only with dialogues.
        reading: how corpora are read.
        seed: of what is held out; the parts of a corpus never hang on it.

    Raises:
        ConfigError: no data is named, or augmented rows where there are no dialogues.
    """

    data: tuple[str, ...]
    augmented: tuple[str, ...] = ()
    reading: Reading = field(default_factory=Reading)
    seed: int = 42

    def __post_init__(self) -> None:
        if not self.data:
            raise ConfigError("no data is named: give files, or corpora by name")


@dataclass(frozen=True, slots=True)
class Prepared:
    """The samples of one model.

    Attributes:
        train: to learn from.
        held_out: to look at the loss on; empty where nothing is held out.
    """

    train: tuple[Sample, ...]
    held_out: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class Read:
    """What was read, for every model that is trained on it.

    Attributes:
        models: by name: "model", or one a stream where the ablation is "pipeline".
        files: that were read.
        about: counts: samples, rows refused, what made no sample, histories cut.
    """

    models: dict[str, Prepared]
    files: tuple[Path, ...]
    about: Json


def prepare(sources: Sources, config: DataConfig, fits: Fits | None = None) -> Read:
    """Read sources and make the samples of a run.

    Args:
        sources: where from.
        config: what of them is learned.
        fits: whether a sample is short enough, by the model's tokenizer; None cuts no history.

    Raises:
        ConfigError: an ablation changes nothing, or augmented rows are no use here.
        DataError: a source cannot be read, two samples have one id, or nothing is left.
    """
    refusals, left_out = Refusals(), Counter[str]()
    drafted, files = _drafted(sources, config, refusals, left_out)
    tested = {one.group for one in drafted if part_of(one) == "test"}
    kept = [one for one in drafted if one.group not in tested]
    marked = sum(part_of(one) == "test" for one in drafted)
    if not kept:
        raise DataError(f"no sample to learn from in {', '.join(sources.data)}: {_why(left_out)}")
    outside = held_out(kept, config.validation, sources.seed)
    sides: list[list[Sample]] = [[], []]
    cut = Counter[str]()
    for one, side in zip(kept, outside, strict=True):
        sample, dropped = fitting(one, fits or (lambda _: True))
        cut["samples"] += dropped > 0
        cut["turns"] += dropped
        sides[side].append(sample)
    _require_ids([*sides[0], *sides[1]])
    about: Json = {
        "test_part": marked,
        "near_test_part": len(drafted) - len(kept) - marked,
        "refused": len(refusals),
        "refused_why": refusals.by_reason(),
        "left_out": dict(left_out.most_common()),
        "cut_histories": {"samples": cut["samples"], "turns": cut["turns"]},
    }
    models = _models(sides[0], sides[1], config.ablation)
    about["models"] = {name: _counts(one) for name, one in models.items()}
    return Read(models, tuple(files), about)


def held_out(drafted: Sequence[Drafted], share: float, seed: int) -> list[bool]:
    """Which samples are held out: a "validation" part, else groups drawn until a share is reached.

    What is near a row of a validation part is held out with it.

    Raises:
        DataError: the groups are too few to leave something on either side.
    """
    checked = {one.group for one in drafted if part_of(one) == "validation"}
    marked = [one.group in checked for one in drafted]
    if any(marked) or not share:
        if all(marked):
            raise DataError("every row is of the validation part: nothing is left to learn from")
        return marked
    groups = sorted({one.group for one in drafted})
    sizes = Counter(one.group for one in drafted)
    outside: set[str] = set()
    taken = 0
    for place in np.random.default_rng(seed).permutation(len(groups)):
        if taken >= share * len(drafted) or len(outside) == len(groups) - 1:
            break
        outside.add(groups[place])
        taken += sizes[groups[place]]
    if not outside:
        raise DataError(f"{len(groups)} group cannot be parted: set data.validation to 0")
    return [one.group in outside for one in drafted]


def part_of(drafted: Drafted) -> str | None:
    """The part that a source says, in our word for it; None where it says none.

    Raises:
        DataError: there is no such part, so that nobody knows whether it may be learned from.
    """
    part = drafted.part
    known = part_named(part) if isinstance(part, str) else None
    if part is not None and known is None:
        raise DataError(f'a row is of the part "{part}": call it one of {", ".join(PARTS)}')
    return known


def _drafted(
    sources: Sources, config: DataConfig, refusals: Refusals, left_out: Counter[str]
) -> tuple[list[Drafted], list[Path]]:
    """Everything that the sources hold, of the kind that the preset says."""
    if sources.augmented and config.kind != "dialogues":
        raise ConfigError(f"augmented rows go with dialogues, and this is {config.kind}")
    if config.kind in _OF_DIALOGUES:
        own = [_loaded(one, sources, refusals) for one in sources.data]
        better = [_loaded(one, sources, refusals) for one in sources.augmented]
        dialogues = [dialogue for one in own for dialogue in one.dialogues]
        made = [dialogue for one in better for dialogue in one.dialogues]
        files = [file for one in (*own, *better) for file in one.files]
        return list(_of_dialogues(config, dialogues, made, left_out)), files
    files = [Path(one) for one in sources.data]
    if config.kind == "samples":
        return [_as_it_is(sample) for file in files for sample in read_samples(file)], files
    found: list[Drafted] = []
    for file in files:
        rows = _records(file, refusals)
        if config.kind == "triads":
            found += from_triads(rows, config.system, left_out, file.stem)
        else:
            found += from_worksheets(rows, config.taxonomy, left_out, file.stem)
    return found, files


def _of_dialogues(
    config: DataConfig,
    dialogues: Sequence[Dialogue],
    augmented: Sequence[Dialogue],
    left_out: Counter[str],
) -> Iterator[Drafted]:
    if config.kind == "dialogues":
        return from_dialogues(dialogues, config.taxonomy, left_out, augmented)
    if config.kind == "labels":
        return from_labels(dialogues, left_out)
    return from_chains(dialogues, left_out)


def _loaded(source: str, sources: Sources, refusals: Refusals) -> Loaded:
    """A source; a corpus with the parts of its grouped split, a file with those that it says."""
    loaded = load_source(source, sources.reading, refusals)
    if source.partition("=")[0] not in known_corpora():
        return loaded
    # by the usual seed: the test part must be the one that evaluation reads
    parts = parts_of(loaded.entry.name, loaded.dialogues, "grouped")
    pairs = zip(loaded.dialogues, parts, strict=True)
    return replace(loaded, dialogues=tuple(replace(one, split=part) for one, part in pairs))


def _records(file: Path, refusals: Refusals) -> Iterator[Record]:
    for row in read_rows(file):
        if isinstance(row, Failure):
            refusals.add(Refusal(str(file), row.line, row.message))
        else:
            yield row


def _as_it_is(sample: Sample) -> Drafted:
    key = near_key(sample.turns[-1].content)
    return Drafted(key, None, 0, lambda _: sample)


def _models(
    train: Sequence[Sample], outside: Sequence[Sample], ablation: str
) -> dict[str, Prepared]:
    if not train:
        raise DataError("nothing is left to learn from: hold less out")
    if ablation == "none":
        parts = {"model": list(train)}
    else:
        parts = ablate(train, cast("Ablation", ablation))
    found = {}
    for name, samples in parts.items():
        kept = without_replaced(samples)
        streams = {(sample.stream, sample.augmented) for sample in samples}
        alike = [s for s in outside if (s.stream, s.augmented) in streams]
        found[name] = Prepared(tuple(kept), tuple(without_replaced(alike)))
    return found


def _counts(prepared: Prepared) -> Json:
    def of(samples: Sequence[Sample]) -> Json:
        streams = Counter(sample.stream for sample in samples)
        augmented = sum(sample.augmented for sample in samples)
        return {"samples": len(samples), "augmented": augmented, "streams": dict(streams)}

    return {"train": of(prepared.train), "held_out": of(prepared.held_out)}


def _require_ids(samples: Sequence[Sample]) -> None:
    twice = [id for id, n in Counter(sample.id for sample in samples).items() if n > 1]
    if twice:
        raise DataError(f"{len(twice)} ids stand on two samples: give every row an id of its own")


def _why(left_out: Counter[str]) -> str:
    return "; ".join(f"{n} × {why}" for why, n in left_out.most_common(3)) or "there is no row"
