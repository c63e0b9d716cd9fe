"""Recipe: do annotators agree well enough on the joint sample for the whole annotation to start?

a round -> votes by facet -> Cohen one against the rest, Fleiss, Krippendorff, prevalence
        -> open, or shut with its reasons -> a run folder, if one is wanted
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from untwist.data.labelstudio import (
    ANSWERS,
    TASKS,
    Answer,
    ChainAnswer,
    Page,
    Round,
    TripleAnswer,
    TurnAnswer,
    read_round,
)
from untwist.errors import ConfigError
from untwist.evaluate import (
    RESAMPLES,
    SCALES,
    Facet,
    FacetAgreement,
    ForestRow,
    Gate,
    Obstacle,
    Table,
    bounds,
    facet_agreement,
    forest,
    number,
    obstacles,
)
from untwist.evaluate.gates import RARE, Measure, PartAgreement
from untwist.recipes.publish import Chapter, Drawing, publish
from untwist.recipes.runfolder import open_run
from untwist.schema import Json
from untwist.taxonomy import CANONICAL, Distortion, Intensity, Risk

SCHEMA = "untwist/people-gate@1"
NEITHER = "neither"
FACETS: dict[Page, tuple[Facet, ...]] = {
    "turns": (
        Facet("labels", "labels", CANONICAL),
        Facet("intensity", "levels", tuple(Intensity), always=False),
        Facet("risk", "levels", tuple(Risk)),
    ),
    "chains": (Facet("choice", "names", (0, 1, NEITHER)),),
    "triples": tuple(
        Facet(scale, "levels" if len(values) > 2 else "names", values)
        for scale, values in SCALES.items()
    ),
}
"""What annotators judge on each page. Intensity is judged only where they see a distortion."""

CAVEAT = (
    "Kappa and alpha depend on how common a label is: where hardly any item carries it, two or "
    f"three disagreements pull them to zero although almost all judgements are the same. Labels "
    f"given in fewer than {RARE:.0%} of the judgements (or more than {1 - RARE:.0%}) are marked "
    "with *; read them with the share of equal judgements and the specific agreement beside them, "
    "or ask about more items that carry them. A label that nobody gave has no kappa and is left "
    "out of the mean. On a joint sample of 50 or 100 items the intervals are wide."
)
_PROTOCOL = (
    "Labels: each by itself is a yes or no (one against the rest), and Cohen's and Fleiss' kappa "
    "are means over the labels for which they are known (CoPoLLM C.3); Krippendorff's alpha takes "
    "whole sets, with the MASI distance. Levels: kappa takes them as names, alpha by their ranks. "
    "Cohen's kappa is the mean over pairs of annotators. 95 % intervals draw items with "
    "replacement. Same: share of pairs of judgements of one item that are equal. Specific "
    "agreement: if one gives the label, how likely another gives it, too."
)


@dataclass(frozen=True, slots=True)
class PeopleGate:
    """Which round, and what it must reach."""

    folder: str
    """Of the round."""
    measure: Measure = "fleiss"
    """What is looked at."""
    at_least: float = 0.7
    """What it must reach on every facet."""
    items: int = 50
    """How many items all annotators must have judged."""
    annotators: int = 2
    """How many there must be."""
    every: float | None = None
    """What each label or level against the rest must reach, too."""
    sure: bool = False
    """Whether the lower end of the interval must reach it; not with Cohen's kappa."""
    on: tuple[str, ...] = ()
    """Facets that count; all of the page when none is named."""
    by: tuple[str, ...] = ()
    """Annotators that count; all when none is named."""
    out: str = ""
    """A run folder for the report; none is written without it."""
    seed: int = 42
    """Of the intervals."""
    resamples: int = RESAMPLES
    """Of the bootstrap."""
    command: str = "untwist.recipes.people_gate.run(config)"
    """What starts this run; stands in the report."""


def run(config: PeopleGate) -> tuple[Json, list[Chapter]]:
    """Measure, decide, and write the run folder if one is wanted.

    Returns:
        The metrics and the chapters of the report.

    Raises:
        ConfigError: a setting is out of range, or the run folder is in use.
        DataError: the round cannot be read, or has no such facet or annotator.
    """
    gate = Gate(
        config.measure,
        config.at_least,
        config.items,
        config.annotators,
        config.every,
        config.sure,
    )
    found = read_round(config.folder)
    rng = np.random.default_rng(config.seed)
    measured = measure(found, rng, config.resamples, on=config.on, by=config.by)
    shut = obstacles(measured, gate)
    metrics = _metrics(config, found, measured, shut)
    chapters = _chapters(metrics, measured)
    if config.out:
        files = [Path(config.folder) / name for name in (TASKS, ANSWERS)]
        folder = open_run(config.out, config, config.seed, files)
        folder.write_metrics(metrics)
        title = "Agreement of annotators"
        publish(folder, title, chapters, protocol=_PROTOCOL, command=config.command)
    return metrics, chapters


