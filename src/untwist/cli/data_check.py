"""untwist data check: whether files are the known ones, whole, readable, and split cleanly."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click

from untwist.cli.sources import locate_any, reasons, show_progress, source_options
from untwist.data import Entry, Reading, Refusals, known_corpora, load_source, locate_files
from untwist.data.ownparts import load_own_parts, named_by_ids, shared_texts
from untwist.data.registry import require_licence
from untwist.errors import DataError, UntwistError
from untwist.schema import Json

_REFUSED, _LICENCE, _UNREADABLE = "refused", "licence not accepted", "not readable"
_OTHER = "the parts that ship may not fit a file that differs"
_MEND = "mend the refused rows, or go on without them"
_LICENCES = (
    'read each licence at its source ("untwist data show NAME"), then say --accept-licence NAME, '
    "or all"
)


@dataclass(frozen=True, slots=True)
class _Checked:
    """What is known of one source.

    Attributes:
        source: as it was named.
        state: "ok", or what is wrong first.
        files: the known files and the state of each; empty for a file of the user's own.
        rows: that could be read; None when none was tried.
        problem: why it could not be read, and what to do.
    """

    source: str
    state: str
    files: tuple[tuple[str, str], ...] = ()
    rows: int | None = None
    problem: str = ""
    refusals: Refusals = field(default_factory=Refusals)

    def to_dict(self, listed: bool) -> Json:
        """For machines; with the refused rows when asked."""
        row: Json = {
            "corpus": self.source,
            "state": self.state,
            "files": [{"path": path, "state": state} for path, state in self.files],
            "rows": self.rows,
            "refused": len(self.refusals),
            "by_reason": self.refusals.by_reason(),
            "problem": self.problem or None,
        }
        return row | ({"refusals": [str(one) for one in self.refusals]} if listed else {})

    def lines(self, listed: bool) -> Iterator[str]:
        """For people; each reason of refusal with the first place where it holds."""
        state = "ok" if self.state == _REFUSED else self.state
        if self.rows is None:
            yield f"{self.source}: {state}" + ", not read" * (state != _UNREADABLE)
        else:
            yield f"{self.source}: {state}, {self.rows:,} rows, {len(self.refusals)} refused"
        yield from (f"  {path}: {state}" for path, state in self.files if state != "ok")
        if listed:
            yield from (f"  {refusal}" for refusal in self.refusals)
        elif len(self.refusals):
            first = {one.reason: one for one in reversed(list(self.refusals))}
            places = {
                f"{reason} ({first[reason].path}:{first[reason].line})": n
                for reason, n in self.refusals.by_reason().items()
            }
            yield from (f"  {reason}" for reason in reasons(places))
            yield "  (list them with --show-refused)"


@click.command(
    "check",
    epilog="""\b
Examples:
  untwist data check
  untwist data check socialcd --folder ~/corpora --accept-licence socialcd
  untwist data check socialcd=elsewhere/socialcd --accept-licence socialcd
  untwist data check mine.csv --id-column id --show-refused
  untwist data check --parts train=train.csv --parts test=test.csv
