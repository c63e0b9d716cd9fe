"""The chapters of a policy's report on conversations: returns, habits, off-policy estimates."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from untwist.evaluate import ESTIMATORS, Point, Share, Table, bounds, heat_map, number, point_plot
from untwist.recipes.policy_lines import Names, ReturnLine, gap_cell, gap_ends, with_ends
from untwist.recipes.publish import Chapter, Drawing
from untwist.schema import Json
from untwist.taxonomy import Strategy

OFF_POLICY = (
    "Off-policy: the target is the policy behind the shield; the model of the values is a ridge "
    "regression for each strategy on labels and session, fitted on the other half of the "
    "dialogues; intervals, 95 %, draw whole dialogues; an effective number of dialogues far below "
    "the logged one means that the weights rest on few."
)


def return_chapter(returns: Sequence[ReturnLine], metrics: Json) -> Chapter:
    """What conversations earn, and how much more than with another policy; empty without any."""
    if not returns:
        return Chapter("Returns")
    named = Names.of(metrics)
    rows = tuple(
        (
            named(one.system, one.run),
            one.labels,
            "yes" if one.shield else "no",
            f"{one.mean.n:,}",
            with_ends(one.mean),
            with_ends(one.faded),
            *(number(one.seekers[name]) for name in "ABCDE"),
        )
        for one in returns
    )
    header = (
        "system", "labels", "shield", "people", "return", "faded return", "A", "B", "C", "D", "E",
    )  # fmt: skip
    note = "A to E: mean return by the first message: no distortion, mild, moderate, severe, high "
    note += "risk."
    tables = [Table("Returns", header, rows, note)]
    gaps = metrics["return_differences"]
    if gaps:
        tables += [_gap_table(gaps, named), _run_table(metrics["over_runs"], gaps[0]["first"])]
    points = [_gap_point(gap, named) for gap in gaps if gap["undiscounted"]]
    title = "How much more each run earns than each other policy"
    drawing = Drawing(
        "return-differences",
        f"{title}, per simulated conversation, with 95 % intervals over people.",
        partial(point_plot, points, title, "difference of mean returns"),
    )
    words = (
        "The mean reward that a whole conversation brings, by gold labels and by predicted ones."
    )
    return Chapter("Returns", (words,), tuple(tables), (drawing,) if points else ())


def _gap_point(gap: Json, named: Names) -> Point:
    first, second = named.pair(gap)
    one = gap["undiscounted"]
    return Point(f"{first} minus {second}", one["value"], gap_ends(one), {})


def _gap_table(gaps: Sequence[Json], named: Names) -> Table:
    rows = tuple(
        (
            *named.pair(gap),
            *(gap_cell(gap[kind]) for kind in ("undiscounted", "faded")),
        )
        for gap in gaps
    )
    header = ("first", "second", "first minus second", "faded")
    note = "Shielded, by gold labels; paired over the same people, 95 % intervals. * holds no 0."
    return Table("Differences", header, rows, note)


def _run_table(over: Sequence[Json], first: str) -> Table:
    rows = tuple(
        (one["score"], f"{len(one['values'])}", number(one["mean"]), number(one["sd"]),
         bounds(one["interval"]).strip() or number(None))
        for one in over
        if one["system"] == first and one["session"] == "simulated"
        and one["labels"] == "gold" and one["shield"] == "shielded"
    )  # fmt: skip
    header = (first, "runs", "mean", "sd", "95 % over runs")
    note = "The run is the unit (Student's t); run k is paired with run k of the other policy, or "
    note += "with its last."
    return Table("Over runs", header, rows, note)


def habit_chapter(returns: Sequence[ReturnLine], metrics: Json) -> Chapter:
    """Timing, repetition, intensity, ends; empty without conversations."""
    if not returns:
        return Chapter("Where policies differ")
    shown = [one for one in returns if one.labels == "gold" and one.shield]
    named = Names.of(metrics)
    rows = tuple(
        (
            named(one.system, one.run),
            _share(one.habits.listened_first),
            _share(one.habits.repeated),
            *(_share(one.habits.gold_early[level]) for level in one.habits.gold_early),
            *(_share(one.habits.gold[level]) for level in one.habits.gold),
        )
        for one in shown
    )
    levels = list(shown[0].habits.gold)
    header = (
        "system", "listens first", "repeats",
        *(f"gold early, {level}" for level in levels), *(f"gold, {level}" for level in levels),
    )  # fmt: skip
    ends = list(dict.fromkeys(name for one in shown for name in one.habits.ends))
    totals = tuple(
        (named(one.system, one.run),
         *(f"{100 * one.habits.ends.get(name, 0) / one.mean.n:.1f} %" for name in ends))
        for one in shown
    )  # fmt: skip
    note = (
        "Listens first: conversations below high risk that begin with empathic validation. "
        "Repeats: later turns below high risk with the strategy of the turn before. Gold: matched "
        "turns answered with a gold strategy, by intensity; early: of the first two turns."
    )
    firsts = [one for one in shown if one.run == 1][:6]
    drawings = tuple(_turns(one, place) for place, one in enumerate(firsts, 1))
    words = "Timing, repetition and intensity in simulated conversations, shielded, gold labels."
    tables = (
        Table("Habits", header, rows, note),
        Table("How conversations end", ("system", *ends), totals),
    )
    return Chapter("Where policies differ", (words,), tables, drawings)


def _turns(line: ReturnLine, place: int) -> Drawing:
    grid = line.habits.by_turn
    columns = [one.action_id for one in Strategy]
    rows = [f"turn {t} (n = {n:,})" for t, n in enumerate(line.habits.reached, 1)]
    title = f"{line.system}: strategies by turn"
    return Drawing(f"turns-{place}", f"{title}, as shares.",
                   partial(heat_map, grid, rows, columns, title))  # fmt: skip


def _share(one: Share) -> str:
    return number(one.value)


def off_policy_chapter(metrics: Json) -> Chapter:
    """What logged dialogues say of each policy; empty without any."""
    found, named = metrics["off_policy"], Names.of(metrics)
    if not found:
        return Chapter("Off-policy estimates")
    rows = tuple(
        (
            named(one["system"], one["run"]),
            f"{one['estimates']['matched']:,}",
            f"{one['estimates']['effective']:,.1f}",
            _known(one["truth"]),
            *(
                number(one["estimates"]["values"][name])
                + bounds(_maybe(one["estimates"]["intervals"][name]))
                for name in ESTIMATORS
            ),
        )
        for one in found
    )
    first = found[0]["estimates"]
    header = ("system", "with weight", "effective", "when played", *ESTIMATORS.values())
    words = (
        f"{first['dialogues']:,} logged dialogues, {first['turns']:,} turns, faded with "
        f"{first['gamma']}. The log knows nothing of what its policy never did."
    )
    return Chapter("Off-policy estimates", (words,), (Table("Estimates", header, rows),))


def _known(truth: Json | None) -> str:
    return (
        number(None)
        if truth is None
        else number(truth["value"]) + bounds(_maybe(truth["interval"]))
    )


def _maybe(interval: Json | None) -> tuple[float, float] | None:
    return (interval["low"], interval["high"]) if interval else None
