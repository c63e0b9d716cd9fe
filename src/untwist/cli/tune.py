"""untwist tune: what stands around the tuning of a language model."""

from __future__ import annotations

import click

from untwist.cli.tune_after import export, merge
from untwist.cli.tune_inspect import inspect_samples
from untwist.cli.tune_launcher import print_launcher


@click.group("tune", epilog="Example: untwist tune merge runs/copollm/adapter merged/copollm")
def command() -> None:
    """Look at tuning samples, merge adapters, hand a run to LLaMA-Factory.

    The tuning itself is `untwist train llm`.
    """


command.add_command(export)
command.add_command(inspect_samples)
command.add_command(print_launcher)
command.add_command(merge)
