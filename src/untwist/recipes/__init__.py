"""The workshop: one file per reproducible run, the only place where training rooms meet.

Purpose: make every model and every published number again from its inputs.
Takes: a frozen configuration, and whatever the run binds together.
Gives: a run folder: config.toml, manifest.json, metrics.json and what was made.
May import: everything below.
Heavy doors: none.
"""

__all__: list[str] = []
