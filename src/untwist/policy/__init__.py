"""Choosing: which strategy the next reply carries out.

Purpose: policies behind one socket, and where one is learnt: states, rewards, seekers, training.
Takes: Assessment, the strategies that the safety gate allows, Session.
Gives: Choice.
May import: llm, artifacts, embed, safety, ports, schema, taxonomy, text, errors.
Heavy doors: none.
"""

from untwist.policy.baselines import AlwaysValidate, MatrixPolicy
from untwist.policy.explain import Explanation, explanation_of
from untwist.policy.learned import LearnedPolicy
from untwist.policy.ranking import Ranked, Ranker
from untwist.policy.state import StateEncoder, describe, session_of

__all__ = [
    "AlwaysValidate",
    "Explanation",
    "LearnedPolicy",
    "MatrixPolicy",
    "Ranked",
    "Ranker",
    "StateEncoder",
    "describe",
    "explanation_of",
    "session_of",
]
