"""Recipe: two reasoning chains for every labelled message, for an expert to choose (CrossLinCD 3).

    labelled messages -> two chains each -> gate -> items.jsonl -> a run folder

Leaves out: the choice. `items.jsonl` is what the page for chains takes (docs/guides/people.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from untwist.data import Reading, Record, stats_of, write_jsonl
from untwist.data.jsonl import from_row
from untwist.data.jsonlines import read_each
from untwist.errors import ConfigError, DataError
from untwist.evaluate import Table
from untwist.generate.asking import Sampling, all_different, voters
from untwist.generate.chains import (
    CANDIDATES,
    TAXONOMY,
    Chains,
    chain_items,
    chained,
    chosen,
    labelled,
)
from untwist.generate.gate import Draft, gate, name_of
from untwist.generate.pipeline import Pipeline
from untwist.llm import Model
from untwist.llm.prompts import labels_of
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
from untwist.schema import Dialogue, Json
from untwist.text import require_text

STAGE = "chains"


@dataclass(frozen=True, slots=True)
class GenerateChains:
    """What to explain, and how."""

    out: str
    """The run folder; new or empty, or that of the same run that was stopped."""
    sources: tuple[str, ...]
    """Labelled corpora by name, or files of your own."""
    taxonomy: str = TAXONOMY
    """Whose labels the chains speak of."""
    sampling: Sampling = field(
        default_factory=lambda: Sampling(temperature=0.7, max_tokens=2048, attempts=3)
    )
    """How models are sampled."""
    gated: Gated = field(default_factory=Gated)
    """What may not be written."""
    reading: Reading = field(default_factory=Reading)
    """How sources are read."""
    running: Running = field(default_factory=Running)
    """How it is run."""
    command: str = "untwist.recipes.generate_chains.run(config, models)"
    """What starts this run; stands in the report."""

    def __post_init__(self) -> None:
        labels_of(self.taxonomy)
        if self.sampling.temperature == 0:
            raise ConfigError("two chains at temperature 0 are one: give a temperature")

    def pipeline(self, stage: str, models: Sequence[Model]) -> Pipeline:
        """The work of one stage."""
        if len(models) > CANDIDATES:
            raise ConfigError("two chains are made of a message: name one model, or two")
        asked = voters(tuple(models), CANDIDATES // max(len(models), 1), self.sampling.seed)
        return Chains(asked, self.taxonomy, sampling=self.sampling)


def stages(config: GenerateChains) -> Stages:
    """What would be asked about, for an estimate.

    Raises:
        DataError: a source cannot be read.
    """
    dialogues, _ = read_sources(config.sources, config, tests_of(config), Tally())
    return {STAGE: partial(chain_items, list(labelled(dialogues)), config.taxonomy)}


def run(config: GenerateChains, models: Models, show: Show = show_nobody) -> Generated:
    """Generate, and write the run folder.

    Raises:
        ConfigError: the folder is in use by another run, or two voters are one.
        DataError: a source cannot be read, or has no labelled message.
    """
    all_different(models.names)
    tally, tests = Tally(), tests_of(config)
    dialogues, files = read_sources(config.sources, config, tests, tally)
    messages = list(labelled(dialogues))
    if not messages:
        raise DataError("no message whose distortions are judged: give a labelled corpus")
    folder = open_folder(config, files, config.sampling.seed, (STAGE,))
    inputs = folder.inputs
    items = partial(chain_items, messages, config.taxonomy)
    entries = do_stage(folder, Stage(config, STAGE, models), items, inputs, tally, show)
    drafts = [
        chained(message, entry)
        for message in messages
        if (entry := entries.get(name_of(message))) is not None and entry.value is not None
    ]
    passed = gate(drafts, tests, repeats=False, leaks=config.gated.leaks)
    return finish(
        folder,
        config,
        tally,
        passed.kept,
        passed.refused,
        title="Pairs of reasoning chains",
        names=models.names,
        statistics=statistics(passed.kept),
        chapters=chapters(passed.kept),
    )


def write_chosen(agreed: Path | str, out: Path | str) -> tuple[int, int]:
    """Write the chains that experts chose as exchanges to learn from: a message, then its chain.

    Args:
        agreed: rows of pairs with "chain", the chosen one, as `untwist people majority` writes
            them; null where neither was good.
        out: the file, in our own format; it must be new.

    Returns:
        How many were written, and how many had no chain that was good.

    Raises:
        DataError: a row is no pair with a choice, or the file cannot be written.
    """
    found = list(read_each(agreed, _picked, "pair of chains with its choice"))
    chosen_ones = [dialogue for dialogue in found if dialogue is not None]
    return write_jsonl(chosen_ones, out), len(found) - len(chosen_ones)


def _picked(record: Record) -> Dialogue | None:
    """The exchange of one row; None where neither chain was good."""
    chain = record.data["chain"]
    message = from_row(record, corpus=STAGE)
    return None if chain is None else chosen(message, require_text(chain, "the chosen chain"))


def statistics(kept: Sequence[Draft]) -> Json:
    """How long the chains are, and which labels they explain."""
    lengths = [len(chain) for draft in kept for chain in draft.beside["candidates"]]
    return {
        "pairs": len(kept),
        "chars_chain": sum(lengths) / len(lengths) if lengths else None,
        "labels": stats_of("chains", [draft.dialogue for draft in kept]).to_dict(),
    }


def chapters(kept: Sequence[Draft]) -> list[Chapter]:
    """The report: pairs by label, and their length."""
    stats = stats_of("chains", [draft.dialogue for draft in kept])
    lines = tuple((d.name_in("en"), f"{n:,}") for d, n in stats.distortions.items())
    length = statistics(kept)["chars_chain"]
    note = "" if length is None else f"A chain has {length:.0f} characters on average."
    return [Chapter("Pairs", (), (Table("By label", ("label", "pairs"), lines, note),))]
