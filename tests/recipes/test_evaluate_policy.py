"""Scoring policies: known values, equal people, and what stops a run."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.recipes.tiny import metrics_of, text_of
from tests.recipes.tiny_policy import Deaf, constant, corpus_rows, write_corpus
from untwist.errors import ArtifactError, ConfigError, DataError
from untwist.evaluate import check
from untwist.policy import LearnedPolicy
from untwist.recipes import publish
from untwist.recipes.evaluate_logged import LoggedConfig
from untwist.recipes.evaluate_policy import EvaluatePolicy, run

QUICK = {"seekers": 30, "resamples": 8, "logged": LoggedConfig(dialogues=0)}


def evaluate(folder, *policies, corpus=None, detector=None, out="run", **changes):
    corpus = corpus or write_corpus(folder)
    config = EvaluatePolicy(str(folder / out), policies, (corpus,), **{**QUICK, **changes})
    return run(config, detector)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Two policies that always examine evidence, one that prefers crisis intervention."""
    folder = tmp_path_factory.mktemp("policy")
    find_spec, publish.find_spec = publish.find_spec, lambda name: None
    try:
        return evaluate(
            folder,
            constant(folder / "one", "toy@1", A2=2.0, A9=1.5),
            constant(folder / "two", "toy@1", A2=2.0, A9=1.5),
            constant(folder / "three", "twin@1", A2=2.0, A9=1.5),
            constant(folder / "four", "anxious@1", A9=3.0, A0=1.0),
            detector=Deaf(),
        )
    finally:
        publish.find_spec = find_spec


@pytest.fixture(autouse=True)
def _pictures(no_pictures):
    """Tables alone are of interest here."""


def line(metrics, system, labels="gold", shield=True, session="as found", run=1):
    (found,) = [
        one for one in metrics["lines"]
        if (one["system"], one["labels"], one["shield"], one["session"], one["run"])
        == (system, labels, shield, session, run)
    ]  # fmt: skip
    return found


def totals(one):
    return {name: found["value"] for name, found in one["scores"]["totals"].items()}


def test_hits_of_one_strategy_are_those_of_the_matrix(whole):
    # A2 is gold for 3 of 12 distortions and silver for 3; all are once in each language
    found = totals(line(whole[1], "toy@1"))
    assert found["gold"] == found["macro_gold"] == pytest.approx(3 / 12)
    assert found["either"] == pytest.approx(6 / 12)
    assert found["combined"] == pytest.approx((3 + 0.75 * 3) / 12)
    assert found["validation"] == 0


def test_by_distortion_one_strategy_is_right_everywhere_or_nowhere(whole):
    found = line(whole[1], "toy@1")["scores"]["distortions"]
    assert {name for name, one in found.items() if one["gold"]["value"] == 1} == {
        "overgeneralization", "mental_filter", "disqualifying_positive",
    }  # fmt: skip
    assert {one["gold"]["n"] for one in found.values()} == {2}
    assert found["magnification"]["combined"]["value"] == 0.75


def test_the_shield_makes_every_crisis_call_and_no_false_one(whole):
    def rates(shield, system):
        found = line(whole[1], system, shield=shield)["scores"]["crisis"]
        return found["tp"], found["fn"], found["fp"]

    assert rates(True, "toy@1") == rates(True, "anxious@1") == (2, 0, 0)
    assert rates(False, "toy@1") == (0, 2, 0)
    # below high risk there are 24 distorted and 2 calm messages
    assert rates(False, "anxious@1") == (2, 0, 26)


def test_safety_advantage_is_the_gap_to_the_best_other_value(whole):
    high = line(whole[1], "toy@1", shield=False)["advantage"]["high"]
    assert (high["n"], high["mean"], high["sd"]) == (2, -0.5, 0)
    assert high["positive"]["value"] == 0
    below = line(whole[1], "anxious@1", shield=False)["advantage"]["below"]
    assert (below["n"], below["mean"], below["positive"]["value"]) == (26, 2, 1)


def test_the_matrix_is_the_oracle_of_moderate_cases_and_validation_is_never_gold(whole):
    assert totals(line(whole[1], "matrix@1"))["gold"] == 1
    found = totals(line(whole[1], "always-validate@1"))
    assert (found["gold"], found["validation"]) == (0, 1)


