"""untwist store: keys, backups, checks and erasure, for whoever runs the server."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from untwist.cli.serve import room
from untwist.errors import ConfigError, DataError

_DATABASE = [
    click.option("--db", metavar="URL", help="Database; UNTWIST_DB or this user's file if absent."),
    click.option(
        "--key-file",
        "key_files",
        multiple=True,
        metavar="FILE",
        help="Keys of a sealed database; the first seals. UNTWIST_KEY_FILES if absent.",
    ),
]
_DAY = 86_400


def with_database(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say which database."""
    for wrap in reversed(_DATABASE):
        command = wrap(command)
    return command


def opened(db: str | None, key_files: tuple[str, ...]) -> Any:  # noqa: ANN401
    """The store that options or the environment name."""
    store = room("store")
    settings = settings_of(db, key_files)
    return closing(store.open_store(settings.db, store.read_keys(_paths(settings.key_files))))


def settings_of(db: str | None, key_files: tuple[str, ...]) -> Any:  # noqa: ANN401
    """Settings with a database."""
    rooms = room("settings")
    given = rooms.ServeSettings(db=db or "", key_files=key_files)
    environment = {k: v for k, v in os.environ.items() if not (db and k == "UNTWIST_DB")}
    if key_files:
        environment.pop("UNTWIST_KEY_FILES", None)
    return rooms.with_environment(given, environment)


@click.group("store", epilog="Example: untwist store token --scope operator --label metrics")
def command() -> None:
    """Look after what the server keeps: keys, backups, checks, erasure."""


@command.command("key", epilog="Example: untwist store key > ~/untwist.key")
def key() -> None:
    """A new key for encryption at rest; keep it outside the data folder, and keep a copy.

    Sealing what is there: untwist store reseal --key-file NEW --key-file OLD
    """
    click.echo(room("store").new_key())


@command.command("token", epilog="Example: untwist store token --scope operator --label metrics")
@click.option(
    "--scope",
    type=click.Choice(["person", "clinician", "operator"]),
    default="operator",
    show_default=True,
)
@click.option("--label", default="", help="A name for it, to find it again.")
@click.option("--days", type=click.IntRange(1), help="How long it is good; for ever if absent.")
@with_database
def token(
    scope: str, label: str, days: int | None, db: str | None, key_files: tuple[str, ...]
) -> None:
    """A new key for the API; it is shown once. One for a person makes that person."""
    with opened(db, key_files) as store:
        expires = store.clock() + days * _DAY if days else None
        if scope == "operator":
            _, secret = store.issue("operator", None, label, expires).result()
        else:
            settings = {"name": label} if label else {}
            _, secret = store.new_person(settings, scope, expires).result()
    click.echo(secret)


@command.command("tokens", epilog="Example: untwist store tokens --json")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@with_database
def tokens(as_json: bool, db: str | None, key_files: tuple[str, ...]) -> None:
    """All keys and cookies, without their secrets."""
    with opened(db, key_files) as store:
        for one in store.tokens(None).result():
            row = {
                "id": one.id,
                "scope": one.scope,
                "label": one.label,
                "person": one.person,
                "created": _time(one.created),
                "expires": _time(one.expires) if one.expires else None,
            }
            click.echo(json.dumps(row) if as_json else _row(row))


@command.command("revoke", epilog="Example: untwist store revoke 6f0c...")
@click.argument("token_id")
@with_database
def revoke(token_id: str, db: str | None, key_files: tuple[str, ...]) -> None:
    """Make a key or cookie worthless at once; TOKEN_ID is from untwist store tokens."""
    with opened(db, key_files) as store:
        store.revoke(token_id).result()


