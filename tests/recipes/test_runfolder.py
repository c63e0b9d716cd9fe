import hashlib
import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from untwist.errors import ConfigError, DataError
from untwist.recipes.runfolder import git_revision, open_run, to_toml
from untwist.taxonomy import Risk


@dataclass(frozen=True)
class Inner:
    rate: float = 1e-05
    names: tuple[str, ...] = ("a", "b")


@dataclass(frozen=True)
class Config:
    out: str = "somewhere"
    text: str = 'quote " backslash \\ line\n tab\t 中文 \x7f'
    big: int = 10
    whole: float = 3.0
    on: bool = True
    nothing: None = None
    path: Path = Path("a/b")
    risk: Risk = Risk.HIGH
    weights: dict[str, float] = field(default_factory=lambda: {"x y": 0.5})
    several: tuple[Inner, ...] = (Inner(), Inner(0.5, ()))
    inner: Inner = Inner()


def test_a_configuration_comes_back_from_its_toml():
    assert tomllib.loads(to_toml(Config())) == {
        "out": "somewhere",
        "text": Config().text,
        "big": 10,
        "whole": 3.0,
        "on": True,
        "path": "a/b",
        "risk": "high",
        "weights": {"x y": 0.5},
        "several": [{"rate": 1e-05, "names": ["a", "b"]}, {"rate": 0.5, "names": []}],
        "inner": {"rate": 1e-05, "names": ["a", "b"]},
    }


def test_what_toml_cannot_hold_is_named():
    @dataclass(frozen=True)
    class Odd:
        thing: object = object()

    with pytest.raises(ConfigError, match="thing holds a object"):
        to_toml(Odd())


def test_a_run_folder_records_configuration_seed_versions_and_inputs(tmp_path):
    source = tmp_path / "in.txt"
    source.write_text("abc", encoding="utf-8")
    folder = open_run(tmp_path / "runs/one", Config(), 7, [source])
    got = json.loads((folder.path / "manifest.json").read_text(encoding="utf-8"))
    assert got["seed"] == 7
    assert got["inputs"] == {source.as_posix(): hashlib.sha256(b"abc").hexdigest()}
    assert set(got["versions"]) == {"untwist", "python", "numpy", "click", "safetensors"}
    assert len(got["package_sha256"]) == 64
    assert "revision" in got
    assert (folder.path / "config.toml").read_text(encoding="utf-8") == to_toml(Config())


def test_equal_runs_write_equal_files(tmp_path):
    written = []
    for name in ("one", "two"):
        folder = open_run(tmp_path / name, Config(), 1, [])
        folder.write_metrics({"f1": 0.1 + 0.2, "名": None})
        written.append({f.name: f.read_bytes() for f in sorted(folder.path.iterdir())})
    assert written[0] == written[1]
    assert set(written[0]) == {"config.toml", "manifest.json", "metrics.json"}


def test_a_folder_in_use_is_never_written_over(tmp_path):
    (tmp_path / "old.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError, match="is not empty"):
        open_run(tmp_path, Config(), 1, [])
    with pytest.raises(ConfigError, match="is not empty"):
        open_run(tmp_path / "old.txt", Config(), 1, [])


def test_a_folder_that_cannot_be_made_is_a_configuration_error(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot make the run folder"):
        open_run(tmp_path / "file/run", Config(), 1, [])


def test_a_missing_input_leaves_no_folder_behind(tmp_path):
    with pytest.raises(DataError, match="no input file"):
        open_run(tmp_path / "run", Config(), 1, [tmp_path / "nowhere"])
    assert not (tmp_path / "run").exists()


def test_metrics_that_are_no_numbers_are_refused(tmp_path):
    folder = open_run(tmp_path / "run", Config(), 1, [])
    for bad in ({"f1": float("nan")}, {"f1": object()}):
        with pytest.raises(DataError, match=r"metrics\.json cannot be written"):
            folder.write_metrics(bad)


def checkout(tmp_path, head):
    package = tmp_path / "src/untwist"
    package.mkdir(parents=True)
    git = tmp_path / ".git"
    (git / "refs/heads").mkdir(parents=True)
    (git / "HEAD").write_text(head + "\n", encoding="utf-8")
    return package, git


def test_the_revision_is_read_from_a_loose_or_a_packed_ref_or_a_bare_head(tmp_path):
    package, git = checkout(tmp_path, "ref: refs/heads/main")
    assert git_revision(package) is None
    (git / "packed-refs").write_text("# pack\nabc123 refs/heads/main\n", encoding="utf-8")
    assert git_revision(package) == "abc123"
    (git / "refs/heads/main").write_text("def456\n", encoding="utf-8")
    assert git_revision(package) == "def456"
    (git / "HEAD").write_text("0badc0de\n", encoding="utf-8")
    assert git_revision(package) == "0badc0de"


def test_outside_a_git_tree_there_is_no_revision(tmp_path):
    assert git_revision(tmp_path / "src/untwist") is None


def test_a_linked_worktree_is_followed_to_its_repository(tmp_path):
    _, git = checkout(tmp_path / "main", "ref: refs/heads/main")
    (git / "refs/heads/side").write_text("abc\n", encoding="utf-8")
    own = git / "worktrees/side"
    own.mkdir(parents=True)
    (own / "HEAD").write_text("ref: refs/heads/side\n", encoding="utf-8")
    (own / "commondir").write_text("../..\n", encoding="utf-8")
    side = tmp_path / "side/src/untwist"
    side.mkdir(parents=True)
    (tmp_path / "side/.git").write_text(f"gitdir: {own}\n", encoding="utf-8")
    assert git_revision(side) == "abc"
