"""Every example runs, and stays short."""

import importlib.util
from pathlib import Path

import pytest

FILES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
@pytest.mark.slow
def test_the_example_runs_and_says_something(file, capsys):
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.main(quick=True)
    assert capsys.readouterr().out.strip()


def test_no_example_is_longer_than_sixty_lines():
    assert FILES
    assert [f.name for f in FILES if len(f.read_text(encoding="utf-8").splitlines()) > 60] == []
