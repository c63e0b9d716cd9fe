"""The guard of generated turns, scored as a stream."""

import json

import pytest

from untwist.recipes import evaluate_guard


@pytest.fixture
def drafts(tmp_path):
    rows = [
        ("a", True, "You waited all evening. What did you think then?"),
        ("b", False, "You waited all evening for her message. I promise that she will write."),
        ("c", False, "You waited all evening for her message. What did you think then?"),
    ]
    file = tmp_path / "drafts.jsonl"
    file.write_text(
        "".join(
            json.dumps({"id": i, "context": "low", "good": g, "rule": "" if g else "X3", "text": t})
            + "\n"
            for i, g, t in rows
        ),
        encoding="utf-8",
    )
    return str(file)


def test_a_broken_turn_counts_as_stopped_only_when_every_way_of_cutting_it_does(drafts, tmp_path):
    config = evaluate_guard.EvaluateGuard(str(tmp_path / "o"), (drafts,), turns=True)
    folder, metrics = evaluate_guard.run(config, None)
    table = {t["guard"]: t for t in metrics["tables"]}["rules for turns"]
    assert table["broken stopped"]["hits"] == 1
    assert table["broken stopped"]["of"] == 2
    assert table["good stopped"]["hits"] == 0
    assert table["told apart by the cuts"] == 0
    assert "gate of a stream" in (folder / evaluate_guard.REPORT).read_text(encoding="utf-8")


def test_equal_seeds_cut_alike(drafts, tmp_path):
    def scored(out):
        config = evaluate_guard.EvaluateGuard(str(tmp_path / out), (drafts,), turns=True)
        return evaluate_guard.run(config, lambda text, risk, rules: "evening" in text)[1]

    assert scored("one") == scored("two")
    assert [t["good stopped"]["hits"] for t in scored("three")["tables"]] == [0, 0, 1]
