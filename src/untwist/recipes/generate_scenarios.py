"""Recipe: triggering events with challenged distortions (CBTLlama 3.1).

    persona grid -> events -> worksheets -> gate -> items.jsonl -> a run folder

Leaves out: whether an event is likely. A sample is for people to read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from untwist.data import Reading, stats_of
from untwist.errors import ConfigError
from untwist.evaluate import Table, label_distribution
from untwist.generate.asking import Sampling, in_turn
from untwist.generate.gate import Draft, gate
from untwist.generate.pipeline import Pipeline
from untwist.generate.scenarios import (
    CORPUS,
    TAXONOMY,
    Scenarios,
    persona_items,
    scenario,
    seeds,
)
from untwist.llm import Model
from untwist.llm.prompts import Seed, labels_of
from untwist.recipes.generate_files import finish
from untwist.recipes.generate_folder import open_folder
from untwist.recipes.generate_settings import Gated, Models, Running, Stage, Stages
from untwist.recipes.generate_stages import (
    Generated,
    Show,
    Tally,
    do_stage,
    show_nobody,
    tests_of,
)
from untwist.recipes.publish import Chapter, Drawing
from untwist.schema import Json
from untwist.taxonomy import LANGS, Lang

STAGE = "events"
_KINDS = ("sex", "age", "occupation", "relationship", "emotion")


@dataclass(frozen=True, slots=True)
class GenerateScenarios:
    """How many scenarios, and how."""

    out: str
    """The run folder; new or empty, or that of the same run that was stopped."""
    lang: Lang
    """Of the scenarios."""
    number: int = 100
    """How many personas are drawn."""
    challenge: bool = True
    """Whether each event gets a worksheet: its distortions, and a challenge of each."""
    taxonomy: str = TAXONOMY
    """Whose labels the worksheet uses; "worksheet-10" is the paper's."""
    sampling: Sampling = field(default_factory=lambda: Sampling(temperature=1.0))
    """How models are sampled."""
    gated: Gated = field(default_factory=Gated)
    """What may not be written."""
    reading: Reading = field(default_factory=Reading)
    """How test sets are read."""
    running: Running = field(default_factory=Running)
    """How it is run."""
    command: str = "untwist.recipes.generate_scenarios.run(config, models)"
    """What starts this run; stands in the report."""

    def __post_init__(self) -> None:
        labels_of(self.taxonomy)
        if self.lang not in LANGS or self.number < 1:
            raise ConfigError("give a number of scenarios above 0, in en or zh")

    def pipeline(self, stage: str, models: Sequence[Model]) -> Pipeline:
        """The work of one stage."""
        return Scenarios(
            in_turn(tuple(models), self.sampling.seed),
            self.lang,
            self.challenge,
            self.taxonomy,
            sampling=self.sampling,
        )


def stages(config: GenerateScenarios) -> Stages:
    """What would be asked about, for an estimate.

    Raises:
        ConfigError: there are not so many personas.
    """
    return {STAGE: partial(persona_items, _drawn_seeds(config), config.lang)}


def _drawn_seeds(config: GenerateScenarios) -> tuple[Seed, ...]:
    rng = np.random.default_rng(config.sampling.seed)
    return seeds(config.number, config.lang, rng)[: config.running.limit]


def run(config: GenerateScenarios, models: Models, show: Show = show_nobody) -> Generated:
    """Generate, and write the run folder.

    Raises:
        ConfigError: the folder is in use by another run, or there are not so many personas.
        DataError: a test set cannot be read.
    """
    tally, tests = Tally(), tests_of(config)
    tally.tests = tuple(test.name for test in tests)
    folder = open_folder(config, (), config.sampling.seed, (STAGE,))
    items = partial(persona_items, _drawn_seeds(config), config.lang)
    entries = do_stage(folder, Stage(config, STAGE, models), items, {}, tally, show)
    drafts = [
        scenario(item, entries[item.id], config.lang, config.taxonomy)
        for item in items()
        if item.id in entries and entries[item.id].value is not None
    ]
    gated = config.gated
    passed = gate(drafts, tests, repeats=gated.repeats, leaks=gated.leaks)
    return finish(
        folder,
        config,
        tally,
        passed.kept,
        passed.refused,
        title="Scenarios",
        names=models.names,
        statistics=statistics(passed.kept),
        chapters=chapters(passed.kept),
    )


def statistics(kept: Sequence[Draft]) -> Json:
    """How often each kind of persona, each feeling and each label was written."""
    return {
        "personas": {kind: dict(_spread(kept, kind)) for kind in _KINDS},
        "labels": stats_of(CORPUS, [draft.dialogue for draft in kept]).to_dict(),
    }


def _spread(kept: Sequence[Draft], kind: str) -> Counter[str]:
    """Counts of one kind, the most frequent first; ages by decade."""
    told: list[Any] = [draft.beside["persona"][kind] for draft in kept]
    if kind == "age":
        counts = Counter(f"{age // 10 * 10}–{age // 10 * 10 + 9}" for age in told)
        return Counter(dict(sorted(counts.items())))
    return Counter(dict(Counter(told).most_common()))


def chapters(kept: Sequence[Draft]) -> list[Chapter]:
    """The report: the paper's Figure 1 re-made, and the labels of the worksheets."""
    tables, drawings = [], []
    for kind in _KINDS:
        spread = _spread(kept, kind)
        lines = tuple((name, f"{n:,}") for name, n in spread.items())
        tables.append(Table(kind.capitalize(), (kind, "scenarios"), lines))
        if spread:
            caption = f"Share of each {kind} among the scenarios (CBTLlama Figure 1)."
            drawings.append(Drawing(kind, caption, partial(_drawn, kind, spread)))
    stats = stats_of(CORPUS, [draft.dialogue for draft in kept])
    labels = {d.value: n for d, n in stats.distortions.items()}
    lines = tuple((d.name_in("en"), f"{n:,}") for d, n in stats.distortions.items())
    if any(labels.values()):
        caption = "Share of each label among all labels of the worksheets."
        drawings.append(Drawing("labels", caption, partial(_drawn, "labels", labels)))
    return [
        Chapter("Who the scenarios are about", (), tuple(tables), tuple(drawings)),
        Chapter("Distortions", (), (Table("", ("label", "scenarios"), lines),)),
    ]


def _drawn(title: str, counts: dict[str, int]) -> Any:  # noqa: ANN401 - a picture of matplotlib's
    return label_distribution({CORPUS: dict(counts)}, title.capitalize())
