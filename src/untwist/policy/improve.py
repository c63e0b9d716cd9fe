"""R_imp of CoPoLLM's Equation 1, three ways: simulated, by a judge, by a calibrated judge.

The environment asks one of these after every turn. A judge reads a reply, so a responder carries
each strategy out in words first; with a language model on either side that is slow, and it has to
be said beside every figure which of them was used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from untwist.policy.dynamics import Outcome
from untwist.policy.pool import Pool
from untwist.policy.ranking import match
from untwist.policy.reward import ACTIONS, Codes, Floats, judged_improvement
from untwist.ports import Judge, Responder
from untwist.schema import Choice

Improvement = Callable[[Pool, Codes, Codes, Outcome], Floats]
"""From what can be said, what was said (rows of it), what was done, and what that did: how much
better each person is for it."""


def simulated(pool: Pool, said: Codes, actions: Codes, outcome: Outcome) -> Floats:
    """The change that the simulation made: beliefs and distress that went, a good or a bad end."""
    return outcome.improvement


@dataclass(frozen=True, slots=True)
class Judged:
    """The score of a judge in place of the simulated change; a calibrated judge fits as well.

    Attributes:
        judge: scores replies.
        responder: carries the strategies out.
        scale: the name of the judge's scale.
        highest: the best score of that scale.
    """

    judge: Judge
    responder: Responder
    scale: str
    highest: float

    @property
    def name(self) -> str:
        """Which judge scores whose replies on which scale."""
        judge = getattr(self.judge, "name", type(self.judge).__qualname__)
        return f"{judge} of {self.responder.name}: {self.scale} to {self.highest}"

    def __call__(self, pool: Pool, said: Codes, actions: Codes, outcome: Outcome) -> Floats:
        """0 to 1 for each turn.

        Raises:
            DataError: the judge left a reply unscored, or a score is out of range.
        """
        pairs = zip(said.tolist(), actions.tolist(), strict=True)
        return np.array([self._one(pool, row, action) for row, action in pairs], np.float32)

    def _one(self, pool: Pool, row: int, action: int) -> float:
        heard, strategy = pool.assessments[row], ACTIONS[action]
        choice = Choice(strategy, *match(strategy, heard), "judged")
        reply = self.responder.reply(choice, heard, ())
        return judged_improvement(self.judge, heard, reply, self.scale, self.highest)
