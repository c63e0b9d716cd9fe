"""The report of a CrossLinCD table: the paper's rows and columns, floors, its figures beside."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from typing import Any

from untwist.data import Mode
from untwist.evaluate import Table, bounds, number
from untwist.recipes.crosslincd_config import TINY, Crosslincd
from untwist.recipes.crosslincd_scores import MEAN, ORACLE, PAPER, VALIDATION
from untwist.recipes.publish import Chapter, publish
from untwist.recipes.runfolder import RunFolder
from untwist.schema import Json

STAMP = "tiny random-weight model: shows that the recipe runs, is no result"
_PAPERS = "The paper's figures"
TINY_PARAMETERS = 1_000_000
"""No encoder that anybody publishes is smaller; what is, is stamped as `STAMP` says."""
_TITLES = {
    2: "one corpus, one model; with and without a teacher",
    3: "one model for four corpora, and language models",
    4: "taught models on one corpus to four",
    5: "the aligned corpus, by language",
}
_MODE_WORDS: dict[Mode, str] = {
    "published": "Rows drawn as in the paper, each corpus by itself; its own draw of D_a is "
    'unpublished, ours has its seed and shares. "seen" is how many test rows have their source or '
    "a near-duplicate among the rows that the model (and its teacher) learnt from. For comparison "
    "with the paper, and no evidence of skill on new sources.",
    "grouped": "Sources, near-duplicates and excerpts kept on one side, over all published corpora "
    "at once. What a teacher's corpus or a file of your own has in common with held-out rows of "
    "another corpus is not learnt from. These are the numbers to believe.",
}
_PROTOCOL = (
    "A model of each column for every split and seed. Micro-F1 is one pooled count over rows × "
    "labels that the tested corpus can carry (its mask); rows without a label are in, a label that "
    'a model has not learnt is never heard, "none" is no label. The threshold of a result is one '
    "for all labels, best for micro-F1 on validation rows: the tested corpus' own where the model "
    "has learnt from it, else those of all that it has learnt from; never a test row. A corpus "
    "with a head of its own is heard by it, others by the mean of the heads. ± is the standard "
    "deviation over seeds; brackets are 95 % of a bootstrap over sources of the mean over seeds. "
    "The oracle threshold was chosen on the test rows and is no result; the paper's figures were "
    "made with such thresholds (its programs keep the best of several on each test file)."
)
_LEAKAGE = (
    "D_t1 is the distorted part that was cut out of D_t2's letters, and both are drawn by row: in "
    "the published split most of the one's test rows have their letter in the other's training "
    "rows, which lifts every model that learns from both, and a model of D_t2 on D_t1. D_a labels "
    "texts of D_s, D_r and D_t1 anew. The grouped split keeps a source on one side of all corpora. "
    "Below: of the test rows of a column, how many have their source or a near-duplicate among the "
    "training rows of a row."
)


def figures(table: int) -> Json:
    """The paper's figures of one table: source, columns, rows."""
    text = files("untwist.recipes").joinpath("published.json").read_text(encoding="utf-8")
    found: Json = json.loads(text)[f"crosslincd_table{table}"]
    return found


def called() -> dict[str, str]:
    """What the paper calls a corpus, by our name."""
    text = files("untwist.recipes").joinpath("published.json").read_text(encoding="utf-8")
    found: dict[str, str] = json.loads(text)["crosslincd_table1"]["corpora"]
    return found


def paper_figure(table: int, model: str, target: str) -> float | None:
    """The paper's micro-F1 of a cell; None where it has none."""
    known = figures(table)
    if model not in known["columns"] or target not in known["rows"]:
        return None
    value: float | None = known["rows"][target][known["columns"].index(model)]
    return value


def stamp_of(config: Crosslincd, parameters: Sequence[int]) -> str:
    """What every table must say of a model that cannot have learnt anything; empty otherwise."""
    return STAMP if config.tiny or any(n < TINY_PARAMETERS for n in parameters) else ""


def write(folder: RunFolder, config: Crosslincd, metrics: Json) -> None:
    """report.md and report.html."""
    chapters = [
        Chapter(f"The {split} split", (_MODE_WORDS[split],), _tables(metrics, split))
        for split in config.splits
    ]
    chapters.append(Chapter("What was seen before", (_LEAKAGE,), _leaks(config, metrics)))
    chapters.append(Chapter("Every cell", (), (_cells(metrics),)))
    chapters.append(Chapter("Every training", (), (_runs(metrics),)))
    title = f"CrossLinCD Table {config.table}: {_TITLES[config.table]}"
    words = _about(config, metrics)
    stamped = [_stamped(c, metrics["stamp"]) for c in (Chapter("What ran", words), *chapters)]
    # the paper's own: no stamp of ours belongs on them
    stamped.insert(1 + len(config.splits), Chapter(_PAPERS, (), (_figures(metrics),)))
    publish(folder, title, stamped, protocol=_PROTOCOL, command=config.command)


