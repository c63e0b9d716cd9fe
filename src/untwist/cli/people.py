"""untwist people: annotators label, choose and judge in Label Studio; gates, majority, queue."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import click
import numpy as np

from untwist.cli.sources import SEED, command_line, run_folder, say_refused, show_progress
from untwist.cli.sources import source_options as _source_options
from untwist.data import Reading, Refusals
from untwist.data.convert.files import created, require_new
from untwist.data.labelstudio import (
    PAGES,
    TASKS,
    Page,
    Server,
    config,
    read_round,
    write_round,
    write_tasks,
)
from untwist.evaluate import table_markdown
from untwist.recipes import people, people_gate, people_votes
from untwist.schema import Json
from untwist.taxonomy import LANGS, Lang

XML = "page.xml"
_PRESETS: dict[str, Json] = {
    "crosslincd": {"measure": "cohen", "at_least": 0.8551, "items": 50, "annotators": 2},
    "copollm": {"measure": "fleiss", "at_least": 0.7, "items": 100, "annotators": 3},
}
"""The joint samples of the papers, and what they reached before the whole annotation started."""

_LANG = click.option("--lang", type=click.Choice(LANGS), default="en", show_default=True,
                     help="Of headings and values.")  # fmt: skip
_PAGE = click.option("--page", type=click.Choice(PAGES), default="turns", show_default=True,
                     help="Labels of messages, choice of chains, or reward triples.")  # fmt: skip
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_REFUSED = click.option("--show-refused", is_flag=True, help="List what was refused.")
_URL = click.option("--url", metavar="URL", envvar="UNTWIST_LABEL_STUDIO_URL", show_envvar=True,
                    help="Of Label Studio, such as http://127.0.0.1:8080.")  # fmt: skip
TOKEN = "UNTWIST_LABEL_STUDIO_TOKEN"
"""The environment's name for the access token; on a command line others would see it."""

_EXAMPLES = """\b
Examples:
  export UNTWIST_LABEL_STUDIO_URL=http://127.0.0.1:8080 UNTWIST_LABEL_STUDIO_TOKEN=...
  untwist people push mine.jsonl --first 50 --copies 2 --title "Joint sample"
  untwist people pull 1 2 --out joint
  untwist people gate joint --like crosslincd
  untwist people push mine.jsonl --project 1 --project 2
  untwist people pull 1 2 --out all
  untwist people majority all --out agreed.jsonl
  untwist people queue all --out queue
"""


@click.group("people", epilog=_EXAMPLES)
def command() -> None:
    """People label, choose and judge in Label Studio; what they agree on becomes data."""


def _server(url: str | None) -> Server:
    if not url:
        raise click.UsageError("name the server with --url or UNTWIST_LABEL_STUDIO_URL")
    token = os.environ.get(TOKEN, "")
    if not token:
        raise click.UsageError(f"no access token: put it into the environment as {TOKEN}")
    return Server(url, token)


@command.command("config", epilog="Example: untwist people config --page turns --lang zh")
@_PAGE
@_LANG
@click.option("--adjudication", is_flag=True, help="Show what the annotators said.")
def _config(page: Page, lang: Lang, adjudication: bool) -> None:
    """The XML of a labelling page, for Label Studio's Labeling Interface, Code.

    turns: distortions, evidence, intensity, risk and why, per message of the person. chains: which
    of two chains of reasoning is better. triples: does a reply's strategy match, is its strength
    right, is risk handled.
    """
    click.echo(config(page, lang, adjudication=adjudication), nl=False)


@command.command(
    "push",
    epilog="""\b
Examples:
  untwist people push open --first 50 --copies 2 --title "Joint sample"
  untwist people push open --project 3 --project 4 --deal
  untwist people push pairs.jsonl --page chains --lang zh --title Chains
  untwist people push mine.jsonl --to tasks
  untwist people push queue --queue --title Adjudication
""",
)
@click.argument("source", metavar="NAME|FILE|DIR")
@_PAGE
@_LANG
@click.option("--title", default="untwist", show_default=True, metavar="TEXT",
              help="Of a new project.")  # fmt: skip
@click.option("--project", "projects", multiple=True, type=int, metavar="N",
              help="A project that is there already; one or more.")  # fmt: skip
@click.option("--copies", default=1, show_default=True, type=click.IntRange(1),
              help="So many new projects, one for each annotator.")  # fmt: skip
@click.option("--overlap", default=1, show_default=True, type=click.IntRange(1),
              help="How many annotate each task of one new project that they share.")  # fmt: skip
@click.option("--deal", is_flag=True, help="Each task to one of the projects, in turn.")
@click.option("--first", type=click.IntRange(1), metavar="N",
              help="Only a joint sample of so many, drawn with --seed.")  # fmt: skip
