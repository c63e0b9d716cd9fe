"""Hearing: which distortions a message carries, where, how strong, and how much risk.

Purpose: detectors behind one socket, and second readers of risk and of drafts.
Takes: Utterance (and the utterances before it).
Gives: Assessment, with a risk that is never below the safety screen's.
May import: llm, embed, artifacts, safety, schema, taxonomy, text, errors.
Heavy doors: detect.prompted (takes the room llm along), detect.finetuned, detect.train_encoder
    (PyTorch) and detect.onnx (onnxruntime) are opened when they are asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from untwist.detect.drafts import DraftReader
from untwist.detect.fast import FastDetector
from untwist.detect.risk import RiskReader
from untwist.detect.train import Example, FastConfig, fit
from untwist.detect.train_drafts import DraftConfig, DraftExample, fit_drafts
from untwist.detect.train_risk import RiskConfig, RiskExample, fit_risk

if TYPE_CHECKING:
    from untwist.detect.encoder_config import EncoderConfig, preset, presets
    from untwist.detect.finetuned import FinetunedDetector
    from untwist.detect.folder import kind_of
    from untwist.detect.onnx import OnnxDetector, export
    from untwist.detect.prompted import PromptedDetector
    from untwist.detect.teach import ask_teacher
    from untwist.detect.train_encoder import Fitted, fit_encoder

__all__ = [
    "DraftConfig",
    "DraftExample",
    "DraftReader",
    "EncoderConfig",
    "Example",
    "FastConfig",
    "FastDetector",
    "FinetunedDetector",
    "Fitted",
    "OnnxDetector",
    "PromptedDetector",
    "RiskConfig",
    "RiskExample",
    "RiskReader",
    "ask_teacher",
    "export",
    "fit",
    "fit_drafts",
    "fit_encoder",
    "fit_risk",
    "kind_of",
    "preset",
    "presets",
]


_LATER = {
    "EncoderConfig": "encoder_config",
    "FinetunedDetector": "finetuned",
    "Fitted": "train_encoder",
    "OnnxDetector": "onnx",
    "PromptedDetector": "prompted",
    "ask_teacher": "teach",
    "export": "onnx",
    "fit_encoder": "train_encoder",
    "kind_of": "folder",
    "preset": "encoder_config",
    "presets": "encoder_config",
}
"""Opened when they are asked for: they bring other libraries, or a fifth of a command's start."""

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:  # noqa: ANN401
        if name in _LATER:
            return getattr(import_module(f"untwist.detect.{_LATER[name]}"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