""",
)
@click.argument("sources", nargs=-1, metavar="[NAME|FILE]...")
@click.option("--parts", "parts", multiple=True, metavar="PART=FILE",
              help="A file of your own split, once for each part: an id may stand in one only. "
              'Tables are compared by --id-column, else by a column "id".')  # fmt: skip
@click.option("--show-refused", is_flag=True, help="List every refused row with file and line.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@source_options
def check(
    sources: tuple[str, ...],
    parts: tuple[str, ...],
    show_refused: bool,
    as_json: bool,
    how: Reading,
) -> None:
    """Whether files are the known ones and every row can be read; else all that are at hand.

    Says of each corpus which files are missing or differ, how many rows it has, and how many were
    refused for which reason. Exits with 1 when anything is not as it should be.
    """
    if parts and sources:
        raise click.UsageError("give corpora and files, or the --parts of one split, not both")
    if parts:
        _check_parts(_named(parts), how, show_refused, as_json)
        return
    named = sources or _at_hand(how)
    results = []
    for done, source in enumerate(named):
        show_progress("checking", done, len(named))
        results.append(_checked(source, how))
    show_progress("checking", len(named), len(named))
    _say(results, show_refused, as_json)


def _at_hand(how: Reading) -> tuple[str, ...]:
    """The corpora of which a file is there; names the others on stderr."""
    found = locate_any(how)
    others = [name for name in known_corpora() if name not in found]
    if others:
        click.echo(f"not checked, no known file at hand: {', '.join(others)}", err=True)
    return found


def _say(results: Sequence[_Checked], listed: bool, as_json: bool) -> None:
    for one in results:
        text = (
            [json.dumps(one.to_dict(listed), ensure_ascii=False)] if as_json else one.lines(listed)
        )
        for line in text:
            click.echo(line)
    bad = [one for one in results if one.state != "ok"]
    if len(bad) == 1 and bad[0].problem:
        raise click.ClickException(bad[0].problem)
    for one in bad:
        if one.problem and one.state != _LICENCE:
            click.echo(one.problem, err=True)
    if bad:
        many = f"{len(bad)} of {len(results)} are not as they should be"
        what = many if len(results) > 1 else f"{bad[0].source} is not as it should be"
        read = [one for one in bad if one.rows]
        advice = [_OTHER] if any(one.state == "differs" for one in read) else []
        advice += [_MEND] if any(len(one.refusals) for one in bad) else []
        advice += [_LICENCES] if any(one.state == _LICENCE for one in bad) else []
        raise click.ClickException("; ".join([what, *advice]))


def _checked(source: str, how: Reading) -> _Checked:
    name, _, place = source.partition("=")
    entry = known_corpora().get(name)
    files = locate_files(entry, place or how.folder) if entry else ()
    state = _state_of(entry, files, how)
    refusals = Refusals()
    if state == "missing":
        lost = ", ".join(path for path, found in files if found == "missing")
        problem = f"{place or how.folder} lacks {lost}: get it from {entry.source if entry else ''}"
        return _Checked(source, state, files, None, problem)
    try:
        rows = len(load_source(source, how, refusals).dialogues)
    except UntwistError as error:
        known = state if state != "ok" else _UNREADABLE
        return _Checked(source, known, files, None, str(error), refusals)
    if not rows and not len(refusals):
        return _Checked(source, "empty", files, rows, f"{source} holds no rows", refusals)
    if state == "ok" and len(refusals):
        state = _REFUSED
    return _Checked(source, state, files, rows, "", refusals)


def _state_of(entry: Entry | None, files: Sequence[tuple[str, str]], how: Reading) -> str:
    """What is wrong before any row is read."""
    states = {state for _, state in files}
    found = next((state for state in ("missing", "differs") if state in states), "ok")
    if entry and found != "missing":
        try:
            require_licence(entry, how.accept)
        except DataError:
            return _LICENCE
    return found


def _named(parts: Sequence[str]) -> dict[str, str]:
    """The files by part.

    Raises:
        click.UsageError: one is no PART=FILE, or a part is named twice.
    """
    found: dict[str, str] = {}
    for given in parts:
        part, equals, path = given.partition("=")
        if not (part and equals and path):
            raise click.UsageError(f'--parts "{given}": give PART=FILE, such as test=test.csv')
        if part in found:
            raise click.UsageError(f"--parts names {part} twice: give one file a part")
        if Path(path).resolve() in [Path(one).resolve() for one in found.values()]:
            raise click.UsageError(f"--parts names {path} twice: give a file for each part")
        found[part] = path
    if len(found) < 2:
        raise click.UsageError("--parts is given once for each part: name two or more")
    return found


def _check_parts(parts: dict[str, str], how: Reading, listed: bool, as_json: bool) -> None:
    refusals = Refusals()
    dialogues = list(load_own_parts(parts, how, refusals))
    shared = shared_texts(dialogues)
    results = []
    for part, path in parts.items():
        own = Refusals()
        for refusal in refusals:
            if refusal.path == str(Path(path)):
                own.add(refusal)
        rows = sum(dialogue.split == part for dialogue in dialogues)
        state = _REFUSED if len(own) else "ok" if rows else "empty"
        problem = "" if state != "empty" else f"{path} holds no rows"
        results.append(_Checked(f"{part}={path}", state, (), rows, problem, own))
    if not named_by_ids(parts, how):
        click.echo("the rows have no ids: texts are compared, ids are not (--id-column)", err=True)
    for (part, other), n in shared.items():
        if list(parts).index(part) > list(parts).index(other):
            see = f"see untwist data overlap {parts[part]} {parts[other]}"
            click.echo(f"{n:,} texts of {part} are in {other} too: {see}", err=True)
    _say(results, listed, as_json)
