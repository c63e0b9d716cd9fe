"""Recipe: how far labellers agree on the same messages, beyond chance.

    labellings of the same messages -> shared rows -> Cohen's and Fleiss' kappa -> a run folder

A labelling is a corpus, a file with texts, or a file of labels alone, one JSON object a line:
{"id", "labels": [...], "intensity"?, "risk"?, "acuity"?}. Rows that one of them lacks are counted
and left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untwist.data import Failure, Reading, Record, Refusals, load_source, read_records
from untwist.data.jsonl import member_of
from untwist.errors import ConfigError, DataError
from untwist.evaluate import (
    RESAMPLES,
    Agreement,
    ForestRow,
    Table,
    agreement,
    fleiss_kappa,
    forest,
    number,
    ordinal_scores,
    pooled_agreement,
)
from untwist.recipes.publish import Chapter, Drawing, publish
from untwist.recipes.rows import rows_of
from untwist.recipes.runfolder import open_run
from untwist.schema import Json
from untwist.taxonomy import CANONICAL, Distortion, Intensity, Risk, parse_all

SCHEMA = "untwist/agreement@1"
_PROTOCOL = (
    "Each label by itself is a yes or no (one against the rest). The pool is every message × label "
    "as one table; its interval draws whole messages. Any is whether there is a distortion at all. "
    "Cohen's kappa for two labellers, Fleiss' for three or more; 95 % intervals by resampling. "
    "Levels: share of equal answers and kappa with quadratic weights, where both judge; intensity "
    "where both see a distortion. Agreement between language models says how clear the "
    "guide and the texts are; it says nothing of whether a clinician would agree."
)


@dataclass(frozen=True, slots=True)
class EvaluateAgreement:
    """Whose labels to compare."""

    out: str
    """The run folder; it must be new or empty."""
    labellings: tuple[str, ...]
    """Corpora by name, files with texts, or files of labels alone; two or more."""
    reading: Reading = field(default_factory=Reading)
    """How corpora and files with texts are read."""
    seed: int = 42
    """Of the intervals."""
    resamples: int = RESAMPLES
    """Of the bootstrap."""
    command: str = "untwist.recipes.evaluate_agreement.run(config)"
    """What starts this run; stands in the report."""


@dataclass(frozen=True, slots=True)
class _Said:
    """What one labeller said of one message."""

    labels: frozenset[Distortion]
    intensity: Intensity | None
    risk: Risk | None


_Labeller = dict[str, _Said]


def run(config: EvaluateAgreement) -> tuple[Path, Json]:
    """Compare, and write the run folder.

    Returns:
        The folder (config.toml, manifest.json, metrics.json, report.md, report.html, pictures) and
        the metrics.

    Raises:
        ConfigError: there is no second labelling, or the run folder is in use.
        DataError: a labelling cannot be read, or they share no row.
    """
    if len(config.labellings) < 2:
        raise ConfigError("name a second labelling of the same messages")
    refusals = Refusals()
    read = [_labeller(source, config.reading, refusals) for source in config.labellings]
    labellers = [labeller for labeller, _ in read]
    shared = [id for id in labellers[0] if all(id in one for one in labellers)]
    if not shared:
        raise DataError("the labellings share no row: give labels with the ids of the corpus")
    files = [file for _, own in read for file in own]
    folder = open_run(config.out, config, config.seed, files)
    metrics = _metrics(config, labellers, shared, len(refusals))
    folder.write_metrics(metrics)
    title = "Agreement of labellers"
    publish(folder, title, _chapters(metrics), protocol=_PROTOCOL, command=config.command)
    return folder.path, metrics


def _labeller(source: str, how: Reading, refusals: Refusals) -> tuple[_Labeller, tuple[Path, ...]]:
    """What one labelling says by id, and its files."""
    if _is_labels(source):
        return _read(source), (Path(source),)
    loaded = load_source(source, how, refusals)
    rows = rows_of(loaded.entry.name, loaded.dialogues)
    said = (_Said(frozenset(o.distortions or ()), o.intensity, o.risk) for o in rows.labels)
    return dict(zip(rows.ids, said, strict=True)), loaded.files


def _is_labels(source: str) -> bool:
    """Whether a file of JSON Lines holds labels without texts."""
    if not source.endswith(".jsonl") or not Path(source).is_file():
        return False
    first = next(read_records(source), None)
    return isinstance(first, Record) and not {"text", "messages"} & first.data.keys()


def _read(path: str) -> _Labeller:
    found: _Labeller = {}
    for record in read_records(path):
        if isinstance(record, Failure):
            raise DataError(f"{path}:{record.line}: {record.message}")
        try:
            id, said = _said(record)
        except DataError as error:
            raise DataError(f"{path}:{record.line}: {error}") from error
        if id in found:
            raise DataError(f'{path}:{record.line}: id "{id}" occurs twice: keep one')
        found[id] = said
    return found


def _said(record: Record) -> tuple[str, _Said]:
    data = record.data
    id, names = data.get("id"), data.get("labels")
    if not isinstance(id, str) or not isinstance(names, list):
        raise DataError('no {"id", "labels": [...]}')
    if not all(isinstance(name, str) for name in names):
        raise DataError("labels is no list of strings")
    levels = member_of(data, "intensity", Intensity), member_of(data, "risk", Risk)
    return id, _Said(parse_all(names), *levels)


def _metrics(
    config: EvaluateAgreement, labellers: Sequence[_Labeller], shared: list[str], refused: int
) -> Json:
    rng = np.random.default_rng(config.seed)
    votes = np.array([[_marks(one[id]) for id in shared] for one in labellers])
    pairs = [
        _pair(config, rng, (a, b), votes, (labellers[a], labellers[b]), shared)
        for a, b in combinations(range(len(labellers)), 2)
    ]
    several = {
        d.value: fleiss_kappa(votes[:, :, c].T, rng, config.resamples).to_dict()
        for c, d in enumerate(CANONICAL)
    }
    return {
        "schema": SCHEMA,
        "command": config.command,
        "labellings": list(config.labellings),
        "rows": len(shared),
        "only_in_some": len({id for one in labellers for id in one}) - len(shared),
        "refused": refused,
        "pairs": pairs,
        "fleiss": several if len(labellers) > 2 else None,
    }


def _marks(said: _Said) -> list[bool]:
    return [distortion in said.labels for distortion in CANONICAL]


def _pair(
    config: EvaluateAgreement,
    rng: np.random.Generator,
    places: tuple[int, int],
    votes: NDArray[np.bool_],
    both: tuple[_Labeller, _Labeller],
    shared: Sequence[str],
) -> Json:
    one, other = votes[places[0]], votes[places[1]]

    def two(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Agreement:
        pairs = zip(first.tolist(), second.tolist(), strict=True)
        return agreement(pairs, rng, config.resamples)

    return {
        "labellers": list(places),
        "exact": float((one == other).all(axis=1).mean()),
        "pooled": pooled_agreement(one, other, rng, config.resamples).to_dict(),
        "any": two(one.any(axis=1), other.any(axis=1)).to_dict(),
        "labels": {d.value: two(one[:, c], other[:, c]).to_dict() for c, d in enumerate(CANONICAL)},
        "intensity": _levels(both, shared, "intensity", tuple(Intensity)),
        "risk": _levels(both, shared, "risk", tuple(Risk)),
    }


def _levels(
    both: tuple[_Labeller, _Labeller], shared: Sequence[str], kind: str, levels: tuple[Any, ...]
) -> Json | None:
    judged = [
        (a, b)
        for id in shared
        if (a := getattr(both[0][id], kind)) and (b := getattr(both[1][id], kind))
    ]
    if not judged:
        return None
    scores = ordinal_scores([a for a, _ in judged], [b for _, b in judged], levels)
    return {
        "n": scores.n,
        "equal": scores.accuracy.to_dict(),
        "quadratic_kappa": scores.quadratic_kappa,
    }


def _chapters(metrics: Json) -> list[Chapter]:
    names = "; ".join(f"{place}: {one}" for place, one in enumerate(metrics["labellings"], 1))
    words = (
        f"Labellers: {names}. {metrics['rows']:,} messages that all labelled; "
        f"{metrics['only_in_some']:,} that only some did are left out; {metrics['refused']} rows "
        "refused."
    )
    chapters = [Chapter("Rows", (words,))]
    for place, pair in enumerate(metrics["pairs"], 1):
        a, b = (n + 1 for n in pair["labellers"])
        drawing = Drawing(
            f"kappa-{place}",
            f"Cohen's kappa of labellers {a} and {b}, with 95 % intervals.",
            lambda pair=pair: forest(_points(pair), "Agreement", "Cohen's kappa"),  # type: ignore[misc]
        )
        title = f"Labellers {a} and {b}"
        chapters.append(Chapter(title, (), (_labels(pair), _level_table(pair)), (drawing,)))
    if metrics["fleiss"]:
        chapters.append(Chapter("All labellers", (), (_fleiss(metrics["fleiss"]),)))
    return chapters


def _lines(pair: Json) -> list[tuple[str, Json]]:
    named = {d.value: d.name_in("en") for d in Distortion}
    each = [(named[key], one) for key, one in pair["labels"].items()]
    return [("all labels, pooled", pair["pooled"]), ("any distortion", pair["any"]), *each]


def _points(pair: Json) -> list[ForestRow]:
    return [ForestRow(name, one["kappa"], _ends(one), None) for name, one in _lines(pair)]


def _ends(one: Json) -> tuple[float, float] | None:
    interval = one["kappa_interval"]
    return (interval["low"], interval["high"]) if interval else None


def _labels(pair: Json) -> Table:
    rows = tuple(
        (
            name,
            _kappa(one),
            f"{one['both']:,}",
            f"{one['first_only']:,}",
            f"{one['second_only']:,}",
            f"{one['neither']:,}",
        )
        for name, one in _lines(pair)
    )
    header = ("label", "Cohen's kappa", "both", "first alone", "second alone", "neither")
    note = f"The whole set of labels is equal in {100 * pair['exact']:.1f} % of messages."
    return Table("Labels", header, rows, note)


def _kappa(one: Json) -> str:
    ends = _ends(one)
    shown = f" [{ends[0]:.2f}, {ends[1]:.2f}]" if ends else ""
    return number(one["kappa"]) + shown


def _level_table(pair: Json) -> Table:
    rows = tuple(
        (
            kind,
            f"{one['n']:,}",
            f"{one['equal']['value']:.3f}",
            number(one["quadratic_kappa"]),
        )
        for kind in ("intensity", "risk")
        if (one := pair[kind])
    )
    return Table("Levels", ("what", "n", "equal", "kappa, quadratic weights"), rows)


def _fleiss(several: Json) -> Table:
    named = {d.value: d.name_in("en") for d in Distortion}
    rows = tuple((named[key], _kappa(one)) for key, one in several.items())
    return Table("Fleiss' kappa", ("label", "kappa"), rows)
