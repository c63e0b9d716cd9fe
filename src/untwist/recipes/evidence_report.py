"""The report of `evaluate_evidence`: tables and pictures, never a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from untwist.evaluate import (
    SPAN_METRICS,
    Lengths,
    SpanScores,
    Table,
    bounds,
    number,
    span_plot,
)
from untwist.recipes.publish import Chapter, Drawing, publish
from untwist.recipes.runfolder import RunFolder
from untwist.schema import Json
from untwist.taxonomy import Lang

DETECTOR, GOLD = "detector", "gold"
_PROTOCOL = (
    "Spans are sets of characters; space around a span is no part of it, punctuation is: a full "
    "stop that one side leaves out ends an exact match. Canonical labels that the corpus can carry "
    "are scored; a gold label whose span nobody marked is left out and counted. "
    "Precision, recall and F1 of characters are over the characters of all spans together, so that "
    "long spans weigh more; the means give every finding the same weight, and one without a span "
    "scores 0. Exact match: the same characters. Overlap: the common characters are at least half "
    "of those that both sides cover together. Baselines mark the same labels of the same texts "
    "without reading them. Intervals, 95 %: percentile bootstrap over groups (sources and "
    "near-duplicates together), the same resamples for all systems of a line."
)
_COUNTS = {
    "texts": "texts",
    "groups": "groups",
    "unscored": "unscored",
    "gold": "gold labels",
    "gold_spans": "with a span",
    "given": "labels given",
    "both": "both (scored)",
    "without_span": "of these without a span",
    "missed": "missed",
    "false": "not gold",
    "unknown": "gold span not known",
    "not_carried": "not carried",
    "marked": "texts with a gold span",
    "undistorted": "undistorted texts",
    "undistorted_marked": "of these with evidence given",
}
_COUNTS_NOTE = (
    "Labels with a gold span are given by both sides or missed. Labels given are scored, not gold, "
    "or of a gold label whose span is not known. A label that the corpus cannot carry is left out."
)


@dataclass(frozen=True, slots=True)
class EvidenceLine:
    """What is said of some rows of one corpus.

    Attributes:
        corpus: its name.
        part: which rows of it.
        lang: in which language; None for all.
        counts: as `evidence_cells.counts_of` gives them.
        scores: by what is scored ("same_label", "all_labels", "any_label"), then by system.
        lengths: of the gold spans and of each system's, of labels that both sides give.
    """

    corpus: str
    part: str
    lang: Lang | None
    counts: dict[str, int]
    scores: dict[str, dict[str, SpanScores]]
    lengths: dict[str, Lengths]

    @property
    def name(self) -> str:
        """Corpus, part and language."""
        return ", ".join((self.corpus, self.part, *((self.lang,) if self.lang else ())))

    def to_dict(self) -> Json:
        """As JSON values."""
        return {
            "corpus": self.corpus,
            "part": self.part,
            "lang": self.lang,
            "counts": self.counts,
            "scores": {
                kind: {name: one.to_dict() for name, one in systems.items()}
                for kind, systems in self.scores.items()
            },
            "lengths": {name: one.to_dict() for name, one in self.lengths.items()},
        }


def publish_evidence(
    folder: RunFolder, lines: Sequence[EvidenceLine], detector: str, about: str, command: str
) -> None:
    """Write report.md, report.html and the pictures.

    Args:
        folder: open, with its manifest.
        lines: in the order of the report.
        detector: its name and version.
        about: one paragraph on what it learnt and what was left out.
        command: what made the report.
    """
    chapters = [
        Chapter("What is scored", (about,), (_counts_table(lines),)),
        Chapter(
            "The same label",
            ("Labels that both sides give: does the evidence lie where annotators marked it?",),
            (_scores_table(lines, "same_label"),),
            (_drawing(lines, "same_label", "Labels that both sides give"),),
        ),
        Chapter(
            "Missed and false labels counted",
            (
                "As above, with every missed label as a finding without a span, and every label "
                "that is not gold as one that should have none.",
            ),
            (_scores_table(lines, "all_labels"),),
        ),
        Chapter(
            "Whatever the label",
            (
                "All spans given in a text against all its gold spans. Where annotators marked the "
                "dominant label alone, a span of another gold label counts as false: precision is "
                "then a lower bound.",
            ),
            (_scores_table(lines, "any_label"),),
            (_drawing(lines, "any_label", "Texts with a gold span"),),
        ),
        Chapter("How long spans are", (), (_lengths_table(lines),)),
    ]
    title = f"Evidence: {detector}"
    publish(folder, title, chapters, protocol=_PROTOCOL, command=command)


def _counts_table(lines: Sequence[EvidenceLine]) -> Table:
    rows = tuple((line.name, *(f"{line.counts[key]:,}" for key in _COUNTS)) for line in lines)
    return Table("Counts", ("corpus and part", *_COUNTS.values()), rows, _COUNTS_NOTE)


def _scores_table(lines: Sequence[EvidenceLine], kind: str) -> Table:
    rows = tuple(
        (line.name, system, f"{one.n:,}", f"{one.groups:,}", *_cells(one))
        for line in lines
        for system, one in line.scores[kind].items()
    )
    header = ("corpus and part", "system", "n", "groups", *SPAN_METRICS.values())
    return Table("Scores", header, rows)


def _cells(one: SpanScores) -> tuple[str, ...]:
    return tuple(
        number(one.values[metric]) + bounds((found.low, found.high) if found else None)
        for metric, found in one.intervals.items()
    )


def _lengths_table(lines: Sequence[EvidenceLine]) -> Table:
    rows = tuple(
        (
            line.name,
            system,
            f"{one.n:,}",
            *(_size(value) for value in (one.mean, one.median, one.p90)),
            number(one.share),
        )
        for line in lines
        for system, one in line.lengths.items()
    )
    header = (
        "corpus and part", "spans of", "n", "mean", "median", "90th percentile", "share of the text"
    )  # fmt: skip
    note = "In characters, for labels that both sides give; a finding without a span is left out."
    return Table("Lengths", header, rows, note)


def _size(value: float | None) -> str:
    return number(None) if value is None else f"{value:,.1f}"


def _drawing(lines: Sequence[EvidenceLine], kind: str, title: str) -> Drawing:
    shown: Mapping[str, Mapping[str, SpanScores]] = {line.name: line.scores[kind] for line in lines}
    caption = f"{title}: {SPAN_METRICS['mean_f1']} with 95 % intervals, beside the baselines."
    name = kind.replace("_", "-")
    return Drawing(name, caption, partial(span_plot, shown, "mean_f1", title))
