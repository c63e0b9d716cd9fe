"""Policies judged on dialogues that another one led: by hand."""

import pytest

from tests.recipes.tiny import metrics_of, text_of
from tests.recipes.tiny_policy import constant
from untwist.data import LoggedTurn, write_logged
from untwist.errors import ConfigError, DataError
from untwist.evaluate import check
from untwist.recipes.evaluate_logged import EvaluateLogged, run
from untwist.schema import Assessment, Finding, Utterance
from untwist.taxonomy import Distortion, Intensity, Risk, Strategy

WORDS = "a made up secret"


@pytest.fixture(autouse=True)
def _pictures(no_pictures):
    """There are none."""


def heard(risk=Risk.LOW):
    finding = Finding(Distortion.LABELING, 1.0)
    return Assessment(Utterance(WORDS, "en"), (finding,), Intensity.MODERATE, risk, (), (), "gold")


def turn(dialogue, action, propensity, reward, number=0, done=True, risk=Risk.LOW):
    return LoggedTurn(dialogue, number, heard(risk), Strategy(action), propensity, reward, done)


# the matrix answers labeling with behaviour vs. identity
GOLD, LISTEN = "behavior_vs_identity", "empathic_validation"
LOG = [
    turn("a", GOLD, 0.5, 1),
    turn("b", GOLD, 0.25, 4),
    turn("c", LISTEN, 0.5, 8),
    turn("d", "cost_benefit", 0.25, -3),
]


def judge(tmp_path, turns, *policies, **changes):
    file = tmp_path / "log.jsonl"
    write_logged(file, turns)
    config = EvaluateLogged(
        str(tmp_path / "run"), str(file), policies, **{"resamples": 20, **changes}
    )
    path, metrics = run(config)
    return path, {one["system"]: one["estimates"] for one in metrics["off_policy"]}


def test_each_policy_earns_the_weighted_mean_of_the_turns_it_would_have_played(tmp_path):
    _, found = judge(tmp_path, LOG)
    # matrix: weights 1/0.5 = 2 and 1/0.25 = 4, rewards 1 and 4
    assert found["matrix@1"]["values"]["wis"] == pytest.approx((2 * 1 + 4 * 4) / 6)
    assert found["always-validate@1"]["values"]["wis"] == pytest.approx(8)
    assert found["matrix@1"]["matched"] == 2
    # (2 + 4)² / (2² + 4²)
    assert found["matrix@1"]["effective"] == pytest.approx(36 / 20)
    assert found["matrix@1"]["values"]["logged"] == pytest.approx(10 / 4)


def test_a_learned_policy_is_judged_by_its_folder(tmp_path):
    policy = constant(tmp_path / "p", "toy@1", A5=1.0)
    path, found = judge(tmp_path, LOG, policy)
    assert found["toy@1"]["values"]["wis"] == pytest.approx(-3)
    assert "toy@1" in text_of(path)


def test_behind_the_shield_danger_is_answered_with_crisis_intervention_alone(tmp_path):
    danger = [
        turn("a", "crisis_intervention", 0.5, 4, risk=Risk.HIGH),
        turn("b", GOLD, 0.5, -1, risk=Risk.HIGH),
    ]
    _, found = judge(tmp_path, danger)
    assert {one["values"]["wis"] for one in found.values()} == {4}


def test_later_turns_weigh_less(tmp_path):
    two = [
        turn("a", GOLD, 0.5, 1, done=False),
        turn("a", GOLD, 0.5, 2, number=1),
        turn("b", GOLD, 0.5, 1),
    ]
    _, found = judge(tmp_path, two, gamma=0.5)
    # weights 4 and 2, returns 1 + 0.5 * 2 and 1
    assert found["matrix@1"]["values"]["wis"] == pytest.approx((4 * 2 + 2 * 1) / 6)


def test_results_keep_to_their_schema_and_hold_no_words_of_the_log(tmp_path):
    path, _ = judge(tmp_path, LOG)
    assert not [f for f in path.iterdir() if WORDS in f.read_text(encoding="utf-8")]
    check(metrics_of(path), "logged")


def test_a_log_of_one_dialogue_says_that_it_is_too_short(tmp_path):
    with pytest.raises(DataError, match="1 dialogues for 2 folds"):
        judge(tmp_path, LOG[:1])


def test_a_policy_cannot_be_judged_under_a_baselines_name(tmp_path):
    with pytest.raises(ConfigError, match="baseline's name"):
        judge(tmp_path, LOG, constant(tmp_path / "p", "matrix@1"))