@click.option("--seed", default=42, show_default=True, type=SEED, help="Of the sample.")
@click.option("--predictions", is_flag=True, help="Annotators start from the labels of the source; "
              "not where agreement is measured.")  # fmt: skip
@click.option("--unlabelled", is_flag=True, help="Only messages without labels in the source.")
@click.option("--queue", is_flag=True, help="The source is the folder of a queue.")
@click.option("--to", metavar="DIR", help="Write the tasks and the page here; call no server.")
@_REFUSED
@_JSON
@_URL
@_source_options
def _push(
    source: str,
    page: Page,
    lang: Lang,
    title: str,
    projects: tuple[int, ...],
    copies: int,
    overlap: int,
    deal: bool,
    first: int | None,
    seed: int,
    predictions: bool,
    unlabelled: bool,
    queue: bool,
    to: str | None,
    show_refused: bool,
    as_json: bool,
    url: str | None,
    how: Reading,
) -> None:
    """Send tasks to Label Studio, into new projects or known ones; never a task twice.

    turns: a corpus, or a file of texts. chains: rows {"id", "text", "labels", "candidates": [chain,
    chain]}. triples: rows as of `untwist evaluate judge`. Names and numbers are replaced by marks
    before anything is sent; labels stay behind.
    """
    refusals = Refusals()
    if queue:
        tasks = people.read_tasks(source)
    else:
        tasks = people.make_tasks(
            page, source, how, lang, refusals, predictions=predictions, unlabelled=unlabelled
        )
    say_refused(refusals, show_refused)
    if first:
        tasks = tasks.sample(first, np.random.default_rng(seed))
    left = {"redacted": tasks.redacted, "left_out": dict(tasks.left_out), "refused": len(refusals)}
    if to:
        _write(list(tasks.rows), config(tasks.page, lang, adjudication=queue), Path(to))
        _say(left | {"tasks": len(tasks.rows), "folder": to}, as_json)
        return
    server = _server(url)
    numbers = projects or people.open_projects(
        server, title, tasks.page, lang, copies=copies, overlap=overlap, adjudication=queue,
        predictions=predictions,
    )  # fmt: skip
    done = people.push(server, numbers, tasks, deal=deal, progress=show_progress)
    sent = {str(number): count for number, count in done.projects.items()}
    _say(left | {"projects": sent, "there_already": done.there_already}, as_json)


@command.command(
    "pull",
    epilog="""\b
Examples:
  untwist people pull 3 4 --out round
  untwist people pull export-a.json export-b.json --out round
""",
)
@click.argument("sources", nargs=-1, required=True, metavar="N|FILE...")
@click.option("--out", required=True, metavar="DIR", help="For tasks.json and answers.jsonl; new.")
@_REFUSED
@_JSON
@_URL
def _pull(
    sources: tuple[str, ...],
    out: str,
    show_refused: bool,
    as_json: bool,
    url: str | None,
) -> None:
    """Fetch what annotators said, from projects by number or from exported JSON files.

    Annotators are known by number alone. What was skipped, contradicts itself or cannot be read is
    refused, with its place.
    """
    refusals = Refusals()
    if all(source.isdecimal() for source in sources):
        found = people.pull(_server(url), [int(one) for one in sources], refusals)
    else:
        found = people.pull_files(sources, refusals)
    say_refused(refusals, show_refused)
    write_round(found, out)
    counts = {by: sum(one.by == by for one in found.said) for by in found.annotators}
    _say({"folder": out, "page": found.page, "items": len(found.tasks), "annotators": counts,
          "refused": len(refusals)}, as_json)  # fmt: skip


@command.command(
    "gate",
    epilog="""\b
Examples:
  untwist people gate joint --like crosslincd
  untwist people gate joint --measure alpha --at-least 0.667 --items 100 --out report
""",
)
@click.argument("source", metavar="DIR")
@click.option("--like", type=click.Choice(sorted(_PRESETS)), help="What a paper asked for; what is "
              "also given goes before it.")  # fmt: skip
@click.option("--measure", type=click.Choice(["cohen", "fleiss", "alpha"]),
              help="What is looked at; fleiss if nothing is said.")  # fmt: skip
@click.option("--at-least", type=float, help="What it must reach on every facet; else 0.7.")
@click.option("--items", type=click.IntRange(1), help="That all must have judged; else 50.")
@click.option("--annotators", type=click.IntRange(2), help="How many there must be; else 2.")
@click.option("--every", type=float, help="What each label against the rest must reach, too.")
@click.option("--sure", is_flag=True, help="The lower end of the 95 % interval must reach it; not "
              "with cohen.")  # fmt: skip
@click.option("--on", multiple=True, metavar="FACET", help="Facets that count: labels, intensity, "
              "risk; choice; match, adequacy, risk. Else all of the page.")  # fmt: skip