def _stamped(chapter: Chapter, stamp: str) -> Chapter:
    """The same with the stamp above it and on every table."""
    if not stamp:
        return chapter
    tables = tuple(
        Table(
            table.title,
            table.header,
            table.rows,
            " ".join(part for part in (f"**{stamp}**.", table.note) if part),
        )
        for table in chapter.tables
    )
    return Chapter(chapter.title, (f"**{stamp}**", *chapter.paragraphs), tables, chapter.drawings)


def _about(config: Crosslincd, metrics: Json) -> tuple[str, ...]:
    role = {2: "single", 3: "multi", 4: "student"}.get(config.table, "aligned")
    settings = getattr(config, role)
    sizes = sorted({run["parameters"] for run in metrics["runs"]})
    name = TINY if config.tiny else settings.encoder
    words = [
        f"Encoder: {name}, {', '.join(f'{n:,}' for n in sizes)} parameters. "
        f"Seeds: {', '.join(map(str, config.seeds))}."
    ]
    if len(config.seeds) < 3:
        words.append("**Fewer than three seeds: too few to show to anybody.**")
    if config.limit:
        words.append(
            f"Learnt from, and tuned on, {config.limit:,} texts of each corpus at most. Test parts "
            "are whole."
        )
    if metrics["teacher"]:
        other = "" if metrics["teacher"] == "c2d2" else " (the paper's is D_c, C2D2)"
        words.append(f"Teacher: learnt from {metrics['teacher']}{other}.")
    elif config.table in {2, 3}:
        words.append(
            "No taught models: they need a teacher_corpus. The paper's is D_c (C2D2), which its "
            "authors give on application."
        )
    if config.table in {3, 5} and not any(config.asked(split) for split in config.splits):
        words.append("No language models: name them in [[llm]].")
    lost = {name: n for name, n in metrics["left_out"].items() if n}
    if lost:
        shown = ", ".join(f"{name} {n:,}" for name, n in lost.items())
        words.append(
            "Left out of training by the grouped split, since their source is held out in another "
            f"corpus: {shown} rows."
        )
    count = sum(metrics["refused"].values())
    return (*words, f"{count:,} rows refused.")


def _tables(metrics: Json, split: Mode) -> tuple[Table, ...]:
    mine = [cell for cell in metrics["cells"] if cell["split"] == split]
    targets = [(t["key"], t["title"]) for t in metrics["targets"]]
    rows = targets if metrics["table"] == 5 else [*targets, (MEAN, "mean")]
    columns = [
        (m["key"], m["title"])
        for m in metrics["models"]
        if any(cell["model"] == m["key"] for cell in mine)
    ]
    found = {(c["model"], c["target"]): c for c in mine}
    below = {f["target"]: f for f in metrics["floors"] if f["split"] == split}
    return tuple(
        Table(
            f"{title}, {split} split",
            ("tested on", *(name for _, name in columns), *floor_names),
            tuple(
                (
                    words,
                    *(_marked(show, found.get((model, target))) for model, _ in columns),
                    *(_floor(below, target, key) for key in floor_keys),
                )
                for target, words in rows
                if target != MEAN or key_of_mean
            ),
            f"{note} {_OWN}" if any("in_domain" in cell for cell in mine) else note,
        )
        for title, show, floor_names, floor_keys, key_of_mean, note in _VIEWS
    )


def _marked(show: Callable[[Json | None], str], cell: Json | None) -> str:
    """A cell, in bold where the model has learnt from the tested corpus."""
    words = show(cell)
    own = cell is not None and cell.get("in_domain") and words != number(None)
    return f"**{words}**" if own else words


def _floor(below: Mapping[str, Json], target: str, key: str) -> str:
    if target != MEAN:
        return number(below[target][key])
    given = [one[key] for one in below.values()]
    return number(sum(given) / len(given)) if None not in given else number(None)


def _micro(rule: str) -> Callable[[Json | None], str]:
    def show(cell: Json | None) -> str:
        scored = cell["scores"].get(rule) if cell else None
        if cell is None or scored is None:
            return number(None)
        micro = scored["micro_f1"]
        seen = f" ({cell['seen']:,} of {cell['n']:,} seen)" if cell.get("seen") else ""
        lost = sum(cell.get("unscored", []))
        missing = f" ({lost:,} of {cell['n'] * len(cell['unscored']):,} unscored)" if lost else ""
        return _spread(micro) + bounds(micro["interval"]) + seen + missing

    return show


