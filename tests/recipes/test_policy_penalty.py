"""Property 4.2 by experiment, on a made-up corpus."""

import json

import pytest

from tests.recipes import tiny_policy
from tests.recipes.tiny import metrics_of, text_of
from untwist.errors import ConfigError
from untwist.policy.learning import Learning
from untwist.recipes.policy_penalty import PolicyPenalty, run

SHORT = Learning(episodes=1500, environments=16, capacity=4000, batch=32, updates=4, hidden=(24,),
                 dropout=0.0, warm_up=100, rate=3e-3, clip=10.0, bandit=True,
                 epsilon=(1.0, 1.0))  # fmt: skip


@pytest.fixture
def config(tmp_path, no_pictures):
    source = tiny_policy.write_corpus(tmp_path)
    return PolicyPenalty(
        str(tmp_path / "run"), (0.0, 8.0), (1,), (source,), ("train", "validation"),
        encoder_size=64, learning=SHORT,
    )  # fmt: skip


def test_a_larger_penalty_concentrates_on_crisis_intervention_at_high_risk(config):
    folder, metrics = run(config)
    none, much = metrics["runs"]
    assert (none["penalty"], much["penalty"]) == (0.0, 8.0)
    assert much["high_risk"]["concentration"] > none["high_risk"]["concentration"]
    assert much["high_risk"]["mean"] > none["high_risk"]["mean"] + 2
    assert metrics_of(folder) == json.loads(json.dumps(metrics))
    rows = tiny_policy.corpus_rows()
    test = [row for row in rows if row["split"] == "test"]
    assert metrics["messages"] == {
        "high_risk": sum(row["risk"] == "high" for row in test),
        "below_high_risk": sum(row["risk"] != "high" for row in test),
    }
    report = text_of(folder)
    assert "| 0 |" in report
    assert "| 8 |" in report


def test_the_measured_part_is_never_learnt_from():
    with pytest.raises(ConfigError, match="leave it out"):
        PolicyPenalty("x", learnt_parts=("train", "test"))
    with pytest.raises(ConfigError, match="at least one"):
        PolicyPenalty("x", penalties=())
