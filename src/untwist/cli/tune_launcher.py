"""untwist tune launcher: how several GPUs share the work, as accelerate's configuration."""

from __future__ import annotations

import click

from untwist.tune import launcher, launcher_names


@click.command(
    "launcher",
    epilog="""\b
Examples:
  untwist tune launcher ddp --processes 4 > ddp.yaml
  accelerate launch --config_file ddp.yaml -m untwist train llm copollm \\
      --model Qwen/Qwen3-8B --data open-dialogues --out runs/copollm
""",
)
@click.argument("name", type=click.Choice(launcher_names()))
@click.option(
    "--processes", default=2, show_default=True, type=click.IntRange(2), help="One for each GPU."
)
def print_launcher(name: str, processes: int) -> None:
    """Print a configuration for `accelerate launch`.

    ddp keeps the whole model in every process; fsdp and zero3 share it out, for models that one
    GPU cannot hold, and go with 16 bits only. The steps are the same with any of them: the loss
    is normalised over all processes.
    """
    click.echo(launcher(name, processes), nl=False)