@click.option("--by", multiple=True, metavar="N", help="Annotators that count; else all.")
@click.option("--out", default="", metavar="DIR", help="Run folder of the report; new or empty.")
@click.option("--seed", default=42, show_default=True, type=SEED, help="Of the intervals.")
@_JSON
def _gate(
    source: str,
    like: str | None,
    sure: bool,
    on: tuple[str, ...],
    by: tuple[str, ...],
    out: str,
    seed: int,
    as_json: bool,
    **asked: object,
) -> None:
    """Whether annotators agree well enough to go on; exit 0 when they do, 1 when they do not.

    Prints Cohen's kappa (one label against the rest), Fleiss' and Krippendorff's alpha with
    intervals, and beside them how common each label is, for kappa depends on it.
    """
    wanted: Json = dict(_PRESETS.get(like or "", {}))
    wanted |= {name: value for name, value in asked.items() if value is not None}
    settings = people_gate.PeopleGate(
        folder=source, sure=sure, on=on, by=by, out=out, seed=seed, command=command_line(), **wanted
    )
    if out:
        with run_folder(out):
            metrics, chapters = people_gate.run(settings)
    else:
        metrics, chapters = people_gate.run(settings)
    if as_json:
        click.echo(json.dumps(metrics, ensure_ascii=False))
    else:
        for chapter in chapters:
            blocks = (*chapter.paragraphs, *(table_markdown(t, 3) for t in chapter.tables))
            click.echo("\n\n".join((f"## {chapter.title}", *blocks)) + "\n")
    if not metrics["open"]:
        click.echo(f"the gate is shut: {len(metrics['obstacles'])} reasons", err=True)
        raise click.exceptions.Exit(1)


_VOTES = click.option("--votes", default=2, show_default=True, type=click.IntRange(1),
                      help="How many must have judged an item.")  # fmt: skip
_ADJUDICATED = click.option("--adjudicated", metavar="DIR", help="Round in which a senior reader "
                            "judged what was disputed.")  # fmt: skip


@command.command(
    "majority",
    epilog="""\b
Examples:
  untwist people majority round --out agreed.jsonl
  untwist people majority round --adjudicated senior --out final.jsonl
""",
)
@click.argument("source", metavar="DIR")
@click.option("--out", required=True, metavar="FILE", help="JSON Lines; new.")
@_VOTES
@_ADJUDICATED
@_JSON
def _majority(source: str, out: str, votes: int, adjudicated: str | None, as_json: bool) -> None:
    """Write what more than half of the annotators said; what has no majority is left to the queue.

    One vote for high risk is never outvoted: it goes to the queue. A span is what more than half of
    those who marked words for its label marked.
    """
    found = _settled(source, votes, adjudicated)
    rows = people_votes.write_agreed(found, out)
    _say(found.counts() | {"rows": rows, "file": out}, as_json)


@command.command("queue", epilog="Example: untwist people queue round --out queue --lang zh")
@click.argument("source", metavar="DIR")
@click.option("--out", required=True, metavar="DIR", help="For tasks.json and page.xml; new.")
@_LANG
@_VOTES
@_ADJUDICATED
@_JSON
def _queue(
    source: str, out: str, lang: Lang, votes: int, adjudicated: str | None, as_json: bool
) -> None:
    """Write what annotators could not settle as tasks for a senior reader.

    They show what each annotator said, under letters. Send them with `untwist people push DIR
    --queue`, or import them by hand.
    """
    found = _settled(source, votes, adjudicated)
    tasks = people_votes.queue(found, lang)
    if tasks:
        _write(tasks, config(found.round.page, lang, adjudication=True), Path(out))
    _say(found.counts() | {"folder": out if tasks else None}, as_json)


def _write(tasks: list[Json], xml: str, folder: Path) -> None:
    """Tasks and the page they are for, to be imported by hand."""
    require_new(folder / TASKS, folder / XML)
    write_tasks(tasks, folder / TASKS)
    with created(folder / XML) as file:
        file.write(xml)


def _settled(folder: str, votes: int, adjudicated: str | None) -> people_votes.Majority:
    senior = read_round(adjudicated) if adjudicated else None
    return people_votes.settle(read_round(folder), votes, senior)


def _say(values: Mapping[str, object], as_json: bool) -> None:
    """What was done, as one object or as lines."""
    if as_json:
        click.echo(json.dumps(values, ensure_ascii=False))
        return
    for name, value in values.items():
        shown = value
        if isinstance(value, dict):
            shown = "; ".join(f"{key}: {count}" for key, count in value.items())
        if shown not in ("", None):
            click.echo(f"{name.replace('_', ' ')}: {shown}")
