"""The report of `evaluate_judge`: what voters say, and what a judge's scores mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from untwist.evaluate import Share, Table, bounds, number
from untwist.recipes.publish import Chapter, publish
from untwist.recipes.runfolder import RunFolder
from untwist.schema import Json

_PROTOCOL = (
    "The label of a reply is the majority of the votes on it; a tie is none. Kappa of voters: "
    "Fleiss', with the mean of Cohen's over pairs. A judge's scores are calibrated by logistic "
    "regression with a ridge on all of its scores, by cross-validation in which the replies to one "
    "state stay together; every number of a judge is of rows held out. As it is: the judge's own "
    "score on the scale, taken for the nearest value. Log loss: mean of -log P(label), CoPoLLM "
    "Equation 15; its floor knows how frequent each label is and nothing else. Intervals, 95 %: "
    "Wilson for shares, bootstrap over states for kappa. The judge by rules scores gold 1, silver "
    "0.5, else 0; rules of wording kept 1, broken 0; and the length of the reply. Votes of "
    "language models say nothing of what people would say."
)


def publish_judge(folder: RunFolder, metrics: Json) -> None:
    """Write report.md and report.html.

    Args:
        folder: open, with its manifest.
        metrics: as written.
    """
    title = f"Judge: {metrics['judges'][0]['judge']}"
    publish(folder, title, _chapters(metrics), protocol=_PROTOCOL, command=metrics["command"])


def _chapters(metrics: Json) -> list[Chapter]:
    langs = ", ".join(f"{n} {lang}" for lang, n in metrics["langs"].items())
    words = (
        f"{metrics['triples']} replies to {metrics['states']} states ({langs}), written by "
        f"{', '.join(metrics['written_by'])}; votes by {', '.join(metrics['voters'])}."
    )
    return [
        Chapter("Replies", (words,)),
        Chapter("What voters say", (), (_vote_table(metrics["votes"]),)),
        Chapter("What scores mean", (), (_judge_table(metrics["judges"]),)),
    ]


def _vote_table(votes: Mapping[str, Json]) -> Table:
    rows = tuple(
        (
            scale,
            f"{one['rows']:,}",
            ", ".join(f"{value}: {n}" for value, n in one["labels"].items()),
            str(one["tied"]),
            number(one["same"]),
            number(one["kappa"]) + bounds(_ends(one["interval"])),
            number(one["cohen"]),
        )
        for scale, one in votes.items()
    )
    header = ("scale", "n", "labels", "tied", "same", "Fleiss' kappa", "Cohen's kappa, mean")
    return Table("Votes", header, rows)


def _judge_table(lines: Sequence[Json]) -> Table:
    rows = []
    for line in lines:
        found = line["calibration"]
        head = line["judge"], line["scale"]
        if found is None:
            rows.append((*head, str(line["most_frequent"]["of"]), *[number(None)] * 7, line["why"]))
            continue
        rows.append(
            (
                *head,
                str(found["n"]),
                _share(line["most_frequent"]),
                _share(found["raw"]),
                number(found["raw_kappa"]),
                _share(found["calibrated"]),
                number(found["kappa"]) + bounds(_ends(found["interval"])),
                number(found["log_loss"]),
                number(found["floor"]),
                number(found["bias"]),
            )
        )
    header = (
        "judge", "scale", "n", "most frequent label", "equal, as it is", "kappa, as it is",
        "equal, calibrated", "kappa, calibrated", "log loss", "floor", "bias",
    )  # fmt: skip
    note = "Held out by state. A judge is worth something where its log loss is below the floor."
    return Table("Judges", header, tuple(rows), note)


def _share(one: Json) -> str:
    return str(Share(one["hits"], one["of"]))


def _ends(interval: Json | None) -> tuple[float, float] | None:
    return (interval["low"], interval["high"]) if interval else None
