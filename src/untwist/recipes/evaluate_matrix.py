"""Recipe: the cross-corpus matrix. Train on each corpus (rows), test on each (columns).

    corpora -> train part of A -> model -> threshold on A's validation part -> test part of B

Every cell stands once by the papers' row split and once by the split that keeps sources and
near-duplicates together over all corpora, and says how many of its test rows have their source or a
near-duplicate among its training rows. The threshold never sees a test row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from untwist.data import Mode, Reading, Refusals
from untwist.detect import Example, FastConfig, fit
from untwist.errors import ConfigError
from untwist.evaluate import (
    RESAMPLES,
    Table,
    best_constant,
    bootstrap,
    bounds,
    heat_map,
    number,
    probability_scores,
    scores,
    tune_threshold,
)
from untwist.recipes.ngrams import NAME, NgramModel
from untwist.recipes.publish import Chapter, Drawing, publish
from untwist.recipes.rows import (
    COLUMNS,
    MODES,
    Bools,
    Rows,
    joint_groups,
    load_each,
    require_parts,
    rows_of,
)
from untwist.recipes.runfolder import RunFolder, open_run
from untwist.schema import Json, Utterance

SCHEMA = "untwist/cross-corpus-matrix@1"
MODELS = ("ngrams", "fast")
_VIEWS = (
    ("micro_f1", "Micro-F1", "As CrossLinCD Table 2 counts: all labels that the tested corpus can "
     "carry, also those that the training corpus cannot."),
    ("macro_f1", "Macro-F1", "Mean over the tested corpus' classes with support."),
    ("shared_micro_f1", "Micro-F1 on labels that both can carry", "A label that the training "
     "corpus cannot carry counts neither for nor against the model."),
)  # fmt: skip
_MODE_WORDS: dict[Mode, str] = {
    "published": "Rows drawn as in the papers. Sources and near-duplicates lie on both sides: "
    '"seen" is how many test rows have theirs among the training rows.',
    "grouped": "Sources, near-duplicates and excerpts kept on one side, over all published corpora "
    "at once. These are the numbers to believe. Files of your own are split by themselves, as is a "
    'corpus with other files than the published ones: mind "seen" there.',
}
_PROTOCOL = (
    "One model for each training corpus; one threshold for all labels, with the best micro-F1 on "
    "the validation part of the training corpus, never on a test row. Micro-F1 is one pooled count "
    "over rows × labels that the tested corpus can carry; rows without a label are in. Intervals: "
    "95 %, bootstrap over groups. The best constant answer is the label set with the best micro-F1 "
    "on the tested corpus' other rows. The oracle threshold was chosen on the test rows and is no "
    "result."
)
_Key = tuple[str, str, str]
Progress = Callable[[str, int, int], None]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class EvaluateMatrix:
    """What to train and test on."""

    out: str
    """The run folder; it must be new or empty."""
    corpora: tuple[str, ...] = (
        "socialcd",
        "reframing",
        "therapist-part",
        "therapist-whole",
        "crosslincd",
        "open",
    )
    """Names of corpora, or files of your own."""
    reading: Reading = field(default_factory=Reading)
    """How they are read."""
    model: str = "ngrams"
    """"ngrams": the fixed scikit-learn model; "fast": our own detector, trained anew."""
    seed: int = 42
    """Of our detector's folds and of the intervals."""
    resamples: int = RESAMPLES
    """Of the bootstrap."""
    command: str = "untwist.recipes.evaluate_matrix.run(config)"
    """What starts this run; stands in the report."""


@dataclass(frozen=True, slots=True)
class _Trained:
    """A model of one corpus: what it says of any texts, and its threshold."""

    probabilities: Callable[[Sequence[Utterance]], Floats]
    threshold: float
    carried: Bools


