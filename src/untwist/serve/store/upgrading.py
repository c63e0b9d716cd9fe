"""Bringing the tables up to date with Alembic; imported only where they are not."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from untwist.errors import StoreError

_LOCK = 7_300_420


def bring(engine: Engine) -> None:
    """Bring the tables to this program's layout; one process does it, others wait.

    Raises:
        StoreError: "version" when a newer program wrote the file, "corrupt" when it is no database
            of ours.
    """
    settings = Config()
    settings.set_main_option("script_location", str(_folder()))
    try:
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            _must_be_known(connection, settings)
            settings.attributes["connection"] = connection
            command.upgrade(settings, "head")
    except (SQLAlchemyError, CommandError) as error:
        said = str(getattr(error, "orig", error)).lower()
        if "locked" in said or "connect" in said:
            raise StoreError(
                "the database cannot be reached, or another holds it", "busy"
            ) from error
        raise StoreError(
            "this is no usable database of untwist: name another file, or restore a backup",
            "corrupt",
        ) from error


def _must_be_known(connection: Connection, settings: Config) -> None:
    found = MigrationContext.configure(connection).get_current_revision()
    known = {step.revision for step in ScriptDirectory.from_config(settings).walk_revisions()}
    if found is not None and found not in known:
        raise StoreError(
            "a newer untwist wrote this database: install that version, or restore an older backup",
            "version",
        )


def _folder() -> Path:
    return Path(str(files("untwist.serve.store").joinpath("migrations")))