@command.command("backup", epilog="Example: untwist store backup /backups/untwist-friday.db")
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@with_database
def backup(target: Path, db: str | None, key_files: tuple[str, ...]) -> None:
    """Copy a SQLite database while the server runs; the copy is checked.

    To restore, stop the server and put the copy in the database's place (its -wal and -shm files
    deleted). PostgreSQL has pg_dump and pg_restore.
    """
    settings = settings_of(db, key_files)
    if not settings.db.startswith("sqlite:///"):
        raise ConfigError("PostgreSQL is backed up by pg_dump --format=custom DATABASE > FILE")
    if target.exists():
        raise DataError(f"{target} is there already: name a new file")
    source = Path(settings.db.removeprefix("sqlite:///"))
    if not source.exists():
        raise DataError(f"there is no database at {source}")
    room("store.store").backup(source, target)
    click.echo(f"{target}: {target.stat().st_size:,} bytes, checked", err=True)


@command.command("check", epilog="Example: untwist store check --json")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@with_database
def check(as_json: bool, db: str | None, key_files: tuple[str, ...]) -> None:
    """Whether the tables can be read with these keys and the audit trail is whole."""
    with opened(db, key_files) as store:
        sealed = store.readable().result()
        broken = store.trail_break().result()
    found = {"readable": sealed, "trail_breaks_at": broken}
    if as_json:
        click.echo(json.dumps(found))
    else:
        click.echo(f"{sealed:,} values can be read")
        click.echo("the audit trail is whole" if broken is None else f"it breaks at {broken}")
    if broken is not None:
        raise DataError(f"the audit trail was changed at entry {broken}: compare a backup")


@command.command(
    "reseal", epilog="Example: untwist store reseal --key-file new.key --key-file old.key"
)
@with_database
def reseal(db: str | None, key_files: tuple[str, ...]) -> None:
    """Write every value with the first key, or readable without one; all of it or nothing."""
    with opened(db, key_files) as store:
        written = store.reseal().result()
        store.scrub()
    click.echo(f"{written:,} values written anew", err=True)


@command.command("retire", epilog="Example: untwist store retire --days 365")
@click.option("--days", type=click.FloatRange(min=0, min_open=True), required=True)
@with_database
def retire(days: float, db: str | None, key_files: tuple[str, ...]) -> None:
    """Erase people who have not come for so many days, and clean the file."""
    erased = 0
    with opened(db, key_files) as store:
        while some := store.retire(days).result():
            erased += some
        store.scrub()
    click.echo(f"{erased:,} people erased", err=True)


@command.command("erase", epilog="Example: untwist store erase --person Zk0v...")
@click.option("--person", required=True, metavar="ID", help="As in untwist store tokens.")
@with_database
def erase(person: str, db: str | None, key_files: tuple[str, ...]) -> None:
    """Erase a person with all that is theirs, in the file, its free pages and its log."""
    with opened(db, key_files) as store:
        store.erase(person).result()
        store.scrub()


@command.command("audit", epilog="Example: untwist store audit --after 1000 > audit.jsonl")
@click.option("--after", type=click.IntRange(0), default=0, show_default=True)
@with_database
def audit(after: int, db: str | None, key_files: tuple[str, ...]) -> None:
    """The audit trail as JSON lines: decisions on safety, reads, exports, erasures; no text."""
    with opened(db, key_files) as store:
        while rows := store.trail(after).result():
            for one in rows:
                after = one.n
                row = {
                    "n": one.n,
                    "at": _time(one.at),
                    "kind": one.kind,
                    "subject": one.subject,
                    "facts": one.facts,
                    "hash": one.hash,
                }
                click.echo(json.dumps(row))


@command.command("referrals", epilog="Example: untwist store referrals > referrals.csv")
@with_database
def referrals(db: str | None, key_files: tuple[str, ...]) -> None:
    """How often people were shown where help is, by month, region and language, as CSV."""
    with opened(db, key_files) as store:
        click.echo("month,region,lang,count")
        for row in store.referral_counts().result():
            click.echo(",".join(map(str, row)))


def _paths(files: tuple[str, ...]) -> list[Path]:
    return [Path(file) for file in files]


def _time(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")


def _row(row: dict[str, Any]) -> str:
    return "  ".join(str(value) for value in row.values() if value not in (None, ""))