def _other(key: str) -> Callable[[Json | None], str]:
    def show(cell: Json | None) -> str:
        scored = cell["scores"].get(VALIDATION) if cell else None
        return _spread(scored[key]) if scored and key in scored else number(None)

    return show


def _spread(value: Json) -> str:
    return number(value["mean"]) + (f" ± {value['sd']:.3f}" if value["sd"] is not None else "")


_OWN = "Bold: the model has learnt from the tested corpus; other cells are across corpora."
_FLOORS = ("best constant answer", "labels by frequency", "all labels")
_KEYS = ("constant", "prior", "all")
_VIEWS: tuple[tuple[Any, ...], ...] = (
    (
        "Micro-F1, threshold from validation rows", _micro(VALIDATION), _FLOORS, _KEYS, True,
        "The threshold to report by. A language model's labels are as it gave them.",
    ),
    ("Micro-F1, the paper's threshold", _micro(PAPER), _FLOORS, _KEYS, True,
     "0.25 for all labels, unless the settings say otherwise."),
    (
        "Micro-F1, oracle threshold", _micro(ORACLE), _FLOORS, _KEYS, True,
        "Chosen on the test rows themselves: no result, and what the paper's programs print.",
    ),
    ("Macro-F1, threshold from validation rows", _other("macro_f1"), ("best constant answer",),
     ("constant_macro_f1",), False, "Mean over the tested corpus' classes with support."),
    ("Share of undistorted test rows given any label, threshold from validation rows",
     _other("over_pathologising"), (), (), False, "A dash where a corpus has no such row."),
)  # fmt: skip


def _figures(metrics: Json) -> Table:
    known = figures(metrics["table"])
    titles = {m["key"]: m["title"] for m in metrics["models"]}
    names = {t["key"]: t["title"] for t in metrics["targets"]}
    rows = tuple(
        (names.get(target, target), *(_printed(value) for value in values))
        for target, values in known["rows"].items()
    )
    header = ("tested on", *(titles.get(key, key) for key in known["columns"]))
    note = (
        f"{known['source']}. XLM-R-large or the language model named; one run each, thresholds "
        "chosen on test rows by its programs, the published split. Facts as printed, not made here."
    )
    return Table(f"Micro-F1 as the paper prints it, Table {metrics['table']}", header, rows, note)


def _printed(value: float | None) -> str:
    """A figure of the paper, with all places that it prints."""
    return number(None) if value is None else f"{value:.4f}"


def _leaks(config: Crosslincd, metrics: Json) -> tuple[Table, ...]:
    names = {t["key"]: t["title"] for t in metrics["leakage_columns"]}
    return tuple(
        Table(
            f"{split} split",
            ("training rows of", *names.values()),
            tuple(
                (line["title"], *(f"{seen:,} of {n:,}" for seen, n in line["seen"]))
                for line in metrics["leakage"]
                if line["split"] == split
            ),
            f"Of the {config.limit:,} training rows that are read." if config.limit else "",
        )
        for split in config.splits
    )


def _cells(metrics: Json) -> Table:
    titles = {m["key"]: m["title"] for m in metrics["models"]}
    names = {t["key"]: t["title"] for t in metrics["targets"]}
    header = (
        "split", "model", "tested on", "n", "sources", "seen", "micro-F1", "oracle threshold "
        "(no result)", "the paper's figure", "thresholds, by seed",
    )  # fmt: skip
    rows = tuple(
        (
            c["split"], titles[c["model"]], names[c["target"]], f"{c['n']:,}", f"{c['groups']:,}",
            f"{c['seen']:,}" if "seen" in c else number(None), _micro(VALIDATION)({**c, "seen": 0}),
            _micro(ORACLE)({**c, "seen": 0}), _printed(c["paper"]),
            ", ".join(number(t) for t in c.get("thresholds", {}).get(VALIDATION, [])) or "its own",
        )
        for c in metrics["cells"]
        if c["target"] != MEAN
    )  # fmt: skip
    return Table("Every cell", header, rows)


def _runs(metrics: Json) -> Table:
    titles = {m["key"]: m["title"] for m in metrics["models"]}
    header = ("split", "model", "seed", "texts", "of them cut", "epochs", "kept", "last loss")
    rows = tuple(
        (
            run["split"], titles[run["model"]], str(run["seed"]), f"{sum(run['texts'].values()):,}",
            f"{sum(run['truncated'].values()):,}", str(run["epochs"]), str(run["best_epoch"]),
            f"{run['loss'][-1]:.4f}",
        )
        for run in metrics["runs"]
    )  # fmt: skip
    return Table(
        "Every training", header, rows, "A text is cut at the longest that training reads."
    )
