"""Recipe: labels for dialogues, by the votes of models (CoPoLLM 3.1).

sources -> sift -> votes per seeker turn -> items.jsonl, queue.jsonl -> a run folder
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from untwist.data import Reading, Stats, stats_of
from untwist.errors import ConfigError
from untwist.evaluate import Table, fleiss_kappa, label_distribution, number
from untwist.generate import Entry
from untwist.generate.annotate import TAXONOMY, Annotate, Annotated, Sift, annotated, turns, wholes
from untwist.generate.asking import Sampling, all_different, voters
from untwist.generate.gate import name_of
from untwist.generate.pipeline import Pipeline
from untwist.generate.votes import Count, Vote
from untwist.llm import Model
from untwist.llm.prompts.labels import labels_of
from untwist.recipes.generate_files import QUEUE, finish, rows
from untwist.recipes.generate_folder import journal_of, open_folder
from untwist.recipes.generate_settings import Gated, Models, Running, Stage, Stages
from untwist.recipes.generate_stages import (
    Generated,
    Show,
    Tally,
    do_stage,
    read_sources,
    show_nobody,
    tests_of,
)
from untwist.recipes.publish import Chapter, Drawing
from untwist.schema import Dialogue, Json
from untwist.taxonomy import CANONICAL, Distortion, Intensity, Risk

SIFT, VOTES = "sift", "votes"
SIFTED = "sifted.jsonl"
"""Corpus and id of the dialogues that the first pass took away."""


@dataclass(frozen=True, slots=True)
class GenerateAnnotate:
    """What to annotate, and how."""

    out: str
    """The run folder; new or empty, or that of the same run that was stopped."""
    sources: tuple[str, ...]
    """Corpora by name, or files of your own."""
    samples: int = 1
    """Votes of each model."""
    sift: bool = False
    """Whether a first pass by the first model takes away dialogues without any distortion."""
    taxonomy: str = TAXONOMY
    """Whose labels are asked for."""
    sampling: Sampling = field(default_factory=Sampling)
    """How models are sampled; several samples of one model need a temperature."""
    gated: Gated = field(default_factory=Gated)
    """What may not be written."""
    reading: Reading = field(default_factory=Reading)
    """How sources are read."""
    running: Running = field(default_factory=Running)
    """How it is run."""
    command: str = "untwist.recipes.generate_annotate.run(config, models)"
    """What starts this run; stands in the report."""

    def __post_init__(self) -> None:
        labels_of(self.taxonomy)
        if self.samples < 1:
            raise ConfigError(f"samples is {self.samples}: give at least 1")
        if self.samples > 1 and self.sampling.temperature == 0:
            raise ConfigError(
                "several samples at temperature 0 are one and the same vote: give a temperature"
            )

    def pipeline(self, stage: str, models: Sequence[Model]) -> Pipeline:
        """The work of one stage."""
        asked = voters(tuple(models), self.samples, self.sampling.seed)
        if stage == SIFT:
            return Sift(asked[0], self.taxonomy, sampling=self.sampling)
        return Annotate(asked, self.taxonomy, sampling=self.sampling)


def stages(config: GenerateAnnotate) -> Stages:
    """What would be asked about, for an estimate.

    Raises:
        DataError: a source cannot be read.
    """
    dialogues, _ = read_sources(config.sources, config, tests_of(config), Tally())
    first = {SIFT: partial(wholes, dialogues)} if config.sift else {}
    return {**first, VOTES: partial(turns, dialogues)}


def run(config: GenerateAnnotate, models: Models, show: Show = show_nobody) -> Generated:
    """Annotate, and write the run folder.

    Args:
        config: what to annotate, and how.
        models: who votes.
        show: told how far it is.

    Returns:
        The folder: items.jsonl (dialogues with the labels that have a majority), queue.jsonl (those
        with a turn that people must decide, with the votes), refused.jsonl, failed.jsonl.

    Raises:
        ConfigError: the folder is in use by another run, or two voters are one.
        DataError: a source cannot be read.
    """
    all_different(models.names)
    tally = Tally()
    dialogues, files = read_sources(config.sources, config, tests_of(config), tally)
    folder = open_folder(config, files, config.sampling.seed, (SIFT, VOTES))
    inputs = folder.inputs
    away: list[Dialogue] = []
    if config.sift:
        # once there are votes, the dialogues that are voted on must stay the same
        begun = (folder.path / journal_of(VOTES)).is_file()
        first, sift = partial(wholes, dialogues), Stage(config, SIFT, models)
        found = do_stage(folder, sift, first, inputs, tally, show, again=not begun)
        away = [d for d in dialogues if not _kept(found.get(name_of(d)))]
        dialogues = [d for d in dialogues if _kept(found.get(name_of(d)))]
    entries: dict[str, Entry] = {}
    if not tally.stopped:
        stage = Stage(config, VOTES, models)
        entries = do_stage(folder, stage, partial(turns, dialogues), inputs, tally, show)
    made = [annotated(dialogue, entries, config.taxonomy) for dialogue in dialogues]
    kept = [one.draft for one in made if one.draft is not None]
    written = [draft.dialogue for draft in kept]
    return finish(
        folder,
        config,
        tally,
        kept,
        (),
        title="Annotation by votes of models",
        names=models.names,
        statistics=statistics(made, written),
        chapters=chapters(made, written),
        more={
            QUEUE: list(rows(one.queue for one in made if one.queue is not None)),
            **({SIFTED: [{"id": d.id, "corpus": d.corpus} for d in away]} if config.sift else {}),
        },
    )


def _kept(entry: Entry | None) -> bool:
    """Whether the first pass lets a dialogue through; where its call failed, votes decide."""
    return entry is not None and (entry.value is None or bool(entry.value["kept"]))


def statistics(made: Sequence[Annotated], written: Sequence[Dialogue]) -> Json:
    """Labels of the rows, and how far the voters agree."""
    counts = [pair for one in made for pair in one.counts]
    return {
        "turns_voted": len(counts),
        "turns_open": sum(bool(count.open) for count, _ in counts),
        "turns_not_unanimous": sum(bool(count.split) for count, _ in counts),
        "rationales_left_out": sum(one.unsaid for one in made),
        "labels": stats_of("annotated", written).to_dict(),
        "agreement": {name: kappa for name, kappa, _, _ in agreements(counts)},
    }


def agreements(
    counts: Sequence[tuple[Count, tuple[Vote, ...]]],
) -> Iterator[tuple[str, float | None, float, int]]:
    """Each label and danger level: Fleiss kappa of the voters, prevalence, and how many turns.

    Prevalence is the share of all votes that say yes: a kappa of a rare label says little.
    """
    sizes = Counter(len(votes) for _, votes in counts)
    if not sizes or max(sizes) < 2:
        return
    size = max(sizes)
    turns_ = [votes for _, votes in counts if len(votes) == size]
    aspects = [(d.value, partial(_said, d)) for d in CANONICAL]
    aspects += [(f"risk {risk.value}", partial(_judged, risk)) for risk in Risk]
    for name, says in aspects:
        given = np.array([[says(vote) for vote in votes] for votes in turns_])
        if given.any():
            kappa = fleiss_kappa(given, np.random.default_rng(0), resamples=1).kappa
            yield name, kappa, float(given.mean()), len(turns_)


def _said(distortion: Distortion, vote: Vote) -> bool:
    return distortion in vote.distortions


def _judged(risk: Risk, vote: Vote) -> bool:
    return vote.risk is risk


def chapters(made: Sequence[Annotated], written: Sequence[Dialogue]) -> list[Chapter]:
    """The report: Table 2 of the paper re-made, the labels, the levels, the agreement."""
    stats = stats_of("annotated", written)
    shape = stats.turns
    per = shape.labels / shape.annotated_dialogues if shape.annotated_dialogues else None
    table = Table(
        "Annotation statistics (CoPoLLM Table 2)",
        ("what", "count"),
        (
            ("Annotated dialogues", f"{shape.annotated_dialogues:,}"),
            ("Annotated samples (segments)", f"{shape.annotated:,}"),
            ("Total distortion labels", f"{shape.labels:,}"),
            ("Labels per dialogue", number(per)),
            ("Distortion label types", f"{sum(n > 0 for n in stats.distortions.values()):,}"),
        ),
        "Labels per dialogue is the quotient of the rows above it.",
    )
    labels = Table(
        "Labels",
        ("label", "turns"),
        tuple((d.name_in("en"), f"{n:,}") for d, n in stats.distortions.items()),
    )
    levels = Table(
        "Levels",
        ("level", "turns"),
        (
            *((f"intensity {i.value}", f"{stats.intensity.get(i.value, 0):,}") for i in Intensity),
            *((f"risk {r.value}", f"{stats.risk.get(r.value, 0):,}") for r in Risk),
        ),
    )
    return [
        Chapter("What was annotated", (), (table, labels, levels), _drawings(stats)),
        *_agree(made),
    ]


def _drawings(stats: Stats) -> tuple[Drawing, ...]:
    counts = {d.value: n for d, n in stats.distortions.items()}
    if not any(counts.values()):
        return ()
    caption = "Share of each label among all labels that were written (CoPoLLM Figure 2)."
    return (
        Drawing("labels", caption, lambda: label_distribution({"annotated": counts}, "Labels")),
    )


def _agree(made: Sequence[Annotated]) -> list[Chapter]:
    found = tuple(
        (name, number(kappa), f"{100 * share:.1f} %", f"{n:,}")
        for name, kappa, share, n in agreements([pair for one in made for pair in one.counts])
    )
    if not found:
        return []
    note = "Models that learned from the same texts agree more than people do: no kappa of people."
    table = Table("Fleiss kappa", ("aspect", "kappa", "votes for it", "turns"), found, note)
    return [Chapter("How far the voters agree", (), (table,))]
