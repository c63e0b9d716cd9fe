"""Scoring the screen on labelled cases."""

import json
from pathlib import Path

import pytest

from untwist.errors import DataError
from untwist.recipes.evaluate_screen import EvaluateScreen, run


def _case(id, text, accept, crisis=False, acuity=(), **more):
    row = {"id": id, "family": "f", "text": text, "accept": accept, "crisis": crisis}
    return json.dumps({**row, "acuity": list(acuity), **more}, ensure_ascii=False) + "\n"


def _run(tmp_path, lines):
    file = tmp_path / "cases.jsonl"
    file.write_text("".join(lines), encoding="utf-8")
    return run(EvaluateScreen(str(tmp_path / "out"), (str(file),)))


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


def test_the_committed_cases_are_complete_and_unique():
    folder = Path(__file__).parents[1] / "safety" / "cases"
    for lang in ("en", "zh"):
        text = (folder / f"{lang}.jsonl").read_text(encoding="utf-8")
        rows = [json.loads(line) for line in text.split("\n") if line]
        assert len({r["id"] for r in rows}) == len(rows) > 1000
        assert {r["part"] for r in rows} == {"looked at", "unseen"}
        assert len({r["family"] for r in rows}) == 21
