"""The card of a data set: a README with the head that Hugging Face's library reads."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files

from untwist.data.convert.columns import columns_as_yaml
from untwist.data.convert.exchanges import Task
from untwist.errors import ConfigError

_LICENCE = re.compile(r"[a-z0-9][a-z0-9.+-]*")
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (10**6, "100K<n<1M"))
_ABOUT: dict[Task, tuple[str, str]] = {
    "detect": ("text-classification", "one message, in `text`"),
    "dialogue": ("text-generation", "one conversation, in `messages`"),
}


def require_licence(licence: str | None) -> str:
    """The licence itself, when it can stand in the head of a card.

    Raises:
        ConfigError: there is none, or it is no identifier.
    """
    if not licence or not _LICENCE.fullmatch(licence):
        raise ConfigError('a data set needs a licence: give its identifier, such as "cc-by-4.0"')
    return licence


def card(
    name: str,
    licence: str,
    task: Task,
    parts: Mapping[str, str],
    langs: Sequence[str],
    rows: int,
) -> str:
    """The README of a data set.

    Who labelled the rows is not in them, so the head says "other" and the text asks for it.

    Args:
        name: for people.
        licence: an identifier such as "cc-by-4.0"; "other" when it has none.
        task: what a row holds.
        parts: name of each part and its file.
        langs: languages of the texts.
        rows: how many in all.

    Raises:
        ConfigError: there is no licence, or it is no identifier.
    """
    require_licence(licence)
    kind, row = _ABOUT[task]
    size = next((label for limit, label in _SIZES if rows < limit), "n>1M")
    template = files("untwist.data.convert").joinpath("card.md").read_text(encoding="utf-8")
    values = {
        "LICENCE": json.dumps(licence),
        "LICENCE_NAME": licence,
        "QUOTED_NAME": json.dumps(name, ensure_ascii=False),
        "NAME": name,
        "LANGUAGES": json.dumps(list(langs)),
        "SIZE": json.dumps(size),
        "TASK": kind,
        "ROW": row,
        "ROWS": f"{rows:,}",
        "COLUMNS": columns_as_yaml(task, 2),
        "FILES": "\n".join(
            f"  - split: {part}\n    path: {path}" for part, path in sorted(parts.items())
        ),
    }
    return re.sub(r"\{([A-Z_]+)\}", lambda mark: values[mark[1]], template)
