"""Protocols are data: a step or a whole protocol is added by editing files alone."""

from __future__ import annotations

import json

import pytest

from tests.respond import tiny
from tests.respond.build import chosen, heard, said
from tests.respond.check_protocols import faults
from untwist.errors import DataError
from untwist.respond import ScriptedResponder, open_protocols
from untwist.respond.book import scripts_of
from untwist.respond.protocol import open_protocols as reopened
from untwist.taxonomy import Distortion, Intensity, Strategy
from untwist.text import LOCALES

TARGET = Distortion.OVERGENERALIZATION
PATH = ["settle", "thought", "belief", "emotion", "name"]


def names(folder, answers):
    responder, history, found = ScriptedResponder(True, scripts=folder), [], []
    for at, text in enumerate(answers):
        target = TARGET if at == 0 else None
        reply = responder.reply(
            chosen(target),
            heard(text, target, None, Intensity.MODERATE if target else None),
            history,
        )
        found.append(reply.step.name)
        history += said(text, reply.text)
    return found


ANSWERS = [
    "It always goes wrong",
    "At work",
    "I ruin it all",
    "80",
    "sad, 70",
    "yes it does",
    "a",
    "b",
]
ANSWERS = [a if len(a) > 1 else f"something happened {a}" for a in ANSWERS]


def edit(path, change):
    value = json.loads(path.read_text(encoding="utf-8"))
    change(value)
    path.write_text(json.dumps(value), encoding="utf-8")


@pytest.mark.parametrize("locale", LOCALES)
def test_the_shipped_protocols_can_be_read_and_carry_out_every_strategy(locale):
    found = open_protocols(locale)
    for strategy in Strategy:
        if strategy is not Strategy.CRISIS_INTERVENTION:
            assert found.of(strategy, None).strategy is strategy
    folder = scripts_of(None) / locale
    files = [folder / "frame.json", folder / "branches.json", *(folder / "protocols").iterdir()]
    assert [fault for file in files for fault in faults(file)] == []


def test_the_languages_ask_the_same_steps_for_the_same_fields():
    shapes = [
        {
            p.name: [(s.id, s.field, s.takes) for s in p.steps]
            for p in open_protocols(code).own.values()
        }
        for code in LOCALES
    ]
    assert shapes[0] == shapes[1] == shapes[2]


def test_a_step_that_is_added_to_a_file_is_asked_in_its_place(tmp_path):
    before = names(tiny.protocols(tmp_path / "a"), ANSWERS)
    assert before == [*PATH, "for", "against", "balanced"]
    folder = tiny.protocols(tmp_path / "b")
    step = tiny.step("letter", "letter_to_self")
    edit(folder / "en/protocols/examine_evidence.json", lambda v: v["steps"].insert(1, step))
    assert names(folder, ANSWERS) == [*PATH, "for", "letter", "against"]


def test_a_file_of_ones_own_that_names_the_distortion_comes_before_the_general_one(tmp_path):
    folder = tiny.protocols(tmp_path / "a")
    tiny.write(
        folder / "en/protocols/mine.json",
        Strategy.EXAMINE_EVIDENCE,
        [tiny.step("diary", "diary")],
        **{"for": [TARGET.value]},
    )
    assert names(folder, ANSWERS)[5:7] == ["diary", "balanced"]
    known = reopened("en", folder)
    assert known.of(Strategy.EXAMINE_EVIDENCE, TARGET).name == "mine"
    assert known.of(Strategy.EXAMINE_EVIDENCE, Distortion.MENTAL_FILTER).name == "examine_evidence"


def test_a_step_for_severe_thoughts_is_not_asked_at_moderate_ones(tmp_path):
    folder = tiny.protocols(tmp_path / "a")

    def only_severe(value):
        value["steps"][0]["intensity"] = ["severe"]

    edit(folder / "en/protocols/examine_evidence.json", only_severe)
    assert names(folder, ANSWERS)[5:7] == ["against", "balanced"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v["steps"][0].update(takes="number"), "takes"),
        (lambda v: v["steps"][0]["ask"].append("Two? Questions?"), "exactly one question"),
        (lambda v: v["steps"][0]["reflect"].append("Really?"), "no question"),
        (lambda v: v["steps"][0].update(ask=["One?"]), "at least 6"),
        (lambda v: v["steps"][0]["ask"].append("{name}, how?"), "unknown slot"),
        (lambda v: v["steps"][0].update(intensity=["huge"]), "not an intensity"),
        (lambda v: v["steps"].append(v["steps"][0]), "same id"),
        (lambda v: v.update(strategy="crisis_intervention"), "no protocol"),
        (lambda v: v.update({"for": ["sadness"]}), "not a distortion"),
    ],
)
def test_a_file_that_is_not_what_its_format_says_is_refused_with_the_place(
    tmp_path, change, message
):
    folder = tiny.protocols(tmp_path / "a")
    path = folder / "en/protocols/examine_evidence.json"
    edit(path, change)
    with pytest.raises(DataError, match=message):
        reopened("en", folder)
    assert any(message in fault for fault in faults(path))


def test_a_text_that_stands_in_two_places_is_refused_because_a_turn_is_known_by_it(tmp_path):
    folder = tiny.protocols(tmp_path / "a")
    text = "for of examine_evidence ask 0?"
    edit(
        folder / "en/protocols/reattribution.json",
        lambda v: v["steps"][0]["ask"].append(text),
    )
    with pytest.raises(DataError, match="recognised by its text"):
        reopened("en", folder)