def test_predicted_labels_are_judged_by_the_gold_ones(whole):
    # a detector that hears nothing makes the matrix validate, and the gate open nothing
    found = line(whole[1], "matrix@1", labels="predicted")
    assert totals(found)["gold"] == 0
    assert totals(found)["validation"] == 1
    assert found["scores"]["crisis"]["fn"] == 2
    assert whole[1]["detector"] == "deaf@1"


def test_equal_policies_meet_equal_people(whole):
    gaps = {(gap["run"], gap["second"]): gap for gap in whole[1]["return_differences"]}
    for run_ in (1, 2):
        assert gaps[run_, "twin@1"]["undiscounted"]["value"] == 0
        assert gaps[run_, "twin@1"]["faded"]["interval"]["high"] == 0
    assert gaps[1, "matrix@1"]["undiscounted"]["value"] < 0


def test_folders_of_one_name_are_runs_of_one_system(whole):
    systems = {one["name"]: one["runs"] for one in whole[1]["systems"]}
    assert systems == {
        "toy@1": 2, "twin@1": 1, "anxious@1": 1, "matrix@1": 1, "always-validate@1": 1,
        "most-frequent-gold": 1, "random": 1,
    }  # fmt: skip
    (over,) = [
        one for one in whole[1]["over_runs"]
        if (one["system"], one["labels"], one["shield"], one["score"])
        == ("toy@1", "gold", "unshielded", "return")
    ]  # fmt: skip
    assert len(over["values"]) == 2
    assert over["sd"] == 0


def test_at_high_risk_a_shielded_conversation_ends_with_a_person_at_once(whole):
    found = {
        (one["system"], one["shield"]): one
        for one in whole[1]["returns"]
        if one["run"] == 1 and one["labels"] == "gold"
    }
    # Table 7: high risk and crisis intervention +4
    assert found["matrix@1", True]["seekers"]["E"] == pytest.approx(4)
    assert found["matrix@1", False]["seekers"]["E"] < 0
    assert found["always-validate@1", True]["habits"]["listened_first"]["value"] == 1
    assert found["toy@1", True]["habits"]["repeated"]["value"] == 1


def test_the_report_names_every_system_and_holds_no_text(whole):
    path, metrics = whole
    report = text_of(path)
    for system in metrics["systems"]:
        assert system["name"] in report
    assert "toy@1, run 2" in report
    written = "".join(file.read_text(encoding="utf-8") for file in path.iterdir())
    assert not [one["id"] for one in corpus_rows() if one["text"] in written]


def test_equal_settings_give_equal_files(tmp_path):
    policy = constant(tmp_path / "p", A1=1.0)
    corpus = write_corpus(tmp_path)
    more = {"corpus": corpus, "logged": LoggedConfig(dialogues=20, truth_seekers=20)}
    first, _ = evaluate(tmp_path, policy, out="a", **more)
    again, _ = evaluate(tmp_path, policy, out="b", **more)
    assert text_of(first, "metrics.json") == text_of(again, "metrics.json")
    other, _ = evaluate(tmp_path, policy, out="c", seed=1, **more)
    assert text_of(first, "metrics.json") != text_of(other, "metrics.json")


def test_without_a_learned_policy_the_matrix_is_compared_with_the_others(tmp_path):
    path, metrics = evaluate(tmp_path)
    assert metrics["systems"][0]["name"] == "matrix@1"
    assert {gap["second"] for gap in metrics["return_differences"]} == {
        "always-validate@1", "most-frequent-gold", "random",
    }  # fmt: skip
    assert "# Safety advantage" not in text_of(path)
    assert metrics["detector"] is None


def test_the_matrix_by_its_own_log_earns_what_it_earns_when_played(tmp_path):
    logged = LoggedConfig(dialogues=400, truth_seekers=400, max_turns=1)
    _, metrics = evaluate(tmp_path, logged=logged, resamples=100)
    (matrix,) = [one for one in metrics["off_policy"] if one["system"] == "matrix@1"]
    ends = matrix["estimates"]["intervals"]["wdr"]
    assert ends["low"] < matrix["truth"]["value"] < ends["high"]
    assert {one["system"] for one in metrics["off_policy"]} == {
        "matrix@1", "always-validate@1", "most-frequent-gold",
    }  # fmt: skip


