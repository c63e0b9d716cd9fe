"""Asking language models: one request, one answer, and a reason wherever there is none.

Purpose: what detects, annotates, generates and judges asks any model through this one door.
Takes: requests (messages, a JSON schema, limits).
Gives: answers with their cost, or a ModelError with its reason; a failure is never text.
May import: ports, schema, taxonomy, text, safety, artifacts, errors.
Heavy doors: llm.local (transformers, the extra "finetune"), llm.sdk (openai, the extra "llm").
"""

from untwist.llm.cache import Cache, CachedModel
from untwist.llm.calls import (
    Answer,
    Model,
    Request,
    Usage,
    canonical_json,
    from_cache,
    key_of,
    request_of,
    waited,
)
from untwist.llm.http import HttpModel
from untwist.llm.judging import PromptedJudge
from untwist.llm.limits import Clock, Limits, Prices, Spent
from untwist.llm.probe import Check, probe
from untwist.llm.scripted import ScriptedModel
from untwist.llm.settings import open_model
from untwist.llm.streaming import pieces
from untwist.llm.structured import faults, parsed

__all__ = [
    "Answer",
    "Cache",
    "CachedModel",
    "Check",
    "Clock",
    "HttpModel",
    "Limits",
    "Model",
    "Prices",
    "PromptedJudge",
    "Request",
    "ScriptedModel",
    "Spent",
    "Usage",
    "canonical_json",
    "faults",
    "from_cache",
    "key_of",
    "open_model",
    "parsed",
    "pieces",
    "probe",
    "request_of",
    "waited",
]
