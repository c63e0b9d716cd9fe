"""What libraries say to each other and not to whoever tunes is left unsaid."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_old_names() -> Iterator[None]:
    """Without peft's and transformers' talk about the old name of activation checkpointing."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*checkpointing.* is deprecated", FutureWarning)
        yield
