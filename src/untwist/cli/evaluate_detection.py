"""untwist evaluate detector, matrix and compare: honest scores of detection."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from untwist.cli.question import DEFAULT_QUESTION, question_option
from untwist.cli.sources import (
    SEED,
    command_line,
    run_folder,
    say_reasons,
    show_progress,
    source_options,
)
from untwist.data import Reading
from untwist.engine import ASKED, load_detector, load_prompted
from untwist.errors import DataError
from untwist.ports import Detector
from untwist.recipes import (
    compare_detectors,
    evaluate_detector,
    evaluate_matrix,
    evaluate_ngrams,
    publish,
)
from untwist.recipes.runfolder import METRICS

if TYPE_CHECKING:
    from untwist.llm.prompts.names import Question

_SHIPPED, _NGRAMS = "fast", "ngrams"
_LEARNT = ("open:train", "open:validation")
_DETECTOR_EXAMPLES = """\b
Examples:
  untwist evaluate detector --corpora open --out local/open
  untwist evaluate detector --corpora socialcd,reframing --folder ~/corpora \\
      --accept-licence all --out local/zero-shot
  untwist evaluate detector --corpora socialcd --accept-licence socialcd \\
      --predictions mine.jsonl --system my-model@1 --trained-on socialcd:train --out local/mine

\b
mine.jsonl, one object a line, ids as in `untwist data split`:
  {"id": "test-1", "labels": ["labeling"]}
  {"id": "test-2", "probabilities": {"labeling": 0.8, "mind_reading": 0.1}}
  {"id": "test-3", "unscored": "the model refused"}
