"""The house: what imports cannot show."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import untwist
from untwist.taxonomy import CANONICAL, Strategy

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "untwist"
ROOMS = sorted(p.parent for p in PACKAGE.glob("*/__init__.py"))
HEADINGS = ("Purpose: ", "Takes: ", "Gives: ", "May import: ", "Heavy doors: ")
HEAVY = ("torch", "transformers", "fastapi", "sklearn", "scipy", "matplotlib", "untwist.llm")


def test_the_public_names_are_those_that_were_decided():
    decided = json.loads((ROOT / "tests/architecture/public_names.json").read_text("utf-8"))
    found = {"untwist": sorted(untwist.__all__)}
    for room in ROOMS:
        tree = ast.parse((room / "__init__.py").read_text(encoding="utf-8"))
        names = [
            ast.literal_eval(node.value)
            for node in tree.body
            if isinstance(node, ast.Assign) and node.targets[0].id == "__all__"
        ]
        found[room.name] = names[0] if names else []
    assert found == decided


@pytest.mark.parametrize("room", ROOMS, ids=lambda p: p.name)
def test_every_door_says_what_its_room_is_for(room):
    doc = ast.get_docstring(ast.parse((room / "__init__.py").read_text(encoding="utf-8")))
    found = [line for line in doc.splitlines() if line.startswith(HEADINGS)]
    assert [line.split(": ")[0] + ": " for line in found] == list(HEADINGS)


@pytest.mark.parametrize("room", ROOMS, ids=lambda p: p.name)
def test_every_list_of_public_names_is_sorted(room):
    match = re.search(r"__all__ = \[(.*?)\]", (room / "__init__.py").read_text("utf-8"), re.DOTALL)
    names = re.findall(r'"(\w+)"', match[1]) if match else []
    # constants, classes, functions, as ruff sorts them
    rank = {name: (not name.isupper(), not name[0].isupper(), name) for name in names}
    assert names == sorted(names, key=rank.__getitem__)


def test_no_label_is_spelled_outside_the_taxonomy():
    slugs = {d.value for d in CANONICAL} | {s.value for s in Strategy}
    spelled = []
    for file in PACKAGE.rglob("*.py"):
        if file.parent.name == "taxonomy":
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and node.value in slugs:
                spelled.append(f"{file.name}:{node.lineno}")
    assert spelled == []


@pytest.mark.parametrize("module", ["untwist", "untwist.cli.main", "untwist.engine"])
def test_importing_a_door_brings_nothing_heavy(module):
    code = f"import sys, {module}; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_nothing_in_the_package_speaks_of_unfinished_work():
    words = re.compile("TO" + "DO|FIX" + "ME|NotImplemented" + "Error")
    found = [f.name for f in PACKAGE.rglob("*.py") if words.search(f.read_text(encoding="utf-8"))]
    assert found == []


def test_the_contracts_hold():
    from importlinter.cli import lint_imports

    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0
