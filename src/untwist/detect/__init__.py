"""Hearing: which distortions a message carries, where, how strong, and how much risk.

Purpose: detectors behind one socket, and second readers of risk and of drafts.
Takes: Utterance (and the utterances before it).
Gives: Assessment, with a risk that is never below the safety screen's.
May import: llm, embed, artifacts, safety, schema, taxonomy, text, errors.
Heavy doors: detect.prompted, which takes the room llm along, is opened when it is asked for.
"""

from typing import TYPE_CHECKING, Any

from untwist.detect.drafts import DraftReader
from untwist.detect.fast import FastDetector
from untwist.detect.risk import RiskReader
from untwist.detect.train import Example, FastConfig, fit
from untwist.detect.train_drafts import DraftConfig, DraftExample, fit_drafts
from untwist.detect.train_risk import RiskConfig, RiskExample, fit_risk

if TYPE_CHECKING:
    from untwist.detect.prompted import PromptedDetector

__all__ = [
    "DraftConfig",
    "DraftExample",
    "DraftReader",
    "Example",
    "FastConfig",
    "FastDetector",
    "PromptedDetector",
    "RiskConfig",
    "RiskExample",
    "RiskReader",
    "fit",
    "fit_drafts",
    "fit_risk",
]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:  # noqa: ANN401
        # a fifth of the time that a command takes to start, for those who ask no model
        if name == "PromptedDetector":
            from untwist.detect.prompted import PromptedDetector

            return PromptedDetector
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
