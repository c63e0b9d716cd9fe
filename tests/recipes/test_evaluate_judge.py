"""Calibrating judges: by hand where votes are few, and against judges whose worth is known."""

import json

import pytest

from tests.recipes.tiny import metrics_of, text_of
from tests.tiny_corpora import write_lines
from untwist.data import shipped_triples
from untwist.errors import ConfigError, DataError
from untwist.evaluate import Calibrator, check
from untwist.llm import PromptedJudge, ScriptedModel
from untwist.recipes.evaluate_judge import EvaluateJudge, run

WORDS = "a made up secret"


def triple(n, match, adequacy=0, risk=1, **more):
    votes = match if isinstance(match, list) else [match]
    return {
        "id": f"t{n}", "text": WORDS, "lang": "en", "labels": ["labeling"], "intensity": "mild",
        "risk": "low", "strategy": "behavior_vs_identity", "reply": "One slip is one slip.",
        "votes": [
            {"by": f"v{v}", "match": one, "adequacy": adequacy, "risk": risk}
            for v, one in enumerate(votes)
        ],
        "written_by": "a test", **more,
    }  # fmt: skip


def judge(tmp_path, rows=None, scores=None, **changes):
    file = str(write_lines(tmp_path / "triples.jsonl", rows)) if rows is not None else ""
    said = str(write_lines(tmp_path / "scores.jsonl", scores)) if scores is not None else ""
    config = EvaluateJudge(str(tmp_path / "run"), file, said, **{"resamples": 20, **changes})
    path, metrics = run(config)
    return path, metrics, {(one["judge"], one["scale"]): one for one in metrics["judges"]}


def test_votes_are_counted_and_their_agreement_is_that_by_hand(tmp_path):
    rows = [triple(1, [1, 1]), triple(2, [1, 0]), triple(3, [0, 0]), triple(4, [0, 0])]
    _, metrics, _ = judge(tmp_path, rows, folds=2)
    found = metrics["votes"]["match"]
    assert (found["labels"], found["tied"]) == ({"0": 2, "1": 1}, 1)
    # three of four pairs agree; 3 of 8 votes are 1: chance is (3² + 5²) / 8²
    chance = (9 + 25) / 64
    assert found["kappa"] == pytest.approx((3 / 4 - chance) / (1 - chance))
    assert found["same"] == 3 / 4
    assert metrics["voters"] == ["v0", "v1"]


def sixty(score):
    """Sixty replies whose strategy matches when their number is odd, with a judge's score."""
    return [triple(n, n % 2, scores={"match": score(n)}) for n in range(60)]


def test_a_judge_that_is_right_but_low_is_repaired(tmp_path):
    # nearest label of 0.1 and 0.4 is always 0
    path, _, lines = judge(tmp_path, sixty(lambda n: 0.4 if n % 2 else 0.1), judge="low@1")
    found = lines["low@1", "match"]["calibration"]
    assert found["raw"]["hits"] == 30
    assert found["raw_kappa"] == 0
    assert found["kappa"] == 1
    assert found["log_loss"] < found["floor"] / 3
    assert lines["low@1", "match"]["most_frequent"]["value"] == 0.5
    assert text_of(path).startswith("# Judge: low@1")


def test_a_judge_that_knows_nothing_is_no_better_than_the_floor(tmp_path):
    _, _, lines = judge(tmp_path, sixty(lambda n: float(n % 7)))
    found = lines["judge", "match"]["calibration"]
    assert found["log_loss"] > 0.9 * found["floor"]


def test_the_calibrator_of_all_triples_is_kept_and_can_be_read(tmp_path):
    path, _, _ = judge(tmp_path, sixty(lambda n: 0.4 if n % 2 else 0.1))
    kept = json.loads((path / "calibrator.json").read_text(encoding="utf-8"))
    assert kept["columns"] == ["match"]
    assert kept["scales"]["risk"] is None
    found = Calibrator.from_dict(kept["scales"]["match"])
    assert found.labels([[0.1], [0.4]]).tolist() == [0, 1]


def test_a_scale_on_which_all_labels_are_the_same_says_so(tmp_path):
    path, _, lines = judge(tmp_path, sixty(lambda n: 0.5))
    assert lines["judge", "risk"]["calibration"] is None
    assert "all labels of risk are the same" in lines["judge", "risk"]["why"]
    assert "all labels of risk are the same" in text_of(path)


def test_scores_of_a_file_count_before_those_in_the_triples(tmp_path):
    rows = sixty(lambda n: float(n % 7))
    scores = [{"id": f"t{n}", "scores": {"match": float(n % 2)}} for n in range(60)]
    _, _, lines = judge(tmp_path, rows, scores)
    assert lines["judge", "match"]["calibration"]["raw_kappa"] == 1


def test_what_a_judge_left_out_is_counted_and_not_guessed(tmp_path):
    scores = [{"id": f"t{n}", "scores": {"match": float(n % 2)}} for n in range(40)]
    scores.append({"id": "t40", "scores": {"match": None}})
    _, _, lines = judge(tmp_path, sixty(lambda n: 0.0), scores)
    assert lines["judge", "match"]["unscored"] == 20
    assert lines["judge", "match"]["calibration"]["n"] == 40


