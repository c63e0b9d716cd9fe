"""What a detector marks as evidence, beside the gold spans: cells to be scored, and baselines.

Canonical labels that the corpus can carry are counted. A gold label without a span has no gold to
be scored against: it is counted and left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from untwist.detect.evidence import clauses
from untwist.errors import DataError, ModelError, ParseError
from untwist.evaluate import Spans, merged, trimmed
from untwist.ports import Detector
from untwist.recipes.rows import Bools, Rows
from untwist.safety import redact
from untwist.schema import Finding, Json
from untwist.taxonomy import CANONICAL, Distortion
from untwist.text import sentences

ByLabel = Mapping[Distortion, Spans]
Baseline = Callable[[str, np.random.Generator], tuple[int, int]]


def _whole(text: str, rng: np.random.Generator) -> tuple[int, int]:
    return 0, len(text)


def _first(text: str, rng: np.random.Generator) -> tuple[int, int]:
    return sentences(text)[0]


def _longest(text: str, rng: np.random.Generator) -> tuple[int, int]:
    return max(sentences(text), key=lambda span: span[1] - span[0])


def _clause(text: str, rng: np.random.Generator) -> tuple[int, int]:
    found = clauses(text)
    return found[int(rng.integers(len(found)))]


BASELINES: dict[str, Baseline] = {
    "whole text": _whole,
    "first sentence": _first,
    "longest sentence": _longest,
    "random clause": _clause,
}
"""Evidence that is given without reading; of sentences of one length the first."""


@dataclass(frozen=True, slots=True)
class Marks:
    """The evidence of one corpus on both sides, one entry per row.

    Attributes:
        rows: the corpus.
        gold: the gold labels with their spans; without any where none was marked.
        found: the labels given and carried, with their spans; without any where none was given.
        stray: how many labels were given that the corpus cannot carry.
        scored: (n,), false where there is no answer.
        failures: rows without an answer: corpus, id and why.
    """

    rows: Rows
    gold: tuple[ByLabel, ...]
    found: tuple[ByLabel, ...]
    stray: tuple[int, ...]
    scored: Bools
    failures: tuple[Json, ...]


@dataclass(frozen=True, slots=True)
class Cells:
    """What is scored: labels of texts, or texts whatever the label.

    Attributes:
        places: the row of each cell.
        gold: its gold spans.
        found: the spans that were given.
    """

    places: tuple[int, ...]
    gold: tuple[Spans, ...]
    found: tuple[Spans, ...]


def gold_of(rows: Rows) -> tuple[ByLabel, ...]:
    """The gold spans of every row, by label.

    Raises:
        DataError: the corpus has none, or one lies outside its text.
    """
    gold = tuple(
        _by_label(
            utterance.text,
            labels.evidence,
            [d for d in labels.distortions or () if d in CANONICAL and d in labels.carried],
        )
        for utterance, labels in zip(rows.utterances, rows.labels, strict=True)
    )
    if not any(spans for row in gold for spans in row.values()):
        raise DataError(f"{rows.corpus} has no evidence spans: nothing to score against")
    return gold


def mark(detector: Detector, rows: Rows, here: Bools) -> Marks:
    """Ask a detector about rows, with the history where there is one.

    Args:
        detector: any.
        rows: the corpus.
        here: (n,), the rows to ask about; the others are left without an answer and are no
            failures.

    Raises:
        DataError: the corpus has no gold span, or the detector marks what is not in the text.
    """
    gold = gold_of(rows)
    found: list[ByLabel] = [{} for _ in gold]
    stray, scored = [0] * len(gold), np.zeros(len(gold), bool)
    failures: list[Json] = []
    for place in map(int, np.flatnonzero(here)):
        utterance = rows.utterances[place]
        try:
            answer = detector.detect(utterance, rows.histories[place])
        except (ModelError, ParseError) as error:
            why = redact(f"{type(error).__name__}: {error}")
            failures.append({"corpus": rows.corpus, "id": rows.ids[place], "why": why})
            continue
        carried = rows.labels[place].carried & frozenset(CANONICAL)
        kept = [f for f in answer.findings if f.distortion in carried]
        stray[place] = len({f.distortion for f in answer.findings} - carried)
        try:
            found[place] = _by_label(utterance.text, kept, [f.distortion for f in kept])
        except DataError as error:
            raise DataError(f"{detector.name}, row {rows.ids[place]}: {error}") from error
        scored[place] = True
    return Marks(rows, gold, tuple(found), tuple(stray), scored, tuple(failures))


def _by_label(text: str, findings: Iterable[Finding], labels: Iterable[Distortion]) -> ByLabel:
    spans: dict[Distortion, list[tuple[int, int]]] = {label: [] for label in labels}
    for finding in findings:
        if finding.start is None and finding.end is None:
            continue
        if finding.start is None or finding.end is None:
            raise DataError("a span has one end only: give start and end, or neither")
        if finding.distortion in spans:
            spans[finding.distortion] += trimmed(text, finding.start, finding.end)
    return {label: merged(given) for label, given in spans.items()}


def same_label(marks: Marks, here: Bools) -> Cells:
    """Labels that both sides give and of which the gold span is known."""
    return _cells(
        (place, gold, marks.found[place][label])
        for place, label, gold in _gold_spans(marks, here)
        if label in marks.found[place]
    )


def all_labels(marks: Marks, here: Bools) -> Cells:
    """The same, and labels with a gold span that were missed, and labels given that are not gold.

    A row without an answer misses all its labels.
    """
    gold = (
        (place, gold, marks.found[place].get(label, ()))
        for place, label, gold in _gold_spans(marks, here)
    )
    false = (
        (place, (), spans)
        for place in map(int, np.flatnonzero(here))
        for label, spans in marks.found[place].items()
        if label not in marks.gold[place] and spans
    )
    return _cells(sorted((*gold, *false), key=lambda cell: cell[0]))


def any_label(marks: Marks, here: Bools) -> Cells:
    """Texts with a gold span: all spans that were given against all gold spans of the text."""
    return _cells(
        (place, gold, _union(marks.found[place]))
        for place in map(int, np.flatnonzero(here))
        if (gold := _union(marks.gold[place]))
    )


def baseline_cells(cells: Cells, rows: Rows, name: str, seed: int) -> Cells:
    """The same cells, marked by a baseline instead.

    Args:
        cells: to be marked.
        rows: what they are of.
        name: one of `BASELINES`.
        seed: of the random clause, drawn anew for each cell.
    """
    rng = np.random.default_rng(seed)
    texts = [rows.utterances[place].text for place in cells.places]
    found = tuple(trimmed(text, *BASELINES[name](text, rng)) for text in texts)
    return Cells(cells.places, cells.gold, found)


def counts_of(marks: Marks, here: Bools) -> dict[str, int]:
    """How many texts and labels there are on each side, and what becomes of them.

    gold_spans = both + missed, and given = both + unknown + false.
    """
    rows, found = marks.rows, marks.found
    places: NDArray[np.intp] = np.flatnonzero(here)
    gold = [(p, d, spans) for p in places for d, spans in marks.gold[p].items()]
    given = [(p, d, spans) for p in places for d, spans in found[p].items()]
    kinds = Counter(_kind(spans, marks.gold[place].get(label)) for place, label, spans in given)
    calm = [p for p in places if rows.undistorted[p]]
    spans = sum(bool(one) for _, _, one in gold)
    return {
        "texts": len(places),
        "groups": len({rows.groups[p] for p in places}),
        "unscored": int((~marks.scored[places]).sum()),
        "gold": len(gold),
        "gold_spans": spans,
        "given": len(given),
        "not_carried": sum(marks.stray[p] for p in places),
        "both": kinds["both"] + kinds["without_span"],
        "without_span": kinds["without_span"],
        "unknown": kinds["unknown"],
        "missed": spans - kinds["both"] - kinds["without_span"],
        "false": kinds["false"],
        "marked": sum(any(marks.gold[p].values()) for p in places),
        "undistorted": len(calm),
        "undistorted_marked": sum(any(found[p].values()) for p in calm),
    }


def _kind(given: Spans, gold: Spans | None) -> str:
    if gold is None:
        return "false"
    if not gold:
        return "unknown"
    return "both" if given else "without_span"


def _gold_spans(marks: Marks, here: Bools) -> list[tuple[int, Distortion, Spans]]:
    return [
        (place, label, marks.gold[place][label])
        for place in map(int, np.flatnonzero(here))
        for label in CANONICAL
        if marks.gold[place].get(label)
    ]


def _union(labels: ByLabel) -> Spans:
    return merged(span for spans in labels.values() for span in spans)


def _cells(given: Iterable[tuple[int, Spans, Spans]]) -> Cells:
    found = list(given)
    return Cells(
        tuple(place for place, _, _ in found),
        tuple(gold for _, gold, _ in found),
        tuple(spans for _, _, spans in found),
    )
