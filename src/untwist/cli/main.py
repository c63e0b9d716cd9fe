"""The command `untwist` and the one place where an error becomes a line and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

import click

from untwist.errors import UntwistError

_COMMANDS = (
    "chat", "check", "data", "detect", "doctor", "evaluate", "export", "generate", "import",
    "people", "protocol", "questionnaire", "referrals", "reply", "screen", "serve", "store",
    "train", "tune", "worksheet",
)  # fmt: skip


class _Commands(click.Group):
    """Loads a command's file when it is called, so that `detect` need not wait for `train`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        # "import" is a word of the language
        module = f"{cmd_name}_" if cmd_name == "import" else cmd_name
        command: click.Command = import_module(f"untwist.cli.{module}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and (not args[0].isascii() or " " in args[0]):
            ctx.fail("name a command before the message, such as: untwist reply TEXT")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            if "unexpected extra argument" in error.message:
                # what stands there may be a message, and a message belongs in no log
                plain = "more words than the command takes: put a message in quotes"
                raise click.UsageError(plain, error.ctx) from None
            raise
        except UntwistError as error:
            raise click.ClickException(str(error)) from error


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog='Example: untwist detect "If it rains tomorrow, everything is ruined"',
)
@click.version_option(package_name="untwist", prog_name="untwist")
def cli() -> None:
    """Hear cognitive distortions in English and Chinese, notice risk, answer with care.

    untwist is a program, not a person, and no substitute for care by people. If someone may be in
    danger now, call the local emergency number, or find a helpline at https://findahelpline.com
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; always ends the process."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    if hasattr(sys.stdin, "reconfigure"):
        sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape")
    cli.main(args=arguments, prog_name="untwist")
