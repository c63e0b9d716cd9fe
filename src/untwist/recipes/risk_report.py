"""The page that `evaluate_risk` leaves for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from untwist.schema import Json
from untwist.taxonomy import Risk

_DASH = "–"
_PROTOCOL = (
    "Nothing was trained, chosen or tuned on these corpora: neither the rules, the second reader, "
    "its cuts, nor the keyword list. All published parts are scored. Every text is read alone, "
    "without the post that it answers.",
    "Readers: the rules alone (`untwist.safety.screen`), and with the shipped second reader, which "
    "can only raise a level. Floors: a plain list of about twenty general words per language (its "
    "writer had seen the texts of the sample below, but no label), always high, always none.",
    'Yes is said at "high", or at "medium or high". What counts as yes in a corpus stands above '
    "each table; the labels are the corpus's own and are not ours.",
    "Brackets: 95 % Wilson intervals; of F1, through TP / (TP + FP + FN); of kappa, 1,000 "
    "resamples of rows. Rows are taken as independent, although some are repeated.",
)
_SECOND = (
    "A sample of 120 texts of each Chinese corpus and 60 posts of 60 Reddit users (one post of 80 "
    "to 1,000 characters each) was labelled a second time: does the text express suicidal or "
    "self-harm thoughts, a plan, an act, or danger now? Drawn by ascending sha256 of "
    '"42:corpus:row", without the labels.',
    "**A language model labelled it in one pass; no clinician did, and no person.** It saw each "
    "text alone, and neither its label nor what the screen says of it; it knew how often each "
    "label occurs in the corpus. Choices of that labeller: weighing methods is yes, even as "
    "advice; a third person in danger is yes, comforting one is no; a past that is over is no; "
    "being unable to go on, without death, is no.",
    "The sample is small and the labeller is one: the figures show how far two readings differ, "
    "not which is right. The label of a Reddit user is of all posts, the second label of one: low "
    "agreement there says nothing of either.",
)


def report(metrics: Json, command: str, refused: str, figures: Sequence[str]) -> str:
    """The whole page.

    Args:
        metrics: as `evaluate_risk.run` returns them.
        command: what started the run.
        refused: how many rows were refused, and why.
        figures: names of the drawings in the same folder.
    """
    lines = ["# The safety screen on public risk corpora", "", f"Command: `{command}`.", ""]
    for paragraph in (*_PROTOCOL, f"{refused}."):
        lines += [paragraph, ""]
    lines += [f"![{name.split('.')[0]}]({name})" for name in figures if name.endswith(".png")]
    if figures:
        lines.append("")
    lines += _overview(metrics)
    for name, corpus in metrics["corpora"].items():
        lines += _corpus(name, corpus)
    lines += _shared(metrics)
    if metrics["second"]:
        lines += _second(metrics)
    return "\n".join(lines).rstrip() + "\n"


def _overview(metrics: Json) -> list[str]:
    """The main reading of each corpus in one table."""
    rows = []
    for name, corpus in metrics["corpora"].items():
        main = corpus["yardsticks"][0]
        first = [f"{name}: {main['name']}", f"{main['yes']:,} / {main['n']:,}"]
        for rate in main["rates"]:
            if rate["reader"].startswith("always"):
                continue
            says = [rate["reader"], rate["cut"] or _DASH]
            rows.append([*first, *says, _brief(rate["sensitivity"]), _brief(rate["specificity"])])
            first = ["", ""]
    heads = ["corpus: yes is", "yes / n", "reader", "yes at", "sensitivity", "specificity"]
    return ["## In short", "", *_table(heads, rows), ""]


def _brief(share: Json) -> str:
    return _share(share).rsplit(" (", 1)[0]


def _corpus(name: str, corpus: Json) -> list[str]:
    size = f"{corpus['n']:,} {corpus['unit']}s"
    if corpus["texts"] != corpus["n"]:
        size += f" with {corpus['texts']:,} texts"
    lines = [f"## {name}", "", f"{size}. {corpus['note']}", ""]
    for y in corpus["yardsticks"]:
        left = f"; {y['left_out']:,} left out" if y["left_out"] else ""
        lines += [f"Yes is: {y['name']} ({y['yes']:,} of {y['n']:,}{left}).", ""]
        lines += [*_rates(y["rates"]), ""]
    for reader, classes in corpus["classes"].items():
        lines += [f"By label, {reader}:", "", *_classes(classes), ""]
    fits = ", ".join(f"{reader} {_share(s)}" for reader, s in corpus["accepted"].items())
    return [*lines, f"Level among those that the label leaves open: {fits}.", ""]


def _rates(rates: Iterable[Json]) -> list[str]:
    columns = ("sensitivity", "specificity", "precision")
    rows = [
        [r["reader"], r["cut"] or _DASH, *(_share(r[c]) for c in columns), _f1(r["f1"])]
        for r in rates
    ]
    return _table(["reader", "yes at", *columns, "F1"], rows)


def _classes(classes: Iterable[Json]) -> list[str]:
    levels = [level.value for level in Risk]
    rows = [
        [
            c["class"],
            str(c["n"]),
            *(str(c["levels"][level]) for level in levels),
            _share(c["medium or high"]),
            _share(c["high"]),
        ]
        for c in classes
    ]
    return _table(["label", "n", *levels, "medium or high, share", "high, share"], rows)


def _shared(metrics: Json) -> list[str]:
    found = metrics["shared"]
    lines = ["## What the corpora share", ""]
    lines += _table(
        ["corpus", "repeated texts", "near-repeats", "in our labelled cases", "in our open corpus"],
        [
            [name, str(w["exact"]), str(w["near"]), *map(str, found["with_ours"][name].values())]
            for name, w in found["within"].items()
        ],
    )
    pairs = [p for p in found["between"] if p["near"]]
    if pairs:
        rows = [[" and ".join(p["corpora"]), str(p["exact"]), str(p["near"])] for p in pairs]
        lines += ["", *_table(["both hold", "equal texts", "equal letters and digits"], rows)]
    for name, counts in metrics["departures"].items():
        listed = ", ".join(f"{what} {n:,}" for what, n in counts.items())
        lines += ["", f"{name}: {listed}."]
    return [*lines, ""]


def _second(metrics: Json) -> list[str]:
    lines = ["## A second labelling", ""]
    for paragraph in _SECOND:
        lines += [paragraph, ""]
    lines += [
        "Texts drawn in two corpora that got the same second label, which one pass makes easy: "
        f"{_share(metrics['second_twice'])}.",
        "",
    ]
    rows = [
        [name, y["name"], str(y["n"]), *_four(y), _share(y["agreement"]), _kappa(y)]
        for name, sample in metrics["second"].items()
        for y in sample["yardsticks"]
    ]
    heads = ["corpus", "yes is", "n", "both yes", "corpus only", "second only", "both no"]
    lines += [*_table([*heads, "agreement", "kappa"], rows), ""]
    for name, sample in metrics["second"].items():
        y = sample["yardsticks"][0]
        lines += [f"### The screen against either labelling: {name}, {y['name']}", ""]
        lines += [*_against(y["against"]), ""]
    return lines


def _four(y: Json) -> list[str]:
    return [str(y[key]) for key in ("both", "first_only", "second_only", "neither")]


def _against(against: Json) -> list[str]:
    rows = [
        [labels, str(part["n"]), r["reader"], r["cut"] or _DASH]
        + [_share(r[key]) for key in ("sensitivity", "specificity")]
        for labels, part in against.items()
        for r in part["rates"]
        if not r["reader"].startswith("always")
    ]
    return _table(["labels of", "n", "reader", "yes at", "sensitivity", "specificity"], rows)


def _kappa(y: Json) -> str:
    if y["kappa"] is None or y["kappa_interval"] is None:
        return _DASH
    low, high = (y["kappa_interval"][side] for side in ("low", "high"))
    return f"{y['kappa']:.2f} [{low:.2f}, {high:.2f}]"


def _share(share: Json) -> str:
    if share["value"] is None:
        return _DASH
    low, high = share["interval"]
    return f"{share['value']:.3f} [{low:.3f}, {high:.3f}] ({share['hits']}/{share['of']})"


def _f1(f1: dict[str, Any]) -> str:
    if f1["value"] is None or f1["interval"] is None:
        return _DASH
    low, high = f1["interval"]
    return f"{f1['value']:.3f} [{low:.3f}, {high:.3f}]"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [header, ["---"] * len(header), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]
