"""What every `untwist generate` is told and tells: options, estimates, progress, the last line."""

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
from untwist.llm import Prices, ScriptedModel
from untwist.recipes.generate_estimate import Estimate, estimate
from untwist.recipes.generate_settings import Config, Gated, Given, Models, Named, Running, Stages
from untwist.recipes.generate_stages import Generated, Show, Shown
from untwist.schema import Json

F = TypeVar("F", bound=Callable[..., Any])
CACHE = "answers.sqlite"
"""The file of a run folder that keeps the models' answers."""


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


def options(command: F) -> F:
    """What every pipeline is told; arrives as `models`, `sampled`, `ways` and `say`."""

    @wraps(command)
    def wrapped(how: Reading, **given: Any) -> Any:  # noqa: ANN401
        taken = {name: given.pop(name) for name in _NAMES}
        say = Say(taken["as_json"], taken["only_estimate"], taken["prices"])
        ways = {
            "out": taken["out"],
            "gated": Gated(taken["against"], not taken["keep_leaks"], not taken["keep_repeats"]),
            "reading": how,
            "running": _running(taken),
            "command": command_line(),
        }
        named = _nobody(taken) if taken["only_estimate"] else _named(taken)
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


def _named(taken: Json) -> Models:
    cache = taken["cache"] or str(Path(taken["out"]) / CACHE)
    return Named(taken["names"], taken["models_file"], cache)


def _nobody(taken: Json) -> Models:
    """As many models as were named, of which none is asked: an estimate needs no server."""
    return Given(tuple(ScriptedModel((), name) for name in taken["names"] or ("",)))


def _sampled(taken: Json) -> Json:
    """The settings of sampling that were said; the rest is the pipeline's own."""
    names = ("temperature", "max_tokens", "seed", "attempts")
    return {name: taken[name] for name in names if taken[name] is not None}


class Say:
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
        """Run a recipe, or only estimate it.

        Args:
            config: of the recipe.
            models: whom to ask.
            stages: what it would ask about.
            run: the recipe.

        Raises:
            UntwistError: an item failed, or the run was stopped.
        """
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


def sampling_of(default: Sampling, sampled: Json) -> Sampling:
    """The pipeline's own settings of sampling with those that were said."""
    return Sampling(**{**asdict(default), **sampled})
