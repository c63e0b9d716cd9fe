"""R_imp: the simulated change, or what a judge says of the reply."""

import numpy as np
import pytest

from tests.policy import tiny
from untwist.errors import DataError
from untwist.policy.improve import Judged
from untwist.policy.reward import ACTIONS, VALIDATE
from untwist.respond import ScriptedResponder
from untwist.taxonomy import Strategy


class _Judge:
    """Likes listening; what it was shown is kept."""

    def __init__(self, best=4.0):
        self.best, self.seen = best, []

    def score(self, heard, reply):
        self.seen.append((heard, reply))
        listened = reply.strategy is Strategy.EMPATHIC_VALIDATION
        return {"adequacy": self.best if listened else 1.0}


def turn(judge, action):
    env = tiny.environment(40, 5, improvement=Judged(judge, ScriptedResponder(), "adequacy", 4.0))
    said = env.row.copy()
    _, _, _, info = env.turn(np.full(40, action))
    return said, info["components"]


def test_a_judge_reads_what_was_answered_and_the_reply_that_carries_the_strategy_out():
    judge = _Judge()
    said, parts = turn(judge, VALIDATE)
    assert [heard for heard, _ in judge.seen] == [tiny.pool().assessments[row] for row in said]
    assert {heard.utterance.lang == reply.lang for heard, reply in judge.seen} == {True}
    calm = tiny.pool().truth.risk[said] < 3
    assert (parts.improvement[calm] == 1.0).all()
    assert (parts.improvement[~calm] == 0.0).all()
    other = turn(_Judge(), ACTIONS.index(Strategy.REALITY_TESTING))[1]
    assert set(other.improvement.tolist()) == {0.25, 0.0}


def test_by_default_it_is_what_the_simulation_changed():
    env = tiny.environment(40, 5)
    said = env.row.copy()
    _, _, _, info = env.turn(np.full(40, VALIDATE))
    calm = tiny.pool().truth.risk[said] < 3
    assert np.array_equal(info["components"].improvement[calm], info["outcome"].improvement[calm])


def test_a_reply_that_a_judge_cannot_score_stops_and_no_reward_is_made_up():
    with pytest.raises(DataError, match="a reward is not guessed"):
        turn(_Judge(best=9.0), VALIDATE)
