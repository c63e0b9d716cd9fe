"""Choosing: which strategy the next reply carries out.

Purpose: policies behind one socket; the matrix policy is the default.
Takes: Assessment and the strategies that the safety gate allows.
Gives: Choice.
May import: schema, taxonomy, errors.
Heavy doors: none.
"""

from untwist.policy.baselines import AlwaysValidate, MatrixPolicy

__all__ = ["AlwaysValidate", "MatrixPolicy"]
