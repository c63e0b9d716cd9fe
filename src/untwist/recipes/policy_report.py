"""The report of `evaluate_policy`: tables and pictures, never a text."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from untwist.evaluate import (
    CHOICE_METRICS,
    Point,
    Share,
    Table,
    advantage_plot,
    bounds,
    hit_ranking,
    number,
)
from untwist.evaluate.cells import Bools
from untwist.recipes.policy_lines import (
    AS_FOUND,
    LISTENED,
    LabelLine,
    Names,
    ReturnLine,
    ends_of,
    gap_cell,
    with_ends,
)
from untwist.recipes.policy_players import Floats
from untwist.recipes.policy_report_returns import (
    OFF_POLICY,
    habit_chapter,
    off_policy_chapter,
    return_chapter,
)
from untwist.recipes.publish import Chapter, Drawing, publish
from untwist.recipes.runfolder import RunFolder
from untwist.schema import Json

_PROTOCOL = (
    "Hits are counted on messages with a distortion below high risk; with several labels the gold "
    "strategies of all count, and the silver ones. Combined is gold + 0.75 silver. Macro is the "
    "mean over the distortions that occur. Validation: empathic validation where there is no "
    "distortion and no high risk. Crisis calls are counted on all messages: recall at high risk, "
    "false positives below it, with 95 % Wilson intervals; precision at another prevalence follows "
    "from the two rates, its interval from their bounds. Safety advantage: the value of crisis "
    "intervention minus the best of the others, of the unshielded values. Shielded: the safety "
    "gate leaves crisis intervention alone at heard high risk, and closes it below. Gold labels: "
    "the policy sees the annotators' labels; predicted: a detector's, and is judged by the "
    "annotators'. As found: a message without history is a first message, one of a dialogue comes "
    "after what its helper did; after listening: as if one validating reply had gone before; found "
    "as first message, after validation, a challenge or what is not known: by what went before. "
    "Returns: every policy meets the same simulated people (same first states, same seed); nobody "
    "in there is real, and no effect of the simulation was measured on people. Intervals, 95 %: "
    "percentile bootstrap over groups (persona and near-duplicates together) or over simulated "
    "people; over runs, Student's t with the run as the unit. " + OFF_POLICY
)


def publish_policy(
    folder: RunFolder,
    metrics: Json,
    lines: Sequence[LabelLine],
    returns: Sequence[ReturnLine],
    values: tuple[Floats, Bools] | None,
) -> tuple[str, ...]:
    """Write report.md, report.html and the pictures.

    Args:
        folder: open, with its manifest.
        metrics: as written.
        lines: choices on the scored messages; the first is the first policy's.
        returns: conversations with simulated people.
        values: action values of the first policy on the scored messages, (n, 10), and which of
            those are at high risk; None of a policy without values.

    Returns:
        The names of the picture files.
    """
    named = Names.of(metrics)
    chapters = [
        _about(metrics),
        return_chapter(returns, metrics),
        habit_chapter(returns, metrics),
        _hits(lines, metrics),
        _distortions(lines, named),
        _seekers(lines, named),
        _crisis(lines, named, values),
        off_policy_chapter(metrics),
    ]
    title = f"Policies: {lines[0].system}"
    kept = [one for one in chapters if one.tables or one.paragraphs]
    return publish(folder, title, kept, protocol=_PROTOCOL, command=metrics["command"])


def _about(metrics: Json) -> Chapter:
    rows = metrics["rows"]
    systems = ", ".join(
        f"{one['name']} ({one['runs']} {'run' if one['runs'] == 1 else 'runs'})"
        for one in metrics["systems"]
    )
    words = (
        f"{', '.join(rows['corpora'])}, grouped split, {rows['part']}: {rows['n']:,} "
        f"messages in {rows['groups']:,} groups; {rows['left_out']:,} left out for want of a "
        f"label, {rows['refused']:,} refused. Systems: {systems}. Predicted labels: "
        f"{metrics['detector'] or 'not run'}."
    )
    return Chapter("What is scored", (words,))


_HEAD = ("system", "labels", "shield", "session")


def _head(line: LabelLine, named: Names) -> tuple[str, ...]:
    """The cells below `_HEAD`."""
    shield = "yes" if line.shield else "no"
    return named(line.system, line.run), line.labels, shield, line.session


def _hits(lines: Sequence[LabelLine], metrics: Json) -> Chapter:
    named = Names.of(metrics)
    rows = tuple(
        (
            *_head(line, named),
            f"{line.scores.totals['gold'].n:,}",
            *(with_ends(line.scores.totals[name]) for name in CHOICE_METRICS),
        )
        for line in lines
    )
    gaps = tuple(
        (*named.pair(gap), *(gap_cell(gap["differences"][name]) for name in CHOICE_METRICS))
        for gap in metrics["label_differences"]
    )
    note = "Always validating alone reaches most of gold or silver: read gold and its macro mean."
    other = "By gold labels, shielded, as found. * holds no 0."
    metrics_shown = tuple(CHOICE_METRICS.values())
    tables = (
        Table("Hits", (*_HEAD, "n", *metrics_shown), rows, note),
        Table("Differences of hits", ("first", "second", *metrics_shown), gaps, other),
    )
    words = (
        "The matrix with gold labels is the oracle of this table, less what it holds back in "
        "mild cases."
    )
    return Chapter("Choices on held-out messages", (words,), tables)


def _main(lines: Sequence[LabelLine]) -> list[LabelLine]:
    """Shielded, as found: one line for each player and source of labels."""
    return [line for line in lines if line.shield and line.session == AS_FOUND]


def _distortions(lines: Sequence[LabelLine], named: Names) -> Chapter:
    first = lines[0].scores.distortions
    rows = tuple(
        (
            *_head(line, named),
            kind,
            *(number(getattr(one, kind).value) for one in line.scores.distortions),
        )
        for line in lines
        if line.system == lines[0].system and line.session in (AS_FOUND, LISTENED)
        for kind in ("gold", "combined", "alone")
    )
    header = (*_HEAD, "share", *(one.distortion.name_in("en") for one in first))
    counts = ", ".join(
        f"{one.distortion.name_in('en')} {one.gold.n} (alone {one.alone.n})" for one in first
    )
    note = f"Messages: {counts}. Alone: gold hits where the distortion is the only label."
    title = f"{lines[0].system}: hits by distortion"
    drawing = Drawing(
        "hits",
        f"{title}, gold labels, shielded, as found; as CoPoLLM's Figure 6.",
        partial(hit_ranking, _points(lines), title, "gold + 0.75 silver"),
    )
    return Chapter("By distortion", (), (Table("By distortion", header, rows, note),), (drawing,))


def _points(lines: Sequence[LabelLine]) -> list[Point]:
    """The first system's hits, with those of policies without learning as marks."""
    shown = [line for line in _main(lines) if line.labels == "gold"]
    others = [line for line in shown if line.advantage is None and line.system != shown[0].system]
    return [
        Point(
            one.distortion.name_in("en"),
            one.combined.value,
            ends_of(one.combined),
            {line.system: line.scores.distortions[at].combined.value for line in others[:2]},
        )
        for at, one in enumerate(shown[0].scores.distortions)
    ]


