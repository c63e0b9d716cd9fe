"""Real results against the schemas that ship."""

import copy
import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from tests.evaluate.test_comparison import comparison, difference
from tests.evaluate.test_leaderboard import entry
from tests.evaluate.test_report import GUESS, report
from tests.evaluate.test_tables import matrix
from untwist.errors import ConfigError, DataError
from untwist.evaluate import FLOOR, SCHEMAS, check, read_leaderboard, schema

given = np.where(GUESS, 0.9, 0.1)
REAL = [
    ("detection-report", report().to_dict()),
    ("detection-report", report(undistorted=None, probabilities=given).to_dict()),
    ("comparison", comparison(micro_f1=difference(0.03, 0.01, 0.05, 0.004)).to_dict()),
    ("matrix", matrix().to_dict()),
    ("matrix", matrix(counts=None).to_dict()),
    ("leaderboard-entry", entry().to_dict()),
]
RESULTS = pytest.mark.parametrize(("name", "value"), REAL)
# a report with probabilities has every field that one without them has
FULLEST = pytest.mark.parametrize(("name", "value"), REAL[1:4] + REAL[5:])

_CHECKER = jsonschema.Draft202012Validator.TYPE_CHECKER
_STRICT = _CHECKER.redefine(
    "number", lambda checker, v: _CHECKER.is_type(v, "number") and np.isfinite(v)
)
_Strict = jsonschema.validators.extend(jsonschema.Draft202012Validator, type_checker=_STRICT)
VALIDATORS = {name: _Strict(schema(name)) for name in SCHEMAS}


def both_refuse(name, value):
    with pytest.raises(DataError, match=f"not a {name}: "):
        check(value, name)
    assert not VALIDATORS[name].is_valid(value)


def places(value, way=()):
    """The way to every value within JSON values."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield (*way, key)
            yield from places(inner, (*way, key))


def changed(value, way, new):
    """A copy in which what stands at the end of a way is another; `KeyError` leaves it out."""
    whole = copy.deepcopy(value)
    inner = whole
    for step in way[:-1]:
        inner = inner[step]
    if new is KeyError:
        del inner[way[-1]]
    else:
        inner[way[-1]] = new
    return whole


def at(value, way):
    for step in way:
        value = value[step]
    return value


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_schemas_are_json_schema(name):
    jsonschema.Draft202012Validator.check_schema(schema(name))
    assert schema(name)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@RESULTS
def test_real_results_keep_to_their_schema(name, value):
    VALIDATORS[name].validate(value)
    check(json.loads(json.dumps(value, allow_nan=False)), name)
    assert value["schema"] == f"untwist/{name}@1"


@FULLEST
def test_a_field_left_out_fails_wherever_it_is(name, value):
    # the classes of a report are keyed by label, so that none of them has a name to be required
    fields = [
        way
        for way in places(value)
        if isinstance(way[-1], str) and not (len(way) == 2 and way[0] == "classes")
    ]
    for way in fields:
        both_refuse(name, changed(value, way, KeyError))


@FULLEST
def test_a_field_too_many_fails_wherever_it_is(name, value):
    for way in [(), *(way for way in places(value) if isinstance(at(value, way), dict))]:
        both_refuse(name, changed(value, (*way, "surplus"), 1))


@FULLEST
def test_nan_fails_wherever_it_is(name, value):
    numbers = [w for w in places(value) if isinstance(at(value, w), float)]
    assert numbers
    for way in numbers:
        both_refuse(name, changed(value, way, float("nan")))
    both_refuse(name, changed(value, numbers[0], float("inf")))


def test_a_message_says_where_and_what_is_asked_for_and_never_what_stands_there():
    value = changed(report().to_dict(), ("scores", "micro_f1"), 1.5)
    with pytest.raises(DataError) as caught:
        check(value, "detection-report")
    assert str(caught.value) == (
        "not a detection-report: detection-report.scores.micro_f1 must be at most 1"
    )
    value = changed(entry().to_dict(), ("url",), "a secret")
    with pytest.raises(DataError, match=r"leaderboard-entry\.url must match") as caught:
        check(value, "leaderboard-entry")
    assert "secret" not in str(caught.value)


def test_what_is_no_object_is_no_result():
    for value in (None, [], "x", 1):
        both_refuse("matrix", value)


def test_a_schema_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(ConfigError, match='no schema "reports"; there are agreement, '):
        schema("reports")


def test_a_schema_given_out_may_be_changed_without_harm():
    schema("matrix")["required"].clear()
    assert schema("matrix")["required"]


RESULT_FILES = sorted((Path(__file__).parents[2] / "results").glob("*/metrics.json"))
NAMED = [f for f in RESULT_FILES if "schema" in json.loads(f.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("file", NAMED, ids=lambda file: file.parent.name)
def test_every_committed_result_file_keeps_to_the_schema_it_names(file):
    value = json.loads(file.read_text(encoding="utf-8"))
    check(value, value["schema"].removeprefix("untwist/").split("@")[0])


def test_the_committed_leaderboard_can_be_read_and_holds_a_floor_for_every_table():
    board = Path(__file__).parents[2] / "results/leaderboard.jsonl"
    entries = read_leaderboard(board)
    tables = {(e.corpus, e.split, e.part) for e in entries}
    assert tables
    assert {(e.corpus, e.split, e.part) for e in entries if e.system == FLOOR} == tables
