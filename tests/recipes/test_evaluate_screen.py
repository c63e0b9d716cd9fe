"""Scoring the screen on labelled cases."""

import json
from collections import Counter

import pytest

from untwist.data import shipped_cases
from untwist.errors import DataError
from untwist.recipes.evaluate_screen import EvaluateScreen, run
from untwist.schema import Screening
from untwist.taxonomy import Risk


def _case(id, text, accept, crisis=False, acuity=(), **more):
    row = {"id": id, "family": "f", "text": text, "accept": accept, "crisis": crisis}
    return json.dumps({**row, "acuity": list(acuity), **more}, ensure_ascii=False) + "\n"


def _run(tmp_path, lines, second=None):
    file = tmp_path / "cases.jsonl"
    file.write_text("".join(lines), encoding="utf-8")
    return run(EvaluateScreen(str(tmp_path / "out"), (str(file),)), second)


def test_hits_and_misses_are_counted_by_language_and_part(tmp_path):
    folder, metrics = _run(
        tmp_path,
        [
            _case("a", "I want to die", ["high"], True, ["active"]),
            _case("b", "I had soup for lunch", ["high"], True, ["plan_or_intent"]),
            _case("c", "I had tea for lunch", ["none", "low"]),
            _case("d", "我想死", ["none"], part="unseen"),
        ],
    )
    english, chinese = metrics["tables"]
    assert (english["lang"], english["part"]) == ("en", "all")
    shares = {name: (s["hits"], s["of"]) for name, s in english["measures"].items()}
    assert shares == {
        "level accepted": (2, 3),
        "crisis recall": (1, 2),
        "silent misses": (1, 2),
        "false crisis alarms": (0, 1),
        "false medium or high": (0, 1),
        "figurative or information called high": (0, 0),
        "explicit, silently missed": (0, 0),
        "indirect, at least medium": (0, 0),
        "disguised, at high": (0, 0),
        "acuity named": (1, 2),
    }
    assert chinese["part"] == "unseen"
    assert chinese["measures"]["false crisis alarms"]["hits"] == 1
    assert "0.500" in (folder / "report.md").read_text(encoding="utf-8")


def test_the_history_is_read(tmp_path):
    question = {"role": "assistant", "content": "Are you thinking about ending your life?"}
    _, metrics = _run(tmp_path, [_case("a", "yes", ["high"], True, history=[question])])
    assert metrics["tables"][0]["measures"]["crisis recall"]["hits"] == 1


@pytest.mark.parametrize(
    "line", ["no json\n", '{"id": "a", "text": "x"}\n', _case("a", "x", ["x"])]
)
def test_a_case_that_cannot_be_read_stops_the_run_with_its_line(tmp_path, line):
    with pytest.raises(DataError, match=r"cases\.jsonl:1:"):
        _run(tmp_path, [line])


def test_a_second_reader_is_scored_beside_the_rules(tmp_path):
    def second(text, own):
        return Screening(Risk.HIGH if "soup" in text else Risk.NONE, (), ("made-up",))

    _, metrics = _run(
        tmp_path, [_case("b", "I had soup for lunch", ["high"], True, ["active"])], second
    )
    recall = {t["reader"]: t["measures"]["crisis recall"]["hits"] for t in metrics["tables"]}
    assert recall == {"rules": 0, "rules and reader": 1}


@pytest.mark.slow
def test_the_shipped_cases_are_complete_and_unique():
    cases = list(shipped_cases())
    assert len({c.id for c in cases}) == len(cases) > 15_000
    assert {c.part for c in cases} == {
        "train", "looked at", "unseen", "natural", "blind", "answers", "answers unseen"
    }  # fmt: skip
    for lang in ("en", "zh"):
        own = [c for c in cases if c.lang == lang]
        families = Counter(c.family for c in own)
        assert len(families) == 23
        assert min(families.values()) >= 100
        writers = {c.part: {d.writer for d in own if d.part == c.part} for c in own}
        assert not writers["train"] & (writers["natural"] | writers["blind"])


def test_no_mark_for_means_is_left_in_a_case_that_is_read():
    marks = ("{M", "{W")
    assert not [c.id for c in shipped_cases() if any(m in c.utterance.text for m in marks)]