"""


@click.command("detector", epilog=_DETECTOR_EXAMPLES)
@click.option(
    "--detector", "name", default=_SHIPPED, show_default=True, metavar="fast|DIR|llm:NAME|ngrams",
    help="The shipped detector, a model folder, a language model (what is written goes to its "
    "server), or the fixed n-gram model that is trained on each corpus' own train part.",
)  # fmt: skip
@click.option("--predictions", default="", metavar="FILE",
              help="Any system's answers in place of a detector.")  # fmt: skip
@click.option("--system", default="", metavar="NAME", help="Name and version behind them.")
@click.option("--missing", is_flag=True, help="Count rows without an answer as unscored.")
@click.option(
    "--corpora", default="open", show_default=True, metavar="A,B",
    help="Corpora by name (untwist data list), or files of your own.",
)  # fmt: skip
@click.option("--trained-on", default="", metavar="A,B:train",
              help="What the system learnt from: a corpus or a part of one.")  # fmt: skip
@question_option
@click.option("--out", required=True, metavar="DIR", help="Run folder; new or empty.")
@click.option("--seed", default=42, show_default=True, type=SEED, help="Of the intervals.")
@click.option("--json", "as_json", is_flag=True, help="Print the path of metrics.json only.")
@source_options
def detector(
    name: str,
    predictions: str,
    system: str,
    missing: bool,
    corpora: str,
    trained_on: str,
    question: Question,
    out: str,
    seed: int,
    as_json: bool,
    how: Reading,
) -> None:
    """A detector or a file of predictions on labelled corpora, beside trivial baselines.

    Both splits, the system's own thresholds and one from validation, intervals over groups.
    """
    _require_one_system(name, predictions, system, missing)
    named, line = _names(corpora), command_line()
    if name == _NGRAMS:
        run = evaluate_ngrams.EvaluateNgrams(out, named, how, seed=seed, command=line)
        with run_folder(out):
            path = evaluate_ngrams.run(run, show_progress)
        _end(path, as_json)
        return
    own = _LEARNT if name == _SHIPPED and not predictions else ()
    config = evaluate_detector.EvaluateDetector(
        out=out,
        corpora=named,
        reading=how,
        trained_on=_split(trained_on) or own,
        predictions=predictions,
        system=system,
        missing=missing,
        seed=seed,
        command=line,
    )
    found = None if predictions else _asked(name, question)
    with run_folder(out):
        path = evaluate_detector.run(config, found, show_progress)
    _end(path, as_json)


def _asked(name: str, question: Question) -> Detector:
    """The detector of a name; a language model is put the question that is given.

    Raises:
        click.UsageError: a question is given for what is no language model.
    """
    if question == DEFAULT_QUESTION:
        return load_detector(name)
    if not name.startswith(ASKED):
        raise click.UsageError("--question is for --detector llm:NAME")
    return load_prompted(name.removeprefix(ASKED), question=question)


def _require_one_system(name: str, predictions: str, system: str, missing: bool) -> None:
    """Check that what was said fits together.

    Raises:
        click.UsageError: it does not.
    """
    source = click.get_current_context().get_parameter_source("name")
    if predictions and source is not ParameterSource.DEFAULT:
        raise click.UsageError("give --detector or --predictions, one of them")
    if not predictions and (system or missing):
        given = "--system" if system else "--missing"
        raise click.UsageError(f"{given} goes with --predictions: a detector has a name")
    if Path(name).is_file():
        raise click.UsageError(f"{name} is a file: give predictions with --predictions")


@click.command(
    "matrix",
    epilog="Example: untwist evaluate matrix --folder ~/corpora --accept-licence all --out local/m",
)
@click.option(
    "--corpora",
    default="socialcd,reframing,therapist-part,therapist-whole,crosslincd,open",
    show_default="the five of CrossLinCD's paper, and open",
    metavar="A,B",
    help="Corpora by name, or files of your own.",
)
@click.option("--model", type=click.Choice(evaluate_matrix.MODELS), default="ngrams",
              show_default=True, help="The fixed n-gram model, or our own.")  # fmt: skip
@click.option("--out", required=True, metavar="DIR", help="Run folder; new or empty.")
@click.option("--seed", default=42, show_default=True, type=SEED, help="Of the intervals.")
@click.option("--json", "as_json", is_flag=True, help="Print the path of metrics.json only.")
@source_options
def matrix(corpora: str, model: str, out: str, seed: int, as_json: bool, how: Reading) -> None:
    """Train on each corpus, test on each, by both splits: tables and heat maps."""
    config = evaluate_matrix.EvaluateMatrix(
        out=out,
        corpora=_names(corpora),
        reading=how,
        model=model,
        seed=seed,
        command=command_line(),
    )
    with run_folder(out):
        path, _ = evaluate_matrix.run(config, show_progress)
    _end(path, as_json)


@click.command(
    "compare",
    epilog="Example: untwist evaluate compare fast mine.jsonl --corpus open --out local/compare",
)
@click.argument("first", metavar="fast|DIR|FILE")
@click.argument("second", metavar="fast|DIR|FILE")
@click.option("--corpus", default="open", show_default=True, metavar="NAME",
              help="A corpus by name, or a file of your own.")  # fmt: skip
@click.option("--out", required=True, metavar="DIR", help="Run folder; new or empty.")
@click.option("--seed", default=42, show_default=True, type=SEED, help="Of the resamples.")
@click.option("--json", "as_json", is_flag=True, help="Print the path of metrics.json only.")
@source_options
def compare(
    first: str, second: str, corpus: str, out: str, seed: int, as_json: bool, how: Reading
) -> None:
    """Two systems on the same test rows: differences with intervals, by a paired bootstrap.

    A system is the shipped detector, a model folder, or a file of predictions.
    """
    if first == second:
        raise click.UsageError(f"both systems are {first}: name two")
    config = compare_detectors.CompareDetectors(
        out=out, corpus=corpus, reading=how, seed=seed, command=command_line()
    )
    sides = _sides(first, second)
    with run_folder(out):
        path, _ = compare_detectors.run(config, *sides)
    _end(path, as_json)


def _sides(first: str, second: str) -> list[compare_detectors.Side]:
    """Both systems; two that have one name are called by what was typed."""
    sides = [_side(first), _side(second)]
    if sides[0].name == sides[1].name:
        return [
            replace(side, name=typed) for side, typed in zip(sides, (first, second), strict=True)
        ]
    return sides


def _side(name: str) -> compare_detectors.Side:
    if Path(name).is_file():
        return compare_detectors.Side(Path(name).stem, name)
    if name != _SHIPPED and not name.startswith(ASKED) and not Path(name).is_dir():
        raise DataError(f"{name} is neither a file of predictions nor a model folder")
    found = load_detector(name)
    return compare_detectors.Side(found.name, found)


def _names(given: str) -> tuple[str, ...]:
    """The names in a list with commas.

    Raises:
        click.UsageError: there is none.
    """
    names = _split(given)
    if not names:
        raise click.UsageError("--corpora names none: give for example open")
    return names


def _split(given: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in given.split(",") if part.strip())


def _end(path: Path, as_json: bool) -> None:
    _say_refused(path)
    if as_json:
        click.echo(path / METRICS)
        return
    click.echo((path / publish.REPORT).read_text(encoding="utf-8"))
    click.echo(f"with pictures: {path / publish.PAGE}", err=True)


def _say_refused(path: Path) -> None:
    """Say on stderr how many rows of the corpora were refused, as metrics.json has it."""
    refused = json.loads((path / METRICS).read_text(encoding="utf-8"))["refused"]
    by_reason = refused["by_reason"] if isinstance(refused, dict) else {}
    count = refused["count"] if isinstance(refused, dict) else refused
    say_reasons(count, by_reason, " (untwist data check --show-refused lists them)")
