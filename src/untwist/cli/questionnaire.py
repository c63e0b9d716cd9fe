"""untwist questionnaire: PHQ-9 and GAD-7, asked in the terminal or scored from given answers."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import click

from untwist.cli.chat import Talk
from untwist.cli.rows import io_options, writing
from untwist.data import Failure, Record, read_records
from untwist.data.jsonlines import record_id
from untwist.engine import DEFAULT_POLICY, Engine
from untwist.errors import DataError
from untwist.respond import (
    Instrument,
    Questionnaire,
    Score,
    choice_of,
    instrument_of,
    open_questionnaire,
    questionnaire_words,
    safety_turn,
    score_text,
)
from untwist.safety import help_block, lines, regions, screen
from untwist.schema import Json, Turn, Utterance
from untwist.taxonomy import Risk
from untwist.text import LOCALES, Locale

_EXAMPLES = """\b
Examples:
  untwist questionnaire phq-9
  untwist questionnaire gad-7 --locale zh
  untwist questionnaire phq-9 --answers 1,0,-,2,1,0,0,1,0 --json
  untwist questionnaire phq-9 --input answers.jsonl --output sums.jsonl --keep-going
"""
_LEFT_OUT = ("", "-", "null")
_LEAVING = ("/quit", "/exit", "/q")
_TALKED = "talked"


@click.command("questionnaire", epilog=_EXAMPLES)
@click.argument("name", type=click.Choice([i.value for i in Instrument]))
@click.option(
    "--answers", metavar="0,1,-,…",
    help="Score these answers instead of asking; - is one left out.",
)  # fmt: skip
@click.option("--locale", type=click.Choice(LOCALES), default="en", show_default=True)
@click.option("--region", metavar="XX", help=f"Country for help lines: {', '.join(regions())}.")
@io_options
def command(
    name: str,
    answers: str | None,
    locale: Locale,
    region: str | None,
    source: str | None,
    target: str | None,
    as_json: bool,
    keep_going: bool,
) -> None:
    """PHQ-9 or GAD-7: two weeks in nine or seven questions.

    Asked one by one, or scored from --answers or --input. Rows in: {"id", "answers": [0 to 3, or
    null for one left out], "difficulty"?}. Rows out: {"id", "questionnaire", "answers",
    "difficulty", "missing", "total", "span", "estimate", "bands", "opens_safety", "safety"}. A sum
    is no diagnosis. An answer above 0 to the ninth question of the PHQ-9 opens the crisis reply.
    """
    lines(region)
    form = open_questionnaire(instrument_of(name), locale)
    if answers is not None and source:
        raise click.UsageError("give --answers or --input, not both")
    if source:
        _score_file(form, source, target, keep_going, region)
    elif answers is not None:
        score = Score(form.instrument, tuple(_read(part) for part in answers.split(",")))
        _show(form, score, target, as_json, region)
    elif as_json or target:
        raise click.UsageError("give --answers or --input: --json and --output ask nothing")
    else:
        _Sitting(form, region).sit()


def _read(part: str) -> int | None:
    text = part.strip()
    if text in _LEFT_OUT:
        return None
    if not text.isdecimal():
        raise DataError("--answers takes 0 to 3, with commas between; - is one left out")
    return int(text)


def _show(
    form: Questionnaire, score: Score, target: str | None, as_json: bool, region: str | None
) -> None:
    """One sum, in words or as a row; where the safety path opens, it comes first."""
    if as_json or target:
        with writing(target) as out:
            out.row(_row("1", score, form.locale, region))
        return
    turn = safety_turn(score, form.locale, region)
    if turn is not None:
        click.echo(turn.reply.text + "\n")
    click.echo(score_text(score, form.locale, region))


def _score_file(
    form: Questionnaire, source: str, target: str | None, keep_going: bool, region: str | None
) -> None:
    with writing(target, source) as out:
        for record in read_records(source):
            row = record if isinstance(record, Failure) else _scored(record, form, region)
            if not isinstance(row, Failure):
                out.row(row)
            elif keep_going:
                out.failure(row)
            else:
                raise DataError(f"{source}:{row.line}: {row.message}")


def _scored(record: Record, form: Questionnaire, region: str | None) -> Json | Failure:
    name = str(record.line)
    try:
        name = record_id(record)
        data = {"questionnaire": form.instrument.value, **record.data}
        score = Score.from_dict(data)
        if score.instrument is not form.instrument:
            raise DataError(f"the row is for {score.instrument.value}: score it by that name")
        return _row(name, score, form.locale, region)
    except DataError as error:
        return Failure(record.line, name, str(error))


def _row(name: str, score: Score, locale: Locale, region: str | None) -> Json:
    turn = safety_turn(score, locale, region)
    return {"id": name, **score.to_dict(), "safety": turn.reply.text if turn else None}


@dataclass(frozen=True, slots=True)
class _Said:
    """What was typed to a question.

    Attributes:
        answer: 0 to 3; None when the question was left out, or it is a command.
        command: "/back", "/quit", "talked" after a talk that it led to, or None for an answer.
    """

    answer: int | None = None
    command: str | None = None


@dataclass
class _Sitting:
    """One person answering in the terminal; in memory only."""

    form: Questionnaire
    region: str | None
    given: list[int | None] = field(default_factory=list)

    def sit(self) -> None:
        """Ask, show the sum; whatever speaks of danger comes before the rest."""
        words, form = questionnaire_words(self.form.locale), self.form
        for text in (form.title, words["notice"], words["how"], form.intro):
            click.echo("\n" + text)
        while len(self.given) < len(form.items):
            place = len(self.given)
            said = self._asked(f"{place + 1}/{len(form.items)} {form.items[place]}", form.choices)
            if said.command in ("/quit", _TALKED):
                click.echo(words["stopped"])
                return
            self.given = self.given[:-1] if said.command else [*self.given, said.answer]
        score = Score(form.instrument, tuple(self.given))
        turn = safety_turn(score, form.locale, self.region)
        if turn is not None:
            self._go_on(turn)
            return
        if any(score.answers):
            said = self._asked(form.difficulty, form.difficulty_choices)
            if said.command == _TALKED:
                return
            score = replace(score, difficulty=said.answer)
        click.echo(score_text(score, form.locale, self.region))

    def _asked(self, question: str, choices: Sequence[str]) -> _Said:
        """What was said to a question; other words are screened, then it is asked again."""
        words = questionnaire_words(self.form.locale)
        click.echo("\n" + question)
        click.echo("   " + "   ".join(f"{n} {choice}" for n, choice in enumerate(choices)))
        while True:
            line = _heard()
            if line is None or line.lower() in _LEAVING:
                return _Said(command="/quit")
            if line in _LEFT_OUT:
                return _Said()
            if line == "/back":
                return _Said(command=line)
            if (number := choice_of(line, choices)) is not None:
                return _Said(number)
            if line != "/help" and screen(line).level >= Risk.MEDIUM:
                self._go_on(line)
                return _Said(command=_TALKED)
            if line == "/help":
                click.echo(help_block(self.form.locale, self.region) + "\n")
            click.echo(words["again"].format(low=0, high=len(choices) - 1))

    def _go_on(self, begun: Turn | str) -> None:
        """Nobody is left alone with a question: a talk in which the danger stays remembered.

        It begins with a turn that was spoken already, or with words that are still to be answered,
        and goes on until the person ends it.
        """
        locale = self.form.locale
        engine = Engine.default(
            conversation=True, region=self.region, locale=locale, policy=DEFAULT_POLICY
        )
        talk = Talk(engine, lambda text: click.echo(text + "\n"), locale)
        if isinstance(begun, Turn):
            talk.turns.append(begun)
            reply = Utterance(begun.reply.text, begun.reply.lang, role="assistant")
            talk.history += [begun.assessment.utterance, reply]
            click.echo(begun.reply.text + "\n")
        else:
            talk.hear(begun)
        click.echo(questionnaire_words(locale)["stay"] + "\n")
        while (line := _heard()) is not None:
            if line and not talk.hear(line):
                return


def _heard() -> str | None:
    """A line that was typed, without broken characters; None at the end of the input."""
    try:
        line = input("> " if sys.stdin.isatty() else "")
    except (EOFError, KeyboardInterrupt):
        return None
    return line.encode("utf-8", "ignore").decode("utf-8").replace("\x00", "").strip()
