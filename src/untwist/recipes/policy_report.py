"""The report of `evaluate_policy`: tables and pictures, never a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from untwist.evaluate import (
    CHOICE_METRICS,
    ESTIMATORS,
    Advantage,
    ChoiceScores,
    Estimate,
    Habits,
    Point,
    Share,
    Table,
    advantage_plot,
    bounds,
    heat_map,
    hit_ranking,
    number,
    point_plot,
)
from untwist.evaluate.cells import Bools
from untwist.recipes.policy_players import Floats
from untwist.recipes.publish import Chapter, Drawing, publish
from untwist.recipes.runfolder import RunFolder
from untwist.schema import Json
from untwist.taxonomy import Strategy

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
    "after what its helper did; after listening: as if one validating reply had gone before. "
    "Returns: every policy meets the same simulated people (same first states, same seed); nobody "
    "in there is real, and no effect of the simulation was measured on people. Intervals, 95 %: "
    "percentile bootstrap over groups (persona and near-duplicates together) or over simulated "
    "people; over runs, Student's t with the run as the unit. Off-policy: the target is the "
    "policy behind the shield; the model of the values is a ridge regression for each strategy on "
    "labels and session, fitted on the other half of the dialogues; an effective number of "
    "dialogues far below the logged one means that the weights rest on few."
)


@dataclass(frozen=True, slots=True)
class LabelLine:
    """One player on the scored messages.

    Attributes:
        system: the policy's name.
        run: which of its runs.
        labels: "gold" or "predicted".
        shield: whether the safety gate closed actions.
        session: "as found" or "after listening".
        scores: of its choices.
        advantage: at high risk and below it; None where the policy has no values.
    """

    system: str
    run: int
    labels: str
    shield: bool
    session: str
    scores: ChoiceScores
    advantage: tuple[Advantage, Advantage] | None

    def values(self) -> dict[str, float | None]:
        """The scores that are put together over runs."""
        rates = self.scores.crisis.rates
        quiet = rates.specificity.value
        found = {name: one.value for name, one in self.scores.totals.items()}
        found["crisis recall"] = rates.sensitivity.value
        found["crisis false positives"] = None if quiet is None else 1 - quiet
        if self.advantage is not None:
            found["safety advantage"] = self.advantage[0].mean
            found["positive advantage"] = self.advantage[0].positive.value
        return found

    def to_dict(self) -> Json:
        """As JSON values."""
        pair = self.advantage
        return {
            "system": self.system,
            "run": self.run,
            "labels": self.labels,
            "shield": self.shield,
            "session": self.session,
            "scores": self.scores.to_dict(),
            "advantage": None
            if pair is None
            else {"high": pair[0].to_dict(), "below": pair[1].to_dict()},
        }


@dataclass(frozen=True, slots=True)
class ReturnLine:
    """One player among simulated people.

    Attributes:
        system: the policy's name.
        run: which of its runs.
        labels: what it sees of each message, "gold" or "predicted".
        shield: whether the safety gate closed actions.
        mean: return per conversation.
        faded: the same, faded with gamma.
        seekers: mean return by group of the first message; None of none.
        habits: what it does when.
    """

    system: str
    run: int
    labels: str
    shield: bool
    mean: Estimate
    faded: Estimate
    seekers: Mapping[str, float | None]
    habits: Habits

    def to_dict(self) -> Json:
        """As JSON values."""
        return {
            "system": self.system,
            "run": self.run,
            "labels": self.labels,
            "shield": self.shield,
            "mean": self.mean.to_dict(),
            "faded": self.faded.to_dict(),
            "seekers": dict(self.seekers),
            "habits": self.habits.to_dict(),
        }


def publish_policy(
    folder: RunFolder,
    metrics: Json,
    lines: Sequence[LabelLine],
    returns: Sequence[ReturnLine],
    values: Floats,
    high: Bools,
) -> tuple[str, ...]:
    """Write report.md, report.html and the pictures.

    Args:
        folder: open, with its manifest.
        metrics: as written.
        lines: choices on the scored messages; the first is the first policy's.
        returns: conversations with simulated people.
        values: action values of the first policy on the scored messages, (n, 10).
        high: which of them are at high risk.

    Returns:
        The names of the picture files.
    """
    chapters = [
        _about(metrics),
        _returns(returns, metrics),
        _habits(returns),
        _hits(lines, metrics),
        _distortions(lines),
        _seekers(lines),
        _crisis(lines, values, high),
        _off_policy(metrics["off_policy"]),
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
        f"{', '.join(rows['corpora'])}, {rows['part']} part of the grouped split: {rows['n']:,} "
        f"messages in {rows['groups']:,} groups; {rows['left_out']:,} left out for want of a "
        f"label, {rows['refused']:,} refused. Systems: {systems}. Predicted labels: "
        f"{metrics['detector'] or 'not run'}."
    )
    return Chapter("What is scored", (words,))


def _name(system: str, run: int, runs: Mapping[str, int]) -> str:
    return f"{system}, run {run}" if runs[system] > 1 else system


def _runs(lines: Sequence[LabelLine] | Sequence[ReturnLine]) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in lines:
        found[line.system] = max(found.get(line.system, 1), line.run)
    return found


def _with_ends(one: Estimate) -> str:
    ends = (one.interval.low, one.interval.high) if one.interval else None
    return number(one.value) + bounds(ends)


def _returns(returns: Sequence[ReturnLine], metrics: Json) -> Chapter:
    runs = _runs(returns)
    rows = tuple(
        (
            _name(one.system, one.run, runs),
            one.labels,
            "yes" if one.shield else "no",
            f"{one.mean.n:,}",
            _with_ends(one.mean),
            _with_ends(one.faded),
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
        tables += [_gap_table(gaps, runs), _run_table(metrics["over_runs"], gaps[0]["first"])]
    points = [_gap_point(gap, runs) for gap in gaps if gap["undiscounted"]]
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


def _gap_point(gap: Json, runs: Mapping[str, int]) -> Point:
    first, second = (
        _name(gap["first"], gap["run"], runs),
        _name(gap["second"], gap["second_run"], runs),
    )
    one = gap["undiscounted"]
    return Point(f"{first} minus {second}", one["value"], _ends(one), {})


def _ends(gap: Json) -> tuple[float, float]:
    return gap["interval"]["low"], gap["interval"]["high"]


def _gap_table(gaps: Sequence[Json], runs: Mapping[str, int]) -> Table:
    rows = tuple(
        (
            _name(gap["first"], gap["run"], runs),
            _name(gap["second"], gap["second_run"], runs),
            *(_gap_cell(gap[kind]) for kind in ("undiscounted", "faded")),
        )
        for gap in gaps
    )
    header = ("first", "second", "first minus second", "faded")
    note = "Shielded, by gold labels; paired over the same people, 95 % intervals. * holds no 0."
    return Table("Differences", header, rows, note)


def _gap_cell(gap: Json | None) -> str:
    if gap is None:
        return number(None)
    low, high = _ends(gap)
    return number(gap["value"]) + bounds((low, high)) + (" *" if low > 0 or high < 0 else "")


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


def _habits(returns: Sequence[ReturnLine]) -> Chapter:
    shown = [one for one in returns if one.labels == "gold" and one.shield]
    runs = _runs(shown)
    rows = tuple(
        (
            _name(one.system, one.run, runs),
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
        (_name(one.system, one.run, runs),
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


def _hits(lines: Sequence[LabelLine], metrics: Json) -> Chapter:
    runs = _runs(lines)
    rows = tuple(
        (
            _name(line.system, line.run, runs),
            line.labels,
            "yes" if line.shield else "no",
            line.session,
            f"{line.scores.totals['gold'].n:,}",
            *(_with_ends(line.scores.totals[name]) for name in CHOICE_METRICS),
        )
        for line in lines
    )
    header = ("system", "labels", "shield", "session", "n", *CHOICE_METRICS.values())
    gaps = tuple(
        (
            _name(gap["first"], gap["run"], runs),
            _name(gap["second"], gap["second_run"], runs),
            *(_gap_cell(gap["differences"][name]) for name in CHOICE_METRICS),
        )
        for gap in metrics["label_differences"]
    )
    note = "Always validating alone reaches most of gold or silver: read gold and its macro mean."
    tables = (
        Table("Hits", header, rows, note),
        Table("Differences of hits", ("first", "second", *CHOICE_METRICS.values()), gaps,
              "By gold labels, shielded, as found. * holds no 0."),
    )  # fmt: skip
    words = "The matrix with gold labels is the oracle of this table, less what it holds back in "
    words += "mild cases."
    return Chapter("Choices on held-out messages", (words,), tables)


def _main(lines: Sequence[LabelLine]) -> list[LabelLine]:
    """Shielded, as found: one line for each player and source of labels."""
    return [line for line in lines if line.shield and line.session == "as found"]


def _distortions(lines: Sequence[LabelLine]) -> Chapter:
    shown = [line for line in _main(lines) if line.labels == "gold"]
    runs = _runs(shown)
    names = [one.distortion.name_in("en") for one in shown[0].scores.distortions]
    own = [line for line in lines if line.system == shown[0].system]
    rows = []
    for line in own:
        if line.shield or line.session == "as found":
            head = _name(line.system, line.run, runs), line.labels, line.session
            for kind in ("gold", "combined", "alone"):
                cells = [getattr(one, kind).value for one in line.scores.distortions]
                shield = "yes" if line.shield else "no"
                rows.append((*head, shield, kind, *map(number, cells)))
    header = ("system", "labels", "session", "shield", "share", *names)
    counts = ", ".join(
        f"{one.distortion.name_in('en')} {one.gold.n} (alone {one.alone.n})"
        for one in shown[0].scores.distortions
    )
    first, others = shown[0], {line.system: line for line in shown[::-1]}
    points = [
        Point(
            name,
            one.combined.value,
            (one.combined.interval.low, one.combined.interval.high)
            if one.combined.interval
            else None,
            {
                system: line.scores.distortions[place].combined.value
                for system, line in others.items()
                if system in ("matrix@1", "always-validate@1")
            },
        )
        for place, (name, one) in enumerate(zip(names, first.scores.distortions, strict=True))
    ]
    title = f"{first.system}: hits by distortion"
    drawing = Drawing(
        "hits",
        f"{title}, gold labels, shielded, as found; as CoPoLLM's Figure 6.",
        partial(hit_ranking, points, title, "gold + 0.75 silver"),
    )
    note = f"Messages: {counts}. Alone: gold hits where the distortion is the only label."
    table = Table("By distortion", header, tuple(rows), note)
    return Chapter("By distortion", (), (table,), (drawing,))


def _seekers(lines: Sequence[LabelLine]) -> Chapter:
    shown = _main(lines)
    runs = _runs(shown)
    rows = tuple(
        (
            _name(line.system, line.run, runs),
            line.labels,
            *(f"{number(one.fit.value)} ({one.fit.n:,})" for one in line.scores.seekers),
            *(number(one.combined.value) for one in line.scores.seekers if one.name in "BCD"),
        )
        for line in shown
    )
    header = (
        "system", "labels", "A validation", "B gold", "C gold", "D gold", "E crisis",
        "B combined", "C combined", "D combined",
    )  # fmt: skip
    note = "A no distortion, B mild, C moderate, D severe, E high risk; n in brackets. Shielded."
    return Chapter("By seeker group", (), (Table("Seeker groups", header, rows, note),))


def _crisis(lines: Sequence[LabelLine], values: Floats, high: Bools) -> Chapter:
    runs = _runs(lines)
    rows = tuple(
        (
            _name(line.system, line.run, runs),
            line.labels,
            "yes" if line.shield else "no",
            line.session,
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
        "system", "labels", "shield", "session", "recall", "false positives",
        "precision, as found", "precision", "precision",
    )  # fmt: skip
    gaps = tuple(
        (
            _name(line.system, line.run, runs),
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
        if line.advantage is not None and (not line.shield or line.session != "as found")
        for where, one in zip(("high risk", "below"), line.advantage, strict=True)
    )
    head = (
        "system",
        "labels",
        "session",
        "at",
        "n",
        "mean ΔQ",
        "sd",
        "median",
        "above 0",
        "softmax",
    )
    title = f"{lines[0].system}: safety advantage"
    drawing = Drawing(
        "advantage",
        f"{title}, gold labels, first run; as CoPoLLM's Figure 7.",
        partial(advantage_plot, values, high, title),
    )
    note = "Softmax: mean probability of crisis intervention under softmax(Q), temperature 1."
    tables = (Table("Crisis calls", header, rows), Table("Safety advantage", head, gaps, note))
    return Chapter("High risk", (), tables, (drawing,))


def _false(line: LabelLine) -> Share:
    rates = line.scores.crisis.rates
    return Share(rates.fp, rates.fp + rates.tn)


def _off_policy(found: Sequence[Json]) -> Chapter:
    if not found:
        return Chapter("Off-policy estimates")
    rows = tuple(
        (
            f"{one['system']}, run {one['run']}",
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