def test_a_log_that_was_made_is_kept_only_when_asked_for(tmp_path):
    corpus = write_corpus(tmp_path)
    for keep in (True, False):
        logged = LoggedConfig(dialogues=5, truth_seekers=5, keep=keep)
        path, _ = evaluate(tmp_path, out=f"run-{keep}", corpus=corpus, logged=logged)
        assert (path / "logged.jsonl").exists() is keep


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"gamma": 1.5}, "gamma is 1.5"),
        ({"resamples": 0}, "at least one resample"),
        ({"seekers": 1}, "two seekers"),
        ({"logged": LoggedConfig(soft=0.0)}, "0 < soft <= 1"),
    ],
)
def test_numbers_out_of_range_are_refused(tmp_path, changes, why):
    with pytest.raises(ConfigError, match=why):
        evaluate(tmp_path, **changes)


def test_a_learned_policy_cannot_take_a_baselines_name(tmp_path):
    with pytest.raises(ConfigError, match="matrix@1: that is a baseline's name"):
        evaluate(tmp_path, constant(tmp_path / "p", "matrix@1"))


def test_a_folder_that_is_no_policy_is_refused(tmp_path):
    with pytest.raises(ArtifactError):
        evaluate(tmp_path, str(tmp_path))


def test_a_policy_with_a_value_that_is_no_number_is_refused(tmp_path):
    policy = LearnedPolicy.load(Path(constant(tmp_path / "p")))
    policy.network.flat[0] = np.nan
    policy.save(tmp_path / "spoilt", "# made up\n")
    with pytest.raises(ArtifactError, match="NaN"):
        evaluate(tmp_path, str(tmp_path / "spoilt"))


def test_people_cannot_be_simulated_without_messages_at_high_risk(tmp_path):
    with pytest.raises(DataError, match="at high risk: add at least one"):
        evaluate(tmp_path, corpus=write_corpus(tmp_path, corpus_rows(high=0)))


def test_choices_alone_are_scored_where_nobody_can_be_simulated(tmp_path):
    rows = [row for row in corpus_rows(high=0) if row["lang"] == "zh"][:20]
    path, metrics = evaluate(tmp_path, corpus=write_corpus(tmp_path, rows), seekers=0)
    assert (metrics["returns"], metrics["off_policy"]) == ([], [])
    assert totals(line(metrics, "matrix@1"))["gold"] == 1
    assert metrics["rows"]["n"] == len([row for row in rows if row["split"] == "test"])
    _, all_ = evaluate(tmp_path, corpus=str(tmp_path / "own.jsonl"), seekers=0, part="all", out="a")
    assert all_["rows"]["n"] == len(rows)
    assert "# Returns" not in text_of(path)
    check(metrics_of(path), "policy")


def test_a_part_without_labels_is_refused(tmp_path):
    rows = [row for row in corpus_rows() if row["split"] == "train"]
    with pytest.raises(DataError, match="no message of test"):
        evaluate(tmp_path, corpus=write_corpus(tmp_path, rows))


def test_the_metrics_that_are_written_are_those_that_are_returned(whole):
    path, metrics = whole
    assert metrics_of(path) == json.loads(json.dumps(metrics))


def test_metrics_keep_to_their_schema_and_nothing_else_does(whole, tmp_path):
    check(metrics_of(whole[0]), "policy")
    logged = LoggedConfig(dialogues=20, truth_seekers=20)
    small = metrics_of(evaluate(tmp_path, logged=logged)[0])
    check(small, "policy")
    small["returns"][0]["habits"]["surplus"] = 1
    with pytest.raises(DataError, match="not a policy"):
        check(small, "policy")


@pytest.mark.slow
def test_every_picture_is_drawn_and_stands_in_the_report(tmp_path, monkeypatch):
    monkeypatch.undo()
    path, _ = evaluate(tmp_path, constant(tmp_path / "p", A2=1.0))
    for name in ("hits", "advantage", "return-differences", "turns-1"):
        assert (path / f"{name}.png").is_file(), name
        assert f"({name}.svg)" in text_of(path)
