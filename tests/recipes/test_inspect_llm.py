"""What a tuning run would learn, shown before it runs."""

import json

import pytest
from click.testing import CliRunner

from tests.tune.fakes import FakeTokenizer
from untwist.cli import tune_inspect
from untwist.errors import ConfigError
from untwist.recipes.inspect_llm import inspect
from untwist.recipes.llm_samples import Sources
from untwist.recipes.train_llm import read_preset
from untwist.tune import Message, Sample, Template, write_samples

CHANGES = ("data.kind=samples", "data.max_length=60")
PROMPT = "<|im_start|>user\nhello 0。<|im_end|>\n<|im_start|>assistant\n"


def made(n, stream, target="fine。", **changes):
    return Sample(f"s{n}", stream, (Message("user", f"hello {n}。"),), target, **changes)


@pytest.fixture
def file(tmp_path):
    samples = [
        made(0, "diagnosis"),
        made(1, "diagnosis"),
        made(2, "intervention", "bell \x07 end。", augmented=True),
        made(3, "intervention", "word " * 60),
    ]
    write_samples(tmp_path / "samples.jsonl", samples)
    return tmp_path / "samples.jsonl"


def looked_at(file, **options):
    tune = read_preset("copollm", CHANGES)
    return inspect(tune, Sources((str(file),)), Template(FakeTokenizer()), **options)


def test_what_is_learned_is_told_from_what_is_given(file):
    found = looked_at(file, ids=["s0"])
    (shown,) = found.shown
    assert (shown.prompt, shown.learned) == (PROMPT, "fine。<|im_end|>")
    # two tokens of the target and the end of the turn
    assert (shown.learned_tokens, shown.stream, shown.augmented) == (3, "diagnosis", False)


def test_the_first_samples_of_each_stream_are_shown(file):
    assert [one.id for one in looked_at(file, most=1).shown] == ["s0", "s2"]
    assert [one.id for one in looked_at(file, most=2).shown] == ["s0", "s1", "s2"]
    assert looked_at(file, most=0).shown == ()


def test_what_does_not_fit_is_counted_with_its_reason(file):
    found = looked_at(file)
    assert found.report["refused"] == 1
    assert found.report["samples"] == 3
    assert found.refused == {"the target alone is too long": "s3"}


def test_a_sample_that_is_not_there_or_not_learned_is_said_to_be_so(file):
    with pytest.raises(ConfigError, match='no sample "s9"'):
        looked_at(file, ids=["s9"])
    with pytest.raises(ConfigError, match="s3 cannot be learned"):
        looked_at(file, ids=["s3"])


def called(file, monkeypatch, *options):
    monkeypatch.setattr(
        tune_inspect, "open_template", lambda name, **told: Template(FakeTokenizer())
    )
    changes = [word for change in CHANGES for word in ("--set", change)]
    arguments = ["copollm", "--model", "tiny", "--data", str(file), *changes, *options]
    done = CliRunner().invoke(tune_inspect.inspect_samples, arguments)
    assert done.exit_code == 0, done.output
    return done.output


def test_the_command_marks_what_is_learned_with_brackets_where_there_is_no_colour(
    file, monkeypatch
):
    output = called(file, monkeypatch)
    assert f"{PROMPT}⟦fine。<|im_end|>⟧" in output
    assert "samples that do not fit: 1" in output
    assert "refused, such as s3: the target alone is too long" in output
    assert "\x1b" not in output


def test_the_command_marks_what_is_learned_in_colour(file, monkeypatch):
    output = called(file, monkeypatch, "--colour", "--id", "s0")
    assert "\x1b[32m\x1b[1mfine。<|im_end|>\x1b[0m" in output
    assert "⟦" not in output


def test_what_a_terminal_would_obey_is_not_sent_to_it(file, monkeypatch):
    assert "\x07" not in called(file, monkeypatch, "--id", "s2")


def test_the_command_gives_json(file, monkeypatch):
    told = json.loads(called(file, monkeypatch, "--json", "--id", "s1"))
    assert told["shown"][0]["learned"] == "fine。<|im_end|>"
    assert told["report"]["streams"]["diagnosis"]["samples"] == 2
    assert told["max_length"] == 60
