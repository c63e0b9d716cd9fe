"""The guide to tuning says what the code does: presets, keys, kinds, options, in both languages."""

import re
import shlex
from dataclasses import fields
from pathlib import Path

import pytest

from untwist.cli.main import cli
from untwist.recipes.train_llm import read_preset
from untwist.tune import TEMPLATES, preset_names
from untwist.tune.config import KINDS, TuneConfig

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("guides/tuning.md", "zh/tuning.md")


def page(name):
    return (DOCS / name).read_text(encoding="utf-8")


def commands(text):
    """What its shell blocks call, one list of words each."""
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    return [shlex.split(line, comments=True) for line in lines]


def test_both_pages_show_the_same_commands():
    first, second = (re.findall(r"```sh\n(.*?)```", page(name), re.DOTALL) for name in PAGES)
    assert first == second


@pytest.mark.parametrize("name", PAGES)
def test_every_preset_kind_and_template_is_explained(name):
    text = page(name)
    for word in (*preset_names(), *KINDS, *TEMPLATES):
        assert f"`{word}`" in text, word


@pytest.mark.parametrize("name", PAGES)
def test_every_key_of_a_preset_is_explained_and_no_other(name):
    table = page(name).split("\n## ")[-1]
    told, current = {}, ""
    for first, keys in re.findall(r"^\| (`\w+` )?\|? ?(.*?) \|", table, re.MULTILINE):
        current = first.strip(" `") or current
        told.setdefault(current, set()).update(re.findall(r"`(\w+)`", keys))
    config = read_preset("copollm")
    tables = [f.name for f in fields(TuneConfig) if hasattr(getattr(config, f.name), "__slots__")]
    assert {key: told[key] for key in tables} == {
        key: {f.name for f in fields(getattr(config, key))} for key in tables
    }


@pytest.mark.parametrize("name", PAGES)
def test_every_command_of_ours_has_the_options_that_are_shown(name):
    shown = 0
    for words in commands(page(name)):
        if "untwist" not in words:
            continue
        words = words[words.index("untwist") + 1 :]
        command, context = cli, cli.make_context("untwist", ["--help"], resilient_parsing=True)
        while hasattr(command, "get_command"):
            command = command.get_command(context, words.pop(0))
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known
        shown += 1
    assert shown >= 8
    for words in commands(page(name)):
        for place, word in enumerate(words):
            if word == "--set":
                read_preset("copollm", [words[place + 1]])
