"""The layout of the tables, brought up to date before anything is read; never back."""

from __future__ import annotations

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

NEWEST = "0001"
"""The layout that this program reads and writes: the last step in migrations/versions."""


def upgrade(engine: Engine) -> None:
    """Bring the tables to this program's layout; one process does it, others wait.

    Raises:
        StoreError: "version" when a newer program wrote the file, "corrupt" when it is no database
            of ours.
    """
    if layout(engine) != NEWEST:
        # what changes tables takes 15 MB, and almost no start needs it
        from untwist.serve.store.upgrading import bring

        bring(engine)


def layout(engine: Engine) -> str | None:
    """The layout that is there; None where it cannot be told."""
    try:
        with engine.connect() as connection:
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalars()
            return str(found.one())
    except SQLAlchemyError:
        return None
