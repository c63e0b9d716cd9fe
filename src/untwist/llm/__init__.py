"""Asking language models: one request, one answer, and a reason wherever there is none.

Purpose: what detects, annotates, generates and judges asks any model through this one door.
Takes: requests (messages, a JSON schema, limits).
Gives: answers with their cost, or a ModelError with its reason; a failure is never text.
May import: ports, schema, taxonomy, text, safety, artifacts, errors.
Heavy doors: llm.local (transformers, the extra "finetune").
"""

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
from untwist.llm.scripted import ScriptedModel

__all__ = [
    "Answer",
    "Model",
    "Request",
    "ScriptedModel",
    "Usage",
    "canonical_json",
    "from_cache",
    "key_of",
    "request_of",
    "waited",
]
