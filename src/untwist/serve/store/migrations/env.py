"""Run by Alembic with a connection that `untwist.serve.store.migrate` has opened."""

from alembic import context

from untwist.serve.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
