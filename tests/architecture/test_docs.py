"""The documentation says what the code does."""

import importlib.util
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from untwist.taxonomy import CANONICAL, Strategy

ROOT = Path(__file__).parents[2]


def _generator():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def fresh():
    return _generator().fresh()


def test_generated_pages_and_blocks_are_up_to_date(fresh):
    stale = [p for p, text in fresh.items() if (ROOT / p).read_text(encoding="utf-8") != text]
    assert stale == [], "run: python docs/generate.py"


def test_every_block_that_can_be_generated_stands_somewhere(fresh):
    generator = _generator()
    shown = {name for p in generator.HOSTS for _, name, _ in generator._BLOCK.findall(fresh[p])}
    assert shown == set(generator.BLOCKS)


def _tree_paths(readme):
    """Paths of an annotated tree: indentation by "│   " and "├── ", a comment after two spaces."""
    block = re.search(r"```text\n(untwist/\n.*?)```", readme, re.DOTALL)[1]
    stack, paths = [], []
    for line in block.splitlines()[1:]:
        match = re.match(r"((?:│   |    )*)(?:├── |└── )(\S+)", line)
        depth, name = len(match[1]) // 4, match[2]
        stack = [*stack[:depth], name.rstrip("/")]
        paths.append("/".join(stack) + ("/" if name.endswith("/") else ""))
    return paths


@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_the_tree_in_the_readme_is_the_tree_on_the_disk(name):
    paths = _tree_paths((ROOT / name).read_text(encoding="utf-8"))
    missing = [p for p in paths if not (ROOT / p).exists()]
    assert missing == []
    package = {f"src/untwist/{p.name}{'/' * p.is_dir()}" for p in (ROOT / "src/untwist").iterdir()}
    shown = {
        p for p in paths if p.startswith("src/untwist/") and p.count("/") - p.endswith("/") == 2
    }
    hidden = {"src/untwist/__pycache__/"}
    assert package - hidden == shown
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\n")  # fmt: skip
    top = {p.split("/")[0] for p in tracked if p}
    assert top == {p.rstrip("/").split("/")[0] for p in paths}


@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_every_link_of_the_readmes_leads_to_a_file(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?://|#|mailto:)([^)#]+)", text)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.parametrize("page", ["docs/reference/words.md", "docs/zh/words.md"])
def test_every_label_and_strategy_is_in_the_reference(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    for member in (*CANONICAL, *Strategy):
        assert f"`{member.value}`" in text


def test_the_changelog_names_the_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## {project['project']['version']}" in changelog


@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_the_python_code_in_the_readme_runs(name, capsys):
    text = (ROOT / name).read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, name, "exec"), {})
    assert capsys.readouterr().out.strip()


def test_both_readmes_give_the_same_commands_and_code():
    english, chinese = ((ROOT / n).read_text("utf-8") for n in ("README.md", "README.zh.md"))
    fences = re.compile(r"```(?:sh|python)\n.*?```", re.DOTALL)
    assert fences.findall(english) == fences.findall(chinese)
