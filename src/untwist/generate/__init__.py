"""Synthetic data with any model: every item is made once, or failed with a reason that is counted.

Purpose: pipelines that ask a model about many items, and can be killed and go on.
Takes: items with stable ids; a model of the room llm.
Gives: rows with their provenance, from a journal; counts of what failed and why.
May import: data, llm, ports, schema, taxonomy, text, safety, artifacts, errors.
Heavy doors: generate.remote (ray, the extra "ray").
"""

from untwist.generate.annotate import Annotate, Sift
from untwist.generate.asking import Sampling
from untwist.generate.cbtqa import CbtQa
from untwist.generate.chains import Chains
from untwist.generate.enhance import Enhance
from untwist.generate.journal import Entry, Item, Journal, write_rows
from untwist.generate.runner import Summary, arun, run
from untwist.generate.scenarios import Scenarios
from untwist.generate.work import Job, Rejected, Result, Work

__all__ = [
    "Annotate",
    "CbtQa",
    "Chains",
    "Enhance",
    "Entry",
    "Item",
    "Job",
    "Journal",
    "Rejected",
    "Result",
    "Sampling",
    "Scenarios",
    "Sift",
    "Summary",
    "Work",
    "arun",
    "run",
    "write_rows",
]
