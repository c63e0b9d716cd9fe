"""What the guide of the worksheets shows, in both languages, runs as it stands there."""

import json
import re
import shlex
from pathlib import Path

import pytest

from untwist.respond import WORKSHEETS
from untwist.schema import Utterance

ROOT = Path(__file__).parents[2]
GUIDES = ("docs/guides/worksheets.md", "docs/zh/worksheets.md")


def blocks(guide, language):
    text = (ROOT / guide).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def commands(guide):
    lines = "".join(blocks(guide, "sh")).splitlines()
    return [shlex.split(line, comments=True) for line in lines if line]


@pytest.fixture
def files(run, tmp_path, monkeypatch):
    """The files that the guide takes for granted."""
    monkeypatch.chdir(tmp_path)
    row = {"id": "1", "text": "hello there", "history": []}
    Path("talks.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    run("worksheet", "new", "responsibility-pie", "--output", "pie.jsonl")
    return tmp_path


@pytest.mark.parametrize("guide", GUIDES)
def test_every_command_of_the_guide_runs(run, files, guide):
    found = commands(guide)
    assert {c[2] for c in found} == {"new", "fill", "edit", "export"}
    for command in found:
        assert command[0] == "untwist"
        done = run(*command[1:])
        assert done.code == 0, (command, done.err)


@pytest.mark.parametrize("guide", GUIDES)
def test_the_lines_of_python_run(guide, capsys):
    (block,) = blocks(guide, "python")
    exec(compile(block, guide, "exec"), {"history": [Utterance("hello there")]})
    assert "AI" in capsys.readouterr().out


@pytest.mark.parametrize("guide", GUIDES)
def test_every_kind_stands_in_the_table(guide):
    text = (ROOT / guide).read_text(encoding="utf-8")
    assert [k for k in WORKSHEETS if f"| `{k.replace('_', '-')}` |" not in text] == []