def test_without_a_judge_the_rules_stand_alone_on_the_triples_that_ship(tmp_path):
    path, metrics, lines = judge(tmp_path)
    assert metrics["triples"] == len(list(shipped_triples()))
    assert {name for name, _ in lines} == {"rules"}
    assert not (path / "calibrator.json").exists()
    for scale in ("match", "adequacy", "risk"):
        found = lines["rules", scale]["calibration"]
        assert found["log_loss"] < found["floor"], scale
        assert metrics["votes"][scale]["kappa"] > 0.5, scale
    # the rules score empathy nowhere, so there is nothing to read as it is
    assert lines["rules", "adequacy"]["calibration"]["raw_kappa"] is None


def test_rules_know_the_matrix_and_the_wording_alone(tmp_path):
    rows = [triple(n, n % 2) for n in range(20)]
    for n, row in enumerate(rows):
        row["strategy"] = "behavior_vs_identity" if n % 2 else "finding_the_gray"
    _, _, lines = judge(tmp_path, rows)
    assert lines["rules", "match"]["calibration"]["raw_kappa"] == 1


def test_results_keep_to_their_schema_and_hold_no_words_of_the_triples(tmp_path):
    path, _, _ = judge(tmp_path, sixty(lambda n: 0.5))
    assert not [f for f in path.iterdir() if WORDS in f.read_text(encoding="utf-8")]
    check(metrics_of(path), "judge")


def test_equal_settings_give_equal_files(tmp_path):
    texts = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        path, _, _ = judge(tmp_path / name, sixty(lambda n: float(n % 7)), command="x")
        texts.append(text_of(path, "metrics.json"))
    assert texts[0] == texts[1]


@pytest.mark.parametrize(
    ("scores", "why"),
    [
        ([{"id": "t99", "scores": {}}], r"scores\.jsonl:1: give each triple's id once"),
        ([{"id": "t1", "scores": {}}] * 2, r"scores\.jsonl:2: give each triple's id once"),
        ([{"id": "t1", "scores": {"match": "high"}}], r"scores\.jsonl:1: no "),
        ([{"id": "t1", "scores": [1]}], r"scores\.jsonl:1: no "),
    ],
)
def test_scores_that_cannot_be_used_stop_with_their_line(tmp_path, scores, why):
    with pytest.raises(DataError, match=why):
        judge(tmp_path, [triple(n, n % 2) for n in range(9)], scores)


def test_wrong_settings_are_refused(tmp_path):
    rows = [triple(n, n % 2) for n in range(4)]
    with pytest.raises(DataError, match="4 states for 5 folds"):
        judge(tmp_path, rows)
    with pytest.raises(DataError, match="t0 occurs twice"):
        judge(tmp_path, [rows[0], rows[0]], folds=2)
    with pytest.raises(DataError, match="holds no triple"):
        judge(tmp_path, [])
    with pytest.raises(ConfigError, match="name yours otherwise"):
        judge(tmp_path, rows, judge="rules")


def _says(request):
    """A judge by the strategy that it is told, which declines every reply that asks it to."""
    shown = request.messages[-1]["content"]
    if "decline" in shown:
        return "I'm sorry, but I can't judge this."
    match = int("One slip" in shown)
    scores = {"match": match, "adequacy": 0, "risk": None if "skip" in shown else 1}
    return json.dumps({scale: {"why": "so", "score": one} for scale, one in scores.items()})


def test_a_language_model_is_asked_and_what_it_declines_is_unscored(tmp_path):
    rows = [triple(n, n % 2, reply="One slip." if n % 2 else "No.") for n in range(20)]
    rows[3]["reply"] += " decline"
    rows[4]["reply"] += " skip"
    file = str(write_lines(tmp_path / "triples.jsonl", rows))
    model = ScriptedModel(_says)
    asked = PromptedJudge(model)
    config = EvaluateJudge(
        str(tmp_path / "run"), file, judge=asked.name, resamples=20, folds=2, at_once=3
    )
    path, metrics = run(config, ask=asked)
    said = [json.loads(line) for line in (path / "scores.jsonl").read_text("utf-8").splitlines()]
    assert [row["id"] for row in said] == [row["id"] for row in rows]
    assert said[3] == {"id": "t3", "scores": {}, "unscored": "refused"}
    assert said[4]["scores"]["risk"] is None
    assert said[5] == {
        "id": "t5", "scores": {"match": 1.0, "adequacy": 0.0, "risk": 1.0},
        "why": dict.fromkeys(("match", "adequacy", "risk"), "so"),
    }  # fmt: skip
    lines = {(one["judge"], one["scale"]): one for one in metrics["judges"]}
    assert lines[asked.name, "match"]["unscored"] == 2
    assert len(model.requests) == 20
    # what was said can be scored again without asking
    again = EvaluateJudge(
        str(tmp_path / "again"), file, str(path / "scores.jsonl"), asked.name, 2, resamples=20
    )
    assert run(again)[1]["judges"] == metrics["judges"]
    with pytest.raises(ConfigError, match="leave one"):
        run(EvaluateJudge(str(tmp_path / "x"), file, file), ask=asked)
