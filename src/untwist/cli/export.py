"""untwist export: all that is kept of one person, as a file."""

from __future__ import annotations

import json
from pathlib import Path

import click

from untwist.cli.store import opened, with_database
from untwist.errors import ConfigError, DataError


@click.command("export", epilog="Example: untwist export mine.json")
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--person", metavar="ID", help="Whose; may be left out where there is one person.")
@with_database
def command(target: Path, person: str | None, db: str | None, key_files: tuple[str, ...]) -> None:
    """Write everything that is kept of one person to a file; `untwist import` reads it back.

    The file is readable: it is not sealed, whatever the database is.
    """
    with opened(db, key_files) as store:
        archive = store.export(person or the_one(store)).result()
    try:
        with target.open("x", encoding="utf-8") as file:
            target.chmod(0o600)
            json.dump(archive, file, ensure_ascii=False)
    except FileExistsError as error:
        raise DataError(f"{target} is there already: name a new file") from error
    except OSError as error:
        raise DataError(f"cannot write {target}: {error.strerror}") from error
    talks, records = len(archive["conversations"]), len(archive["records"])
    click.echo(f"{target}: {talks} conversations, {records} records", err=True)


def the_one(store: object) -> str:
    """The only person of a store.

    Raises:
        ConfigError: there is nobody, or more than one.
    """
    names = store.people().result()  # type: ignore[attr-defined]
    if len(names) != 1:
        raise ConfigError(f"{len(names)} people are kept here: say whose with --person ID")
    return str(names[0])
