"""The card: what it must say of any model, and nothing that a program may not claim."""

import pytest

from untwist.recipes.train_llm import read_preset
from untwist.safety import find_claims
from untwist.tune.card import Facts, card
from untwist.tune.presets import preset_names

COUNTS = {"train": {"streams": {"diagnosis": 1234}}, "held_out": {"streams": {"plain": 2}}}


def facts(**more):
    losses = {"first": 2.5, "last": 0.25, "held out": None}
    values = {"name": "m-v1", "base": 'a "b"', "data": ("x", "y"), "counts": COUNTS}
    return Facts(**values | {"losses": losses, "command": "untwist train llm copollm"} | more)


@pytest.mark.parametrize("name", preset_names())
def test_a_card_names_its_base_its_source_and_every_setting_and_claims_nothing(name):
    config = read_preset(name)
    text = card(config, facts())
    front, _, rest = text.removeprefix("---\n").partition("---\n")
    assert 'base_model: "a \\"b\\""' in front
    assert "library_name: peft" in front
    assert config.source in rest
    assert f"`learning_rate` `{config.optim.learning_rate}`" in rest
    assert "$" not in text
    assert find_claims(text) == ()


def test_a_card_says_what_was_counted_measured_and_not_measured():
    text = card(read_preset("copollm"), facts(notes=("Random weights: shows that it runs.",)))
    assert "| `diagnosis` stream | 1,234 | 0 |" in text
    assert "| `plain` stream | 0 | 2 |" in text
    assert "first 2.5000, last 0.2500, held out not measured" in text
    assert "**Random weights: shows that it runs.**" in text
    assert "x; y" in text


def test_each_kind_of_data_has_its_own_question():
    asked = {card(read_preset(name), facts()).split("It is asked by ")[1].split(".")[0]
             for name in ("copollm", "cbt-llm", "cbtllama", "crosslincd-llm",
                          "crosslincd-chains")}  # fmt: skip
    assert len(asked) == 5
