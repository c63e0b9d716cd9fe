"""untwist import: what `untwist export` or the app's export wrote comes back."""

from __future__ import annotations

import json
from pathlib import Path

import click

from untwist.cli.serve import room
from untwist.cli.store import opened, with_database
from untwist.errors import DataError


@click.command("import", epilog="Example: untwist import mine.json")
@click.argument("source", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--person", metavar="ID", help="To whom; somebody new, with a new key, if absent.")
@with_database
def command(source: Path, person: str | None, db: str | None, key_files: tuple[str, ...]) -> None:
    """Put an archive back, all of it or nothing; what is there already stays as it is.

    Prints the key to the person's things when somebody new was made.
    """
    try:
        archive = json.loads(source.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"cannot read {source}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{source} is no JSON file") from error
    if not isinstance(archive, dict):
        raise DataError(f"{source} is no archive of untwist")
    with opened(db, key_files) as store:
        secret = None
        if person is None:
            made, secret = store.new_person({}).result()
            person = made.id
        try:
            done = store.restore(person, room("arriving").read(archive)).result()
        except DataError:
            if secret is not None:
                store.erase(person).result()
            raise
    click.echo(
        f"{done.conversations} conversations and {done.records} records came back, "
        f"{done.known} were here already",
        err=True,
    )
    if secret is not None:
        click.echo(secret)
