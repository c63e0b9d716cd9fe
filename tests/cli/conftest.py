"""Runs commands in this process and keeps stdout, stderr and the exit code apart."""

from dataclasses import dataclass

import pytest
from click.testing import CliRunner

from untwist.cli.main import cli


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def run():
    def _run(*arguments, stdin=None):
        done = CliRunner().invoke(
            cli, [str(a) for a in arguments], input=stdin, prog_name="untwist"
        )
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Result(done.exit_code, done.stdout, done.stderr)

    return _run