def measure(
    found: Round,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
    *,
    on: Sequence[str] = (),
    by: Sequence[str] = (),
) -> list[FacetAgreement]:
    """Agreement on every facet of a round.

    Args:
        found: the round; items that nobody judged are left out.
        rng: the source of chance for the intervals.
        resamples: how many.
        on: names of facets; empty for all of the page.
        by: annotators; empty for all.

    Raises:
        ConfigError: the page has no such facet, or the round no such annotator.
    """
    facets = _named(found.page, on)
    annotators = tuple(by) or found.annotators
    strange = sorted(set(annotators) - set(found.annotators))
    if strange:
        raise ConfigError(f"no annotator {strange[0]}: there are {', '.join(found.annotators)}")
    rows = [[said.get(one) for one in annotators] for said in found.by_item().values()]
    rows = [row for row in rows if any(row)]
    return [
        facet_agreement(
            [[_vote(a, facet.name) for a in row] for row in rows], facet, rng, resamples
        )
        for facet in facets
    ]


def _named(page: Page, on: Sequence[str]) -> tuple[Facet, ...]:
    known = {facet.name: facet for facet in FACETS[page]}
    strange = [name for name in on if name not in known]
    if strange:
        raise ConfigError(f'{page} have no "{strange[0]}": name some of {", ".join(known)}')
    return tuple(known[name] for name in on) or FACETS[page]


def _vote(answer: Answer | None, facet: str) -> Hashable | None:
    if isinstance(answer, TurnAnswer):
        if facet == "labels":
            return answer.labels.distortions
        found: Hashable = getattr(answer.labels, facet)
        return found
    if isinstance(answer, ChainAnswer):
        return NEITHER if answer.chosen is None else answer.chosen
    if isinstance(answer, TripleAnswer):
        scale: int = getattr(answer, facet)
        return scale
    return None


def _metrics(
    config: PeopleGate, found: Round, measured: list[FacetAgreement], shut: Sequence[Obstacle]
) -> Json:
    return {
        "schema": SCHEMA,
        "command": config.command,
        "page": found.page,
        "items": len(found.tasks),
        "annotators": list(config.by or found.annotators),
        "gate": {
            "measure": config.measure,
            "at_least": config.at_least,
            "items": config.items,
            "annotators": config.annotators,
            "every": config.every,
            "sure": config.sure,
        },
        "open": not shut,
        "obstacles": [{"facet": one.facet, "why": one.why} for one in shut],
        "facets": [one.to_dict() for one in measured],
    }


def _chapters(metrics: Json, measured: list[FacetAgreement]) -> list[Chapter]:
    gate = metrics["gate"]
    asked = (
        f"Asked: {gate['measure']} of at least {gate['at_least']:g} on {gate['items']} items that "
        f"{gate['annotators']} annotators or more all judged."
    )
    reasons = tuple(f"{one['facet']}: {one['why']}." for one in metrics["obstacles"])
    state = "The gate is open." if metrics["open"] else "The gate is shut."
    picture = Drawing(
        "agreement",
        "Fleiss' kappa of each facet, with 95 % intervals over items.",
        lambda: forest([_point(one) for one in measured], "Agreement", "Fleiss' kappa"),
    )
    head = Chapter("Gate", (state, asked, *reasons), (_overview(measured),), (picture,))
    return [head, *(Chapter(one.facet.name, (), (_parts(one),)) for one in measured),
            Chapter("How to read this", (CAVEAT,))]  # fmt: skip


def _point(one: FacetAgreement) -> ForestRow:
    return ForestRow(one.facet.name, one.fleiss.value, _ends(one), None)


def _ends(one: FacetAgreement) -> tuple[float, float] | None:
    interval = one.fleiss.interval
    return (interval.low, interval.high) if interval else None


def _overview(measured: list[FacetAgreement]) -> Table:
    header = ("facet", "items", "judged by all", "same", "Cohen", "Fleiss", "Krippendorff")
    rows = tuple(
        (
            one.facet.name,
            f"{one.items:,}",
            f"{one.joint:,}",
            number(one.same),
            number(one.cohen),
            number(one.fleiss.value) + bounds(_ends(one)),
            number(one.alpha.value) + bounds(_alpha_ends(one)),
        )
        for one in measured
    )
    return Table("Facets", header, rows)


def _alpha_ends(one: FacetAgreement) -> tuple[float, float] | None:
    interval = one.alpha.interval
    return (interval.low, interval.high) if interval else None


def _parts(one: FacetAgreement) -> Table:
    header = ("value", "items with it", "prevalence", "same", "specific agreement", "Cohen",
              "Fleiss")  # fmt: skip
    rows = tuple(
        (
            _name(part) + " *" * part.rare,
            f"{part.marked:,}",
            number(part.prevalence),
            number(part.same),
            number(part.positive),
            number(part.cohen),
            number(part.fleiss),
        )
        for part in one.parts
    )
    return Table("Each value against the rest", header, rows)


def _name(part: PartAgreement) -> str:
    value = part.value
    return value.name_in("en") if isinstance(value, Distortion | Intensity | Risk) else str(value)