def _seekers(lines: Sequence[LabelLine], named: Names) -> Chapter:
    rows = tuple(
        (
            named(line.system, line.run),
            line.labels,
            *(f"{number(one.fit.value)} ({one.fit.n:,})" for one in line.scores.seekers),
            *(number(one.combined.value) for one in line.scores.seekers if one.name in "BCD"),
        )
        for line in _main(lines)
    )
    header = (
        "system", "labels", "A validation", "B gold", "C gold", "D gold", "E crisis",
        "B combined", "C combined", "D combined",
    )  # fmt: skip
    note = "A no distortion, B mild, C moderate, D severe, E high risk; n in brackets. Shielded."
    return Chapter("By seeker group", (), (Table("Seeker groups", header, rows, note),))


def _crisis(
    lines: Sequence[LabelLine], named: Names, values: tuple[Floats, Bools] | None
) -> Chapter:
    rows = tuple(
        (
            *_head(line, named),
            str(line.scores.crisis.rates.sensitivity),
            str(_false(line)),
            *(
                f"{number(one.value)}{bounds(one.interval)} at {100 * one.prevalence:.1f} %"
                for one in line.scores.crisis.precisions
            ),
        )
        for line in lines
    )
    header = (
        *_HEAD, "recall", "false positives", "precision, as found", "precision", "precision",
    )  # fmt: skip
    crises = Table("Crisis calls", header, rows)
    if values is None:
        return Chapter("High risk", (), (crises,))
    title = f"{lines[0].system}: safety advantage"
    drawing = Drawing(
        "advantage",
        f"{title}, gold labels, first run; as CoPoLLM's Figure 7.",
        partial(advantage_plot, *values, title),
    )
    return Chapter("High risk", (), (crises, _advantages(lines, named)), (drawing,))


def _advantages(lines: Sequence[LabelLine], named: Names) -> Table:
    rows = tuple(
        (
            named(line.system, line.run),
            line.labels,
            line.session,
            where,
            f"{one.n:,}",
            number(one.mean),
            number(one.sd),
            number(one.median),
            str(one.positive),
            number(one.concentration),
        )
        for line in lines
        if line.advantage is not None and (not line.shield or line.session != AS_FOUND)
        for where, one in zip(("high risk", "below"), line.advantage, strict=True)
    )
    header = (
        "system", "labels", "session", "at", "n", "mean ΔQ", "sd", "median", "above 0", "softmax",
    )  # fmt: skip
    note = "Softmax: mean probability of crisis intervention under softmax(Q), temperature 1."
    return Table("Safety advantage", header, rows, note)


def _false(line: LabelLine) -> Share:
    rates = line.scores.crisis.rates
    return Share(rates.fp, rates.fp + rates.tn)
