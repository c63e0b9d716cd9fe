"""untwist serve: the app and the API on this machine."""

from __future__ import annotations

import os
import webbrowser
from dataclasses import replace
from importlib import import_module
from typing import Any

import click

from untwist.errors import ConfigError, MissingExtra
from untwist.recipes import config

_EXAMPLES = """\b
Examples:
  untwist serve
  untwist serve --port 9000 --region GB --open
  untwist serve --config serve.toml --workers 2

\b
serve.toml:
  db = "postgresql+psycopg://untwist@localhost/untwist"
  retention_days = 90
  [limits]
  message = 5000
"""


@click.command("serve", epilog=_EXAMPLES)
@click.option("--config", "path", metavar="FILE", help="Settings as TOML; options go before them.")
@click.option("--host", help="Where to listen.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65_535), help="Where to listen.  [default: 8000]")
@click.option("--db", metavar="URL", help="Database; a file of this user if absent.")
@click.option("--region", metavar="XX", help="Country whose help lines are shown.")
@click.option("--llm", metavar="NAME", help="A language model as for reply --responder llm:NAME.")
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True)
@click.option("--open", "browse", is_flag=True, help="Open the page in the browser.")
def command(path: str | None, workers: int, browse: bool, **given: Any) -> None:  # noqa: ANN401
    """Open a calm page for one person, and an API for programs; on this machine alone by default.

    What is written stays in one file of this user (see untwist serve --help for --db); nothing is
    sent anywhere. Stop with Ctrl-C.
    """
    serve = room("settings")
    settings = config.read_config(serve.ServeSettings, path) if path else serve.ServeSettings()
    settings = serve.with_environment(settings, os.environ)
    settings = replace(
        settings, **{key: value for key, value in given.items() if value is not None}
    )
    if settings.port == 0 and workers > 1:
        raise ConfigError("several workers need a port of their own choice: give --port")
    server = room("main")
    address = f"http://{settings.host}:{settings.port}/"
    click.echo(f"untwist is at {settings.origin or address} (Ctrl-C stops it)", err=True)
    if browse:
        webbrowser.open(settings.origin or address)
    server.run(settings, os.environ, workers)


def room(module: str) -> Any:  # noqa: ANN401
    """A module of the server, whose packages the base install leaves out."""
    try:
        return import_module(f"untwist.serve.{module}")
    except ModuleNotFoundError as error:
        raise MissingExtra("the server", "serve") from error
