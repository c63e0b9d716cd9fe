"""untwist generate: synthetic data with any model, resumable, with provenance."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from untwist.cli.sources import SEED, command_line, corpus_options, say_reasons
from untwist.cluster import Engine
from untwist.data import Reading
from untwist.errors import UntwistError
from untwist.generate import Sampling
from untwist.llm import Prices
from untwist.recipes import (
    generate_annotate,
    generate_cbtqa,
    generate_chains,
    generate_enhance,
    generate_scenarios,
)
from untwist.recipes.generate_run import (
    Config,
    Estimate,
    Gated,
    Generated,
    Models,
    Named,
    Running,
    Show,
    Shown,
    Stages,
    estimate,
)
from untwist.schema import Json
from untwist.taxonomy import LANGS, Lang

F = TypeVar("F", bound=Callable[..., Any])
CACHE = "answers.sqlite"
"""The file of a run folder that keeps the models' answers."""

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


_MODELS = (
    click.option("--out", required=True, metavar="DIR", help="Run folder; gone on with if there."),
    click.option(
        "--model", "names", multiple=True, metavar="NAME",
        help="Whom to ask; several take turns, or vote. Else UNTWIST_LLM_MODEL.",
    ),
    click.option("--models", "models_file", metavar="FILE.toml", help="What the names mean."),
    click.option("--temperature", type=float, metavar="T", help="Of sampling, 0 to 2."),
    click.option("--max-tokens", type=click.IntRange(1), metavar="N", help="Of one answer."),
    click.option("--seed", type=SEED, default=42, show_default=True, help="Of all chance."),
    click.option(
        "--attempts", type=click.IntRange(1), metavar="N",
        help="How often an answer that cannot be read is asked for.",
    ),
    click.option("--cache", metavar="FILE", help="Answers that are kept; DIR/answers.sqlite."),
)  # fmt: skip
_RUNNING = (
    click.option(
        "--concurrency", type=click.IntRange(1), default=8, show_default=True, help="Items at once."
    ),
    click.option(
        "--engine", type=click.Choice(["local", "ray"]), default="local", show_default=True,
        help="This process, or Ray.",
    ),
    click.option(
        "--workers", type=click.IntRange(0), default=0, metavar="N",
        help="Processes on Ray; 0 is one per core.",
    ),
    click.option(
        "--again", multiple=True, metavar="REASON",
        help="Try items again that failed for this reason; all for every one.",
    ),
    click.option(
        "--patience", type=click.IntRange(0), default=50, show_default=True, metavar="N",
        help="Failures in a row that stop the run; 0 never stops it.",
    ),
    click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the first N sources."),
    click.option(
        "--against", multiple=True, metavar="NAME|FILE",
        help="A test set that nothing may leak into, beside those that ship.",
    ),
    click.option("--keep-leaks", is_flag=True, help="Write what stands in a test set too."),
    click.option("--keep-repeats", is_flag=True, help="Write near-duplicates too."),
    click.option("--estimate", "only_estimate", is_flag=True, help="Count and guess; ask nothing."),
    click.option(
        "--prices", type=float, nargs=2, metavar="ASKED ANSWERED",
        help="Of a million tokens, for --estimate.",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
)  # fmt: skip


def _options(command: F) -> F:
    """What every pipeline is told; arrives as `how`, `models`, `ways` and `say`."""

    @wraps(command)
    def wrapped(how: Reading, **given: Any) -> Any:  # noqa: ANN401
        taken = {name: given.pop(name) for name in _NAMES}
        say = _Say(taken["as_json"], taken["only_estimate"], taken["prices"])
        ways = {
            "out": taken["out"],
            "gated": Gated(taken["against"], not taken["keep_leaks"], not taken["keep_repeats"]),
            "reading": how,
            "running": _running(taken),
            "command": command_line(),
        }
        named = Named(taken["names"], taken["models_file"], _cache(taken))
        return command(models=named, sampled=_sampled(taken), ways=ways, say=say, **given)

    made: Any = corpus_options(wrapped)
    for option in reversed((*_MODELS, *_RUNNING)):
        made = option(made)
    return made  # type: ignore[no-any-return]


_NAMES = (
    "out", "names", "models_file", "temperature", "max_tokens", "seed", "attempts", "cache",
    "concurrency", "engine", "workers", "again", "patience", "limit", "against", "keep_leaks",
    "keep_repeats", "only_estimate", "prices", "as_json",
)  # fmt: skip


def _running(taken: Json) -> Running:
    engine: Engine = taken["engine"]
    return Running(
        taken["concurrency"],
        engine,
        taken["workers"],
        taken["again"],
        taken["patience"] or None,
        taken["limit"],
    )


def _cache(taken: Json) -> str | None:
    if taken["only_estimate"]:
        return None
    return taken["cache"] or str(Path(taken["out"]) / CACHE)


def _sampled(taken: Json) -> Json:
    """The settings of sampling that were said; the rest is the pipeline's own."""
    names = ("temperature", "max_tokens", "seed", "attempts")
    return {name: taken[name] for name in names if taken[name] is not None}


class _Say:
    """Runs a recipe or its estimate, and tells a person or a machine how it went."""

    def __init__(self, as_json: bool, only: bool, prices: tuple[float, float] | None) -> None:
        self._as_json, self._only = as_json, only
        self._prices = Prices(*prices) if prices else None

    def __call__(
        self,
        config: Config,
        models: Models,
        stages: Callable[[Any], Stages],
        run: Callable[[Any, Models, Show], Generated],
    ) -> None:
        if self._only:
            self._estimates(estimate(config, stages(config), models, self._prices))
            return
        # a model that nobody described is told before a folder is made
        _ = models.names
        done = run(config, models, _show)
        if self._as_json:
            told = {"folder": str(done.folder), "ok": done.ok, **done.metrics}
            click.echo(json.dumps(told, ensure_ascii=False))
        else:
            click.echo(f"{done.folder}: {done.line}")
            unread = done.metrics["unread"]
            say_reasons(unread["count"], unread["by_reason"], "")
            for moment, key in (("before any call", "refused_before"), ("after", "refused")):
                for why, n in done.metrics[key].items():
                    click.echo(f"refused {moment}: {why} {n:,}")
        if not done.ok:
            raise UntwistError(
                "some items were not made: see failed.jsonl, and go on with --again REASON"
            )

    def _estimates(self, found: list[Estimate]) -> None:
        if self._as_json:
            click.echo(json.dumps([asdict(one) for one in found], ensure_ascii=False))
            return
        for one in found:
            cost = "" if one.cost is None else f", cost at most {one.cost:,.2f}"
            click.echo(
                f"{one.stage}: {one.items:,} items, {one.questions:,} questions, about "
                f"{one.prompt_tokens:,} tokens asked, at most {one.completion_tokens:,} "
                f"answered{cost}"
            )


def _show(shown: Shown) -> None:
    """One line on a terminal: how far, how many failed, how long still, and what it cost."""
    if not sys.stderr.isatty():
        return
    left = "" if shown.left is None else f", {_time(shown.left)} left"
    cost = "" if shown.cost is None else f", cost {shown.cost:,.4f}"
    failed = f", {shown.failed:,} failed" if shown.failed else ""
    line = f"{shown.stage}: {shown.done:,}/{shown.total:,}{failed}{left}{cost}"
    click.echo(f"\r{line:<78}", nl=shown.done == shown.total, err=True)


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _sampling(default: Sampling, sampled: Json) -> Sampling:
    return Sampling(**{**asdict(default), **sampled})


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
@_options
def annotate(
    sources: tuple[str, ...],
    samples: int,
    sift: bool,
    taxonomy: str,
    models: Models,
    sampled: Json,
    ways: Json,
    say: _Say,
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
        sampling=_sampling(Sampling(), sampled),
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
@_options
def scenarios(
    lang: Lang,
    number: int,
    events_only: bool,
    taxonomy: str,
    models: Models,
    sampled: Json,
    ways: Json,
    say: _Say,
) -> None:
    """Triggering events from a grid of personas, their distortions challenged (CBTLlama 3.1)."""
    default = generate_scenarios.GenerateScenarios("", lang).sampling
    config = generate_scenarios.GenerateScenarios(
        lang=lang,
        number=number,
        challenge=not events_only,
        taxonomy=taxonomy,
        sampling=_sampling(default, sampled),
        **ways,
    )
    say(config, models, generate_scenarios.stages, generate_scenarios.run)


@command.command("cbtqa", epilog="Example: untwist generate cbtqa posts.jsonl --out made/qa")
@click.argument("sources", nargs=-1, required=True, metavar="FILE...")
@click.option("--exemplars", metavar="FILE", help="Rows as in items.jsonl, one per language.")
@click.option("--gold", metavar="FILE", help="Labelled messages with the ids of the posts.")
@_TAXONOMY
@_options
def cbtqa(
    sources: tuple[str, ...],
    exemplars: str | None,
    gold: str | None,
    taxonomy: str,
    models: Models,
    sampled: Json,
    ways: Json,
    say: _Say,
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
        sampling=_sampling(default, sampled),
        **ways,
    )
    say(config, models, generate_cbtqa.stages, generate_cbtqa.run)


@command.command("chains", epilog="Example: untwist generate chains open --out made/chains")
@click.argument("sources", nargs=-1, required=True, metavar="CORPUS|FILE...")
@_TAXONOMY
@_options
def chains(
    sources: tuple[str, ...],
    taxonomy: str,
    models: Models,
    sampled: Json,
    ways: Json,
    say: _Say,
) -> None:
    """Two reasoning chains for every labelled message, for an expert to choose (CrossLinCD 3)."""
    default = generate_chains.GenerateChains("", sources).sampling
    config = generate_chains.GenerateChains(
        sources=sources, taxonomy=taxonomy, sampling=_sampling(default, sampled), **ways
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
@_options
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
    say: _Say,
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
        sampling=_sampling(default, sampled),
        **ways,
    )
    say(config, models, generate_enhance.stages, generate_enhance.run)