def run(
    config: EvaluateMatrix, progress: Progress = lambda stage, done, total: None
) -> tuple[Path, Json]:
    """Train, test, and write the run folder.

    Returns:
        The folder (config.toml, manifest.json, metrics.json, report.md, report.html, figures) and
        the metrics.

    Raises:
        ConfigError: the model is unknown, nothing is asked for, or the run folder is in use.
        DataError: a corpus cannot be read, or a part of it has nothing to learn, tune or test on.
    """
    if config.model not in MODELS:
        raise ConfigError(f'model is "{config.model}": give one of {", ".join(MODELS)}')
    if not config.corpora or config.resamples < 1:
        raise ConfigError("name at least one corpus and one resample")
    refusals = Refusals()
    loaded = load_each(config.corpora, config.reading, refusals)
    rows = [rows_of(one.entry.name, one.dialogues) for one in loaded]
    require_parts(rows)
    folder = open_run(config.out, config, config.seed, [f for one in loaded for f in one.files])
    sources = joint_groups(loaded, rows)
    cells: list[Json] = []
    steps = len(MODES) * len(rows)
    for mode in MODES:
        for place, one in enumerate(rows):
            progress("training and testing", len(cells) // len(rows), steps)
            model = _train(config, one, mode)
            cells.extend(
                _cell(config, mode, (one, other), model, (sources[place], sources[column]))
                for column, other in enumerate(rows)
            )
    progress("training and testing", steps, steps)
    metrics = _metrics(config, rows, cells, refusals)
    folder.write_metrics(metrics)
    _write(folder, config, metrics)
    return folder.path, metrics


def _train(config: EvaluateMatrix, rows: Rows, mode: Mode) -> _Trained:
    parts = rows.parts[mode]
    train, validation = (np.asarray(parts == part) for part in ("train", "validation"))
    model = _ngrams(rows, train) if config.model == "ngrams" else _fast(config, rows, train)
    said = model([rows.utterances[place] for place in np.flatnonzero(validation)])
    threshold = tune_threshold(rows.gold[validation], said, rows.mask[validation])
    return _Trained(model, threshold, np.asarray(rows.mask.any(axis=0)))


def _ngrams(rows: Rows, train: NDArray[np.bool_]) -> Callable[[Sequence[Utterance]], Floats]:
    texts = [rows.utterances[place].text for place in np.flatnonzero(train)]
    model = NgramModel().fit(texts, rows.gold[train])
    return lambda utterances: model.probabilities([u.text for u in utterances])


def _fast(
    config: EvaluateMatrix, rows: Rows, train: NDArray[np.bool_]
) -> Callable[[Sequence[Utterance]], Floats]:
    examples = [
        Example(rows.utterances[place], rows.labels[place], rows.groups[place])
        for place in np.flatnonzero(train)
    ]
    detector = fit(examples, FastConfig(), config.seed, f"fast-{rows.corpus}")

    def say(utterances: Sequence[Utterance]) -> Floats:
        values = np.zeros((len(utterances), len(COLUMNS)))
        given = np.asarray(detector.probabilities(utterances), float)
        values[:, : given.shape[1]] = given
        return values

    return say


def _cell(
    config: EvaluateMatrix,
    mode: Mode,
    pair: tuple[Rows, Rows],
    model: _Trained,
    sources: tuple[NDArray[np.str_], NDArray[np.str_]],
) -> Json:
    one, other = pair
    test, rest = other.parts[mode] == "test", other.parts[mode] != "test"
    gold, mask = other.gold[test], other.mask[test]
    said = model.probabilities([other.utterances[place] for place in np.flatnonzero(test)])
    guess = said >= model.threshold
    groups = [other.groups[place] for place in np.flatnonzero(test)]
    rng = np.random.default_rng(config.seed)
    intervals = bootstrap(gold, guess, groups, rng, mask=mask, resamples=config.resamples)
    value = scores(gold, guess, mask)
    shared = scores(gold, guess, mask & model.carried)
    constant = np.broadcast_to(best_constant(other.gold[rest], other.mask[rest]), gold.shape)
    seen = np.isin(sources[1][test], sources[0][one.parts[mode] == "train"])
    return {
        "mode": mode,
        "train": one.corpus,
        "test": other.corpus,
        "n": int(test.sum()),
        "groups": len(set(groups)),
        "seen": int(seen.sum()),
        "threshold": round(model.threshold, 6),
        "micro_f1": value.micro_f1,
        "macro_f1": value.macro_f1.value,
        "shared_micro_f1": shared.micro_f1,
        "oracle_micro_f1": probability_scores(gold, said, mask).oracle_f1,
        "constant_micro_f1": scores(gold, constant, mask).micro_f1,
        "intervals": {
            name: interval.to_dict() if (interval := intervals[name]) else None
            for name in ("micro_f1", "macro_f1")
        },
    }


def _metrics(
    config: EvaluateMatrix, rows: Sequence[Rows], cells: Sequence[Json], refusals: Refusals
) -> Json:
    return {
        "schema": SCHEMA,
        "model": NAME if config.model == "ngrams" else "fast",
        "command": config.command,
        "corpora": [one.corpus for one in rows],
        "resamples": config.resamples,
        "refused": {"count": len(refusals), "by_reason": refusals.by_reason()},
        "cells": list(cells),
    }


def _write(folder: RunFolder, config: EvaluateMatrix, metrics: Json) -> None:
    names = metrics["corpora"]
    cells = {(c["mode"], c["train"], c["test"]): c for c in metrics["cells"]}
    chapters = [_chapter(mode, names, cells) for mode in MODES]
    chapters.append(Chapter("Every cell", (), (_every(metrics["cells"]),)))
    title = f"Across corpora: {metrics['model']}, trained on one, tested on another"
    publish(folder, title, chapters, protocol=_PROTOCOL, command=config.command)


def _chapter(mode: Mode, names: Sequence[str], cells: Mapping[_Key, Json]) -> Chapter:
    tables = tuple(_view(mode, names, cells, view) for view in _VIEWS)
    drawings = tuple(_drawing(mode, names, cells, view) for view in _VIEWS)
    return Chapter(f"The {mode} split", (_MODE_WORDS[mode],), tables, drawings)


def _view(
    mode: Mode, names: Sequence[str], cells: Mapping[_Key, Json], view: tuple[str, str, str]
) -> Table:
    key, title, note = view
    rows = [(row, *(_shown(cells[mode, row, name], key) for name in names)) for row in names]
    floors = [number(cells[mode, name, name]["constant_micro_f1"]) for name in names]
    if key == "micro_f1":
        rows.append(("best constant answer", *floors))
    return Table(f"{title}, {mode} split", ("trained on", *names), tuple(rows), note)


def _drawing(
    mode: Mode, names: Sequence[str], cells: Mapping[_Key, Json], view: tuple[str, str, str]
) -> Drawing:
    key, title, _ = view
    grid = [[cells[mode, row, name][key] for name in names] for row in names]
    title = f"{title}, {mode} split"
    return Drawing(
        f"{key.replace('_', '-')}-{mode}",
        f"{title}: trained on the rows, tested on the columns.",
        lambda: heat_map(grid, names, names, title),
    )


def _shown(cell: Json, key: str) -> str:
    interval = cell["intervals"].get(key)
    ends = bounds((interval["low"], interval["high"])) if interval else ""
    seen = f" ({cell['seen']} seen)" if cell["seen"] and key == "micro_f1" else ""
    return number(cell[key]) + ends + seen


def _every(cells: Sequence[Json]) -> Table:
    header = (
        "split", "trained on", "tested on", "n", "groups", "seen", "threshold", "micro-F1",
        "macro-F1", "on labels that both can carry", "best constant", "oracle threshold",
    )  # fmt: skip
    rows = tuple(
        (
            c["mode"], c["train"], c["test"], f"{c['n']:,}", f"{c['groups']:,}", f"{c['seen']:,}",
            number(c["threshold"]), _shown({**c, "seen": 0}, "micro_f1"), _shown(c, "macro_f1"),
            number(c["shared_micro_f1"]), number(c["constant_micro_f1"]),
            number(c["oracle_micro_f1"]),
        )
        for c in cells
    )  # fmt: skip
    return Table("Every cell", header, rows)
