"""Logged dialogues: what is written comes back, and a log with a hole stops."""

import json
import math

import pytest

from untwist.data import LoggedTurn, read_logged, write_logged
from untwist.errors import DataError
from untwist.schema import Assessment, Finding, Utterance
from untwist.taxonomy import Distortion, Intensity, Risk, Strategy

HEARD = Assessment(
    Utterance("I am made up", "en", "m1"),
    (Finding(Distortion.LABELING, 0.9),),
    Intensity.MILD,
    Risk.LOW,
    (),
    (),
    "gold",
)


def turn(dialogue="a", number=0, done=False, **changes):
    values = {
        "assessment": HEARD, "action": Strategy.COST_BENEFIT, "propensity": 0.25, "reward": -0.5,
    }  # fmt: skip
    return LoggedTurn(dialogue, number, **{**values, **changes}, done=done)


WHOLE = [turn("a", 0), turn("a", 1, True), turn("b", 0, True, reward=2.0)]


def written(tmp_path, turns):
    file = tmp_path / "log.jsonl"
    write_logged(file, turns)
    return file


def test_what_is_written_comes_back(tmp_path):
    file = tmp_path / "log.jsonl"
    assert write_logged(file, WHOLE) == 3
    assert read_logged(file) == WHOLE


def test_a_row_is_plain_json_with_the_strategy_by_name(tmp_path):
    first = json.loads(written(tmp_path, WHOLE).read_text(encoding="utf-8").splitlines()[0])
    assert first["action"] == "cost_benefit"
    assert (first["propensity"], first["reward"], first["done"]) == (0.25, -0.5, False)
    assert first["assessment"]["utterance"]["text"] == "I am made up"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"propensity": 0.0}, "propensity of dialogue a, turn 0"),
        ({"propensity": 1.01}, "not above 0 and at most 1"),
        ({"propensity": math.nan}, "log the probability"),
        ({"reward": math.inf}, "no finite number: leave the dialogue out"),
        ({"reward": math.nan}, "no finite number"),
    ],
)
def test_a_number_that_cannot_be_is_refused(changes, why):
    with pytest.raises(DataError, match=why):
        turn(**changes)


@pytest.mark.parametrize(
    ("turns", "why"),
    [
        ([turn("a", 0)], 'dialogue a has no turn with "done"'),
        ([turn("a", 0), turn("b", 0, True)], 'dialogue a has no turn with "done"'),
        ([turn("a", 0, True), turn("a", 1, True)], 'dialogue a goes on after "done"'),
        ([turn("a", 1, True)], "has turn 1 where 0 belongs"),
        ([turn("a", 0), turn("a", 2, True)], "has turn 2 where 1 belongs"),
        ([turn("a", 0, True), turn("b", 0, True), turn("a", 0, True)], "a is in two pieces"),
        ([], "holds no turn"),
    ],
)
def test_a_log_with_a_hole_is_refused(tmp_path, turns, why):
    with pytest.raises(DataError, match=why):
        read_logged(written(tmp_path, turns))


@pytest.mark.parametrize(
    "change",
    [
        {"turn": "0"},
        {"turn": True},
        {"done": 1},
        {"propensity": "often"},
        {"reward": True},
        {"action": "hug"},
        {"assessment": {}},
        {"dialogue": ...},
        {"propensity": 0.0},
    ],
)
def test_a_row_that_is_no_turn_stops_with_its_line_and_without_its_words(tmp_path, change):
    row = {key: value for key, value in {**turn().to_dict(), **change}.items() if value is not ...}
    file = tmp_path / "log.jsonl"
    good = json.dumps(turn("z", 0, True).to_dict())
    file.write_text(good + "\n" + json.dumps(row) + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"log\.jsonl:2: ") as caught:
        read_logged(file)
    assert "made up" not in str(caught.value)


def test_a_file_that_cannot_be_written_or_read_is_said(tmp_path):
    with pytest.raises(DataError, match="cannot write"):
        write_logged(tmp_path / "no" / "log.jsonl", WHOLE)
    with pytest.raises(DataError, match="cannot read"):
        read_logged(tmp_path / "none.jsonl")
