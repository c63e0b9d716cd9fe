"""untwist generate: synthetic data with any model, resumable, with provenance."""

from __future__ import annotations

import click

from untwist.cli.generate_options import Say, options, sampling_of
from untwist.generate import Sampling
from untwist.recipes import (
    generate_annotate,
    generate_cbtqa,
    generate_chains,
    generate_enhance,
    generate_scenarios,
)
from untwist.recipes.generate_settings import Models
from untwist.schema import Json
from untwist.taxonomy import LANGS, Lang

_EXAMPLES = """\b
Examples:
  export UNTWIST_LLM_URL=http://127.0.0.1:8000/v1 UNTWIST_LLM_MODEL=Qwen/Qwen3-30B-A3B
  untwist generate annotate talks.jsonl --out made/votes --samples 3 --temperature 0.7
  untwist generate scenarios --lang zh --number 500 --out made/events
  untwist generate cbtqa posts.jsonl --out made/qa --estimate
  untwist generate chains labelled.jsonl --out made/chains
  untwist generate enhance dialogues.jsonl --out made/replies --limit 20
"""


@click.group("generate", epilog=_EXAMPLES)
def command() -> None:
    """Make data with a language model; the same command on the same folder goes on.

    The model is named by UNTWIST_LLM_URL and UNTWIST_LLM_MODEL (its key by UNTWIST_LLM_KEY), or by
    --model and a file of models (UNTWIST_LLM_CONFIG). A failed call is a counted item in
    failed.jsonl and never a row; then the exit code is 1.
    """


_TAXONOMY = click.option(
    "--taxonomy", default="untwist-12", show_default=True, metavar="NAME",
    help="Whose labels are asked for; docs/reference/words.md lists them.",
)  # fmt: skip


@command.command(
    "annotate",
    epilog="Example: untwist generate annotate talks.jsonl --model big --model small --out votes",
)
@click.argument("sources", nargs=-1, required=True, metavar="CORPUS|FILE...")
@click.option(
    "--samples", type=click.IntRange(1), default=1, show_default=True, help="Votes of each model."
)
@click.option("--sift", is_flag=True, help="First ask once a dialogue if it has any distortion.")
@_TAXONOMY
@options
def annotate(
    sources: tuple[str, ...],
    samples: int,
    sift: bool,
    taxonomy: str,
    models: Models,
    sampled: Json,
    ways: Json,
    say: Say,
) -> None:
    """Labels for every message of the person, by the votes of models (CoPoLLM 3.1).

    What has a majority is in items.jsonl; what people must decide is in queue.jsonl, with the
    votes. The safety screen is the floor of every level of risk.
    """
    config = generate_annotate.GenerateAnnotate(
        sources=sources,
        samples=samples,
        sift=sift,
        taxonomy=taxonomy,
        sampling=sampling_of(Sampling(), sampled),
        **ways,
    )
    say(config, models, generate_annotate.stages, generate_annotate.run)


@command.command(
    "scenarios",
    epilog="Example: untwist generate scenarios --lang en --number 500 --out made/events",
)
@click.option("--lang", type=click.Choice(LANGS), default="en", show_default=True)
@click.option(
    "--number", type=click.IntRange(1), default=100, show_default=True, help="Personas to draw."
)
@click.option("--events-only", is_flag=True, help="Leave out the worksheets.")
@_TAXONOMY
@options
def scenarios(
    lang: Lang,
    number: int,
    events_only: bool,
    taxonomy: str,
    models: Models,
    sampled: Json,
    ways: Json,
    say: Say,
) -> None:
    """Triggering events from a grid of personas, their distortions challenged (CBTLlama 3.1)."""
    default = generate_scenarios.GenerateScenarios("", lang).sampling
    config = generate_scenarios.GenerateScenarios(
        lang=lang,
        number=number,
        challenge=not events_only,
        taxonomy=taxonomy,
        sampling=sampling_of(default, sampled),
        **ways,
    )
    say(config, models, generate_scenarios.stages, generate_scenarios.run)


