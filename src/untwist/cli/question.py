"""What a language model is asked, as an option of the commands that ask one."""

from __future__ import annotations

import click

DEFAULT_QUESTION = "detect"

question_option = click.option(
    "--question", type=click.Choice([DEFAULT_QUESTION, "names", "reasons"]),
    default=DEFAULT_QUESTION, show_default=True,
    help="What llm:NAME is asked: everything, or what it was tuned on (docs/guides/tuning.md): "
    "the names of labels alone, or reasons and then the names.",
)  # fmt: skip
