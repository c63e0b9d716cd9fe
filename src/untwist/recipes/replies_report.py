"""The report of scored replies: structure and variety, safety, references, reading, judge."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from untwist.evaluate import CBT_PARTS, Share, Table, bounds, heat_map, number
from untwist.recipes.blind_report import cells_of, seeker_chapter
from untwist.recipes.publish import Chapter, Drawing, publish
from untwist.recipes.runfolder import RunFolder
from untwist.schema import Json

_PROTOCOL = (
    "Parts: the five of CBT-LLM (Fig. 3), told by cues that are kept apart from any responder's "
    "texts; each part needs a sentence of its own. Distinct-n: share of different n-grams; "
    "self-BLEU: mean BLEU-4 of each reply against all others; both on equally many replies of "
    "every system of a language, mean of the draws; words in English, characters in Chinese. "
    "Broken rules: safe messaging (docs/reference/guard.md) at the risk that the labels give. "
    "BLEU and chrF: sacrebleu, signature beside the score. A score without its library or model "
    "is not run. A judge's numbers stand only on scales on which at least 30 replies were rated "
    "by two people or more and its quadratic kappa with them is above 0 with its whole interval. "
    "Intervals, 95 %: Wilson for shares, bootstrap over groups of messages for the rest. Rules "
    "see the form of a reply; whether it does anybody good is for people to judge."
)


def publish_replies(folder: RunFolder, metrics: Json) -> None:
    """Write report.md, report.html and the pictures.

    Args:
        folder: open, with its manifest.
        metrics: as written.
    """
    names = list(dict.fromkeys(one["system"] for one in metrics["systems"]))
    title = f"Replies of {len(names)} {'system' if len(names) == 1 else 'systems'}"
    publish(folder, title, _chapters(metrics), protocol=_PROTOCOL, command=metrics["command"])


def _chapters(metrics: Json) -> list[Chapter]:
    systems = metrics["systems"]
    chapters = [
        Chapter("Structure", (), (_structure(systems), _shape(systems)), (_parts_map(systems),)),
        Chapter("Variety", (), (_variety(systems),)),
        Chapter("Safe messaging", (), (_broken(systems),)),
    ]
    if any(one["references"] for one in systems):
        chapters.append(Chapter("References", (), (_references(systems),)))
    if metrics["seekers"]:
        cells = [cells_of(one) for one in metrics["seekers"]]
        scales = list(next(iter(cells[0].cells.values())))
        chapters.append(seeker_chapter(cells, scales, _state(metrics)))
    if metrics["reading"]:
        chapters.append(_reading(metrics["reading"]))
    if metrics["judge"]:
        chapters += _judge(metrics["judge"])
    return chapters


def _state(metrics: Json) -> tuple[str, ...]:
    if "detected" not in metrics["state"]:
        return ("Groups follow the labels that came with the messages.",)
    return ("Groups follow what a system's own detector heard wherever no labels came along.",)


def _name(one: Json) -> str:
    return f"{one['system']}, {one['lang']}"


def _structure(systems: Sequence[Json]) -> Table:
    rows = tuple(
        (
            _name(one),
            f"{one['counts']['n']:,}",
            _unscored(one["unscored"]),
            _share(one["counts"]["all_parts"]),
            *(number(one["counts"]["parts"][part]["value"]) for part in CBT_PARTS),
        )
        for one in systems
    )
    header = ("replies of", "n", "unscored", "all five parts", *CBT_PARTS)
    return Table("The five parts, by rules", header, rows)


def _unscored(reasons: Json) -> str:
    return ", ".join(f"{why} {n}" for why, n in sorted(reasons.items())) or "0"


def _shape(systems: Sequence[Json]) -> Table:
    rows = tuple(
        (
            _name(one),
            _mean(one["counts"]["length"]),
            str(one["counts"]["longest"]),
            _mean(one["counts"]["questions"]),
            _share(one["counts"]["one_question"]),
            _share(one["counts"]["repeated"]),
        )
        for one in systems
    )
    header = (
        "replies of", "length, mean", "longest", "questions, mean", "exactly one question",
        "same as another reply",
    )  # fmt: skip
    return Table("Length and questions", header, rows, "Length: words, or Chinese characters.")


def _parts_map(systems: Sequence[Json]) -> Drawing:
    grid = [[one["counts"]["parts"][part]["value"] for part in CBT_PARTS] for one in systems]
    names = [_name(one) for one in systems]
    draw = partial(heat_map, grid, names, CBT_PARTS, "Share of replies that show each part")
    return Drawing("parts", "Share of replies that show each part, by rules.", draw)


def _variety(systems: Sequence[Json]) -> Table:
    rows = tuple(
        (
            _name(one),
            str(one["variety"]["size"]),
            str(one["variety"]["draws"]),
            *(number(one["variety"][key]) for key in ("distinct_1", "distinct_2", "self_bleu")),
        )
        for one in systems
        if one["variety"]
    )
    header = ("replies of", "replies in a draw", "draws", "distinct-1", "distinct-2", "self-BLEU")
    note = "Lower self-BLEU and higher distinct-n: less template feel. Compare within a language."
    return Table("Variety at equal numbers", header, rows, note)


def _broken(systems: Sequence[Json]) -> Table:
    rows = tuple(
        (
            _name(one),
            _share(one["counts"]["broken"]),
            ", ".join(f"{rule} {n}" for rule, n in one["counts"]["rules"].items()) or "none",
        )
        for one in systems
    )
    return Table("Replies that break a rule", ("replies of", "any rule", "rules"), rows)


def _references(systems: Sequence[Json]) -> Table:
    rows = tuple(
        (
            _name(one),
            str(one["references"]["n"]),
            score["name"],
            number(score["value"]) + bounds(_ends(score["interval"])),
            score["how"],
        )
        for one in systems
        if one["references"]
        for score in one["references"]["scores"]
    )
    return Table("Against references", ("replies of", "n", "score", "value", "how"), rows)


def _reading(reading: Sequence[Json]) -> Chapter:
    who = ", ".join(sorted({reader for one in reading for reader in one["by"]}))
    kinds = tuple(
        (one["lang"], kind, str(found["n"]), _share(found["reader"]), _share(found["rules"]))
        for one in reading
        for kind, found in one["of"].items()
    )
    parts = tuple(
        (
            one["lang"],
            part,
            *(str(found[key]) for key in ("reader", "rules", "both", "rules_only", "reader_only")),
            number(found["kappa"]),
        )
        for one in reading
        for part, found in one["parts"].items()
    )
    header = ("language", "part", "reader", "rules", "both", "rules alone", "reader alone", "kappa")
    tables = (
        Table("All five parts", ("language", "replies of", "n", "reader", "rules"), kinds),
        Table("Reader and rules, part by part", header, parts),
    )
    return Chapter("Second reading", (f"Read by: {who}.",), tables)


def _judge(judge: Json) -> list[Chapter]:
    words = [
        f"{judge['judge']}, {judge['replies']} replies, {judge['repeats']} times with the scales "
        "in order and as often turned round; rubrics "
        + ", ".join(
            f"{name}@{one['version']} (prompt {one['prompt']})"
            for name, one in judge["rubrics"].items()
        )
        + f". Questions without an answer: {_unscored(judge['unscored'])}.",
    ]
    if judge["models_left_out"]:
        left = judge["models_left_out"]
        words.append(f"{left} ratings by language models calibrate nothing and were left out.")
    tables = [_standing(judge["scales"]), _steady(judge["scales"])]
    means = [(one["scale"], row) for one in judge["scales"] for row in one["means"]]
    if means:
        rows = tuple((scale, f"{r['system']}, {r['lang']}", _mean(r), str(r["n"]))
                     for scale, r in means)  # fmt: skip
        tables.append(
            Table("Means on calibrated scales", ("scale", "replies of", "mean", "n"), rows)
        )
    preferred = [(one["scale"], row) for one in judge["scales"] for row in one["preferences"]]
    if preferred:
        tables.append(_preferred(preferred))
    chapters = [Chapter("Judge", tuple(words), tuple(tables))]
    if judge["seekers"]:
        shown = [one["scale"] for one in judge["scales"] if one["standing"]["withheld"] is None]
        cells = [cells_of(one) for one in judge["seekers"]]
        chapter = seeker_chapter(cells, shown, ("Means of the judge, on calibrated scales.",))
        drawings = tuple(
            Drawing(f"judge-{one.name}", one.caption, one.draw) for one in chapter.drawings
        )
        chapters.append(Chapter("Judge, by group of seekers", chapter.paragraphs, chapter.tables,
                                drawings))  # fmt: skip
    return chapters


def _standing(scales: Sequence[Json]) -> Table:
    rows = []
    for one in scales:
        found = one["standing"]
        rows.append((
            one["scale"],
            str(found["n"]),
            number(found["people"]["value"]),
            _share(found["agreement"]),
            number(found["kappa"]) + bounds(_ends(found["interval"])),
            number(found["alpha"]["value"]),
            _mean(found["bias"]),
            found["withheld"] or "shown",
        ))  # fmt: skip
    header = (
        "scale", "n", "people's alpha", "same value", "quadratic kappa", "alpha with the judge",
        "bias", "numbers",
    )  # fmt: skip
    note = "Bias above 0: the judge is kinder than people."
    return Table("The judge beside people", header, tuple(rows), note)


def _steady(scales: Sequence[Json]) -> Table:
    rows = []
    for one in scales:
        found = one["steadiness"]
        order = found["order"]
        rows.append((
            one["scale"],
            f"{found['asked']:,}",
            f"{found['unscored']:,}",
            _share(found["same"]),
            number(found["alpha"]["value"]),
            number(order["value"]) + bounds(_ends(order["interval"])) if order else number(None),
        ))  # fmt: skip
    header = ("scale", "asked", "unscored", "same when asked again", "alpha", "effect of order")
    return Table("The judge beside itself", header, tuple(rows))


def _preferred(rows: Sequence[tuple[str, Json]]) -> Table:
    told = tuple(
        (
            scale,
            f"{one['first']} − {one['second']}",
            str(one["n"]),
            *(_share(one[key]) for key in ("won", "lost", "unsettled", "first_shown")),
        )
        for scale, one in rows
    )
    header = ("scale", "systems", "pairs", "won", "lost", "not settled", "named the first shown")
    return Table("Pairs, asked in both orders", header, told)


def _share(share: Json) -> str:
    return str(Share(share["hits"], share["of"]))


def _mean(mean: Json) -> str:
    return number(mean["value"]) + bounds(_ends(mean["interval"]))


def _ends(interval: Json | None) -> tuple[float, float] | None:
    return (interval["low"], interval["high"]) if interval else None
