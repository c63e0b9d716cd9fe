"""Recipe: replies that carry out what a policy chose (CoPoLLM 3.3, CogBiasESC-PRO).

    dialogues -> labels, else a detector -> policy -> model -> guard -> gate -> items.jsonl,
    review.jsonl -> a run folder

Leaves out: people. Every reply waits for review; `review.jsonl` is what the page for triples takes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from untwist.data import Reading
from untwist.data.labelstudio import triple_row
from untwist.engine import DEFAULT_POLICY, load_detector, load_draft_reader, load_policy
from untwist.errors import ConfigError
from untwist.evaluate import Table
from untwist.generate.asking import Sampling, in_turn
from untwist.generate.enhance import (
    DRAFTS,
    Enhance,
    Turn,
    enhanced,
    fixed_reply,
    reply_items,
    seeker_turns,
    triple,
)
from untwist.generate.gate import Draft, gate
from untwist.generate.pipeline import Pipeline
from untwist.llm import Model
from untwist.policy import session_of
from untwist.recipes.generate_files import finish
from untwist.recipes.generate_folder import open_folder
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
from untwist.recipes.publish import Chapter
from untwist.respond import ReplyGuard, ScriptedResponder
from untwist.schema import Dialogue, Json
from untwist.taxonomy import Strategy

STAGE = "replies"
REVIEW = "review.jsonl"


@dataclass(frozen=True, slots=True)
class GenerateEnhance:
    """What to answer anew, and how."""

    out: str
    """The run folder; new or empty, or that of the same run that was stopped."""
    sources: tuple[str, ...]
    """Corpora by name, or files of your own."""
    policy: str = DEFAULT_POLICY
    """Who chooses: "learned", "matrix", or the folder of a policy."""
    detector: str = "fast"
    """Who hears messages without labels: "fast", or a model folder."""
    region: str | None = None
    """ISO code of the country whose help lines stand in fixed replies; None names none."""
    drafts: int = DRAFTS
    """Drafts that are written at most before the guard's word stands."""
    review: float = 1.0
    """Share of the replies that people are to review, above 0."""
    sampling: Sampling = field(default_factory=lambda: Sampling(temperature=0.7))
    """How models are sampled."""
    gated: Gated = field(default_factory=Gated)
    """What may not be written."""
    reading: Reading = field(default_factory=Reading)
    """How sources are read."""
    running: Running = field(default_factory=Running)
    """How it is run."""
    command: str = "untwist.recipes.generate_enhance.run(config, models)"
    """What starts this run; stands in the report."""

    def __post_init__(self) -> None:
        if self.drafts < 1:
            raise ConfigError(f"drafts is {self.drafts}: give at least 1")
        if not 0 < self.review <= 1:
            raise ConfigError(f"review is {self.review}: it is a share above 0 and at most 1")

    def pipeline(self, stage: str, models: Sequence[Model]) -> Pipeline:
        """The work of one stage."""
        asked = in_turn(tuple(models), self.sampling.seed)
        guard = ReplyGuard(stops=load_draft_reader().stops)
        return Enhance(asked, guard, self.drafts, sampling=self.sampling)


def stages(config: GenerateEnhance) -> Stages:
    """What would be asked about, for an estimate.

    Raises:
        DataError: a source cannot be read.
        ArtifactError: the policy or the detector cannot be used.
    """
    dialogues, _ = read_sources(config.sources, config, tests_of(config), Tally())
    return {STAGE: partial(reply_items, _turns(dialogues, config))}


def _turns(dialogues: Sequence[Dialogue], config: GenerateEnhance) -> list[Turn]:
    policy, detector = load_policy(config.policy), load_detector(config.detector)
    return list(seeker_turns(dialogues, policy, detector, session_of))


def run(config: GenerateEnhance, models: Models, show: Show = show_nobody) -> Generated:
    """Answer anew, and write the run folder.

    Raises:
        ConfigError: the folder is in use by another run.
        DataError: a source cannot be read.
        ArtifactError: the policy or the detector cannot be used.
    """
    tally, tests = Tally(), tests_of(config)
    dialogues, files = read_sources(config.sources, config, tests, tally)
    folder = open_folder(config, files, config.sampling.seed, (STAGE,))
    inputs = folder.inputs
    turns = _turns(dialogues, config)
    items = partial(reply_items, turns)
    entries = do_stage(folder, Stage(config, STAGE, models), items, inputs, tally, show)
    made = {
        turn.id: enhanced(turn, entry)
        for turn in turns
        if (entry := entries.get(turn.id)) is not None and entry.value is not None
    }
    gated = config.gated
    passed = gate(list(made.values()), tests, repeats=gated.repeats, leaks=gated.leaks)
    fixed = ScriptedResponder(region=config.region)
    ready = {id(draft) for draft in passed.kept}
    whole = [
        (turn, fixed_reply(turn, fixed) if turn.fixed else made[turn.id])
        for turn in turns
        if turn.fixed or (turn.id in made and id(made[turn.id]) in ready)
    ]
    kept = [draft for _, draft in whole]
    return finish(
        folder,
        config,
        tally,
        kept,
        passed.refused,
        title="Replies of a chosen strategy",
        names=models.names,
        statistics=statistics(whole, list(made.values())),
        chapters=chapters(whole, list(made.values())),
        more={REVIEW: _review(whole, config)},
    )


def _review(whole: Sequence[tuple[Turn, Draft]], config: GenerateEnhance) -> list[Json]:
    """A drawn share of the replies as triples without votes."""
    rng = np.random.default_rng(config.sampling.seed)
    drawn = rng.random(len(whole)) < config.review
    return [
        triple_row(triple(turn, draft))
        for (turn, draft), taken in zip(whole, drawn, strict=True)
        if taken
    ]


def statistics(whole: Sequence[tuple[Turn, Draft]], made: Sequence[Draft]) -> Json:
    """Strategies of the rows, and what the guard stopped on the way."""
    strategies = Counter(turn.choice.strategy for turn, _ in whole)
    rules = Counter(rule for draft in made for one in draft.beside["stopped"] for rule in one)
    return {
        "replies": len(whole),
        "fixed": sum(turn.fixed for turn, _ in whole),
        "strategies": {s.value: strategies[s] for s in Strategy},
        "grades": dict(Counter(turn.choice.grade for turn, _ in whole).most_common()),
        "drafts_stopped": sum(len(draft.beside["stopped"]) for draft in made),
        "rules": dict(rules.most_common()),
    }


def chapters(whole: Sequence[tuple[Turn, Draft]], made: Sequence[Draft]) -> list[Chapter]:
    """The report: strategies, and the guard's rules."""
    found = statistics(whole, made)
    lines = tuple((s.name_in("en"), f"{found['strategies'][s.value]:,}") for s in Strategy)
    first = Table("Strategies", ("strategy", "replies"), lines)
    rules = tuple((rule, f"{n:,}") for rule, n in found["rules"].items())
    note = "docs/reference/guard.md says what each rule means; a draft may break several."
    second = Table("Drafts that the guard stopped, by rule", ("rule", "drafts"), rules, note)
    words = f"{found['fixed']:,} replies are fixed texts for turns of the highest risk."
    return [Chapter("Replies", (words,), (first, second))]