@command.command("cbtqa", epilog="Example: untwist generate cbtqa posts.jsonl --out made/qa")
@click.argument("sources", nargs=-1, required=True, metavar="FILE...")
@click.option("--exemplars", metavar="FILE", help="Rows as in items.jsonl, one per language.")
@click.option("--gold", metavar="FILE", help="Labelled messages with the ids of the posts.")
@_TAXONOMY
@options
def cbtqa(
    sources: tuple[str, ...],
    exemplars: str | None,
    gold: str | None,
    taxonomy: str,
    models: Models,
    sampled: Json,
    ways: Json,
    say: Say,
) -> None:
    """Answers in five CBT parts to questions with descriptions (CBT-LLM 3.2).

    Rows: {"id"?, "question", "description"?, "lang"?}. The report re-makes the paper's Tables 1 to
    3; the third needs --gold. No model answers a post that speaks of acute danger.
    """
    default = generate_cbtqa.GenerateCbtQa("", sources).sampling
    config = generate_cbtqa.GenerateCbtQa(
        sources=sources,
        exemplars=exemplars,
        gold=gold,
        taxonomy=taxonomy,
        sampling=sampling_of(default, sampled),
        **ways,
    )
    say(config, models, generate_cbtqa.stages, generate_cbtqa.run)


@command.command("chains", epilog="Example: untwist generate chains open --out made/chains")
@click.argument("sources", nargs=-1, required=True, metavar="CORPUS|FILE...")
@_TAXONOMY
@options
def chains(
    sources: tuple[str, ...],
    taxonomy: str,
    models: Models,
    sampled: Json,
    ways: Json,
    say: Say,
) -> None:
    """Two reasoning chains for every labelled message, for an expert to choose (CrossLinCD 3)."""
    default = generate_chains.GenerateChains("", sources).sampling
    config = generate_chains.GenerateChains(
        sources=sources, taxonomy=taxonomy, sampling=sampling_of(default, sampled), **ways
    )
    say(config, models, generate_chains.stages, generate_chains.run)


@command.command(
    "chosen", epilog="Example: untwist generate chosen agreed.jsonl --output chains.jsonl"
)
@click.argument("agreed", metavar="FILE")
@click.option("--output", required=True, metavar="FILE", help="In our own format; new.")
def chosen(agreed: str, output: str) -> None:
    """The chains that experts chose, as exchanges to learn from: a message, then its chain.

    FILE is what `untwist people majority` writes for the page of chains; pairs of which neither was
    good are left out and counted. `untwist data convert` makes tuning files of the result.
    """
    written, left_out = generate_chains.write_chosen(agreed, output)
    click.echo(f"{output}: {written:,} chains; {left_out:,} pairs had none that was good")


@command.command(
    "enhance", epilog="Example: untwist generate enhance talks.jsonl --policy matrix --out replies"
)
@click.argument("sources", nargs=-1, required=True, metavar="CORPUS|FILE...")
@click.option(
    "--policy", default="learned", show_default=True, metavar="learned|matrix|DIR",
    help="Who chooses the strategy.",
)  # fmt: skip
@click.option(
    "--detector", default="fast", show_default=True, metavar="fast|DIR",
    help="Who hears messages without labels.",
)  # fmt: skip
@click.option("--region", metavar="XX", help="Country of the help lines in fixed replies.")
@click.option(
    "--drafts", type=click.IntRange(1), default=3, show_default=True,
    help="Drafts at most before the guard's word stands.",
)  # fmt: skip
@click.option(
    "--review", type=float, default=1.0, show_default=True, metavar="SHARE",
    help="Of the replies, for people to rate.",
)  # fmt: skip
@options
def enhance(
    sources: tuple[str, ...],
    policy: str,
    detector: str,
    region: str | None,
    drafts: int,
    review: float,
    models: Models,
    sampled: Json,
    ways: Json,
    say: Say,
) -> None:
    """Replies that carry out the strategy a policy chose (CoPoLLM 3.3).

    The guard reads every draft. A turn of the highest risk gets the fixed crisis reply, which no
    model writes. review.jsonl holds replies for people to rate: untwist people, page triples.
    """
    default = generate_enhance.GenerateEnhance("", sources).sampling
    config = generate_enhance.GenerateEnhance(
        sources=sources,
        policy=policy,
        detector=detector,
        region=region,
        drafts=drafts,
        review=review,
        sampling=sampling_of(default, sampled),
        **ways,
    )
    say(config, models, generate_enhance.stages, generate_enhance.run)
