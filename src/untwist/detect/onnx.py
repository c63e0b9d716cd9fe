"""A fine-tuned detector without PyTorch: exported once, then run by onnxruntime.

Running needs the extra "onnx" (onnxruntime, tokenizers) alone. Exporting needs PyTorch and the
extra "export" besides, and opens them when it is asked for. Leaves out: training.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from untwist.detect.folder import (
    ONNX,
    decisions_from_json,
    decisions_to_json,
    read_about,
    write_about,
)
from untwist.detect.scored import ScoredDetector
from untwist.detect.tokens import FILE as TOKENIZER
from untwist.detect.tokens import Tokens
from untwist.errors import ArtifactError, ConfigError, MissingExtra

if TYPE_CHECKING:
    from untwist.detect.finetuned import FinetunedDetector

Floats = NDArray[np.float32]
Weights = Literal["fp32", "int8"]
MODEL, DATA = "model.onnx", "model.onnx.data"
OPSET = 18


@dataclass(frozen=True, slots=True)
class OnnxScore:
    """A session of onnxruntime, as `untwist.detect.scored.Score` asks."""

    session: Any

    def __call__(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> Floats:
        """Logits, shape (texts, heads, outputs)."""
        found: Floats = self.session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
        return found


@dataclass(frozen=True, slots=True)
class OnnxDetector(ScoredDetector):
    """A detector by onnxruntime."""

    @classmethod
    def load(cls, folder: Path, threads: int = 0) -> OnnxDetector:
        """Read a folder that `export` wrote.

        Args:
            folder: with model.onnx in it.
            threads: of one text; 0 takes all cores.

        Raises:
            ArtifactError: it cannot be used; the message says why.
            MissingExtra: onnxruntime is not installed.
        """
        runtime = _heavy("onnxruntime", "onnx")
        about = read_about(folder, ONNX)
        decisions = decisions_from_json(about, folder)
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads
        try:
            session = runtime.InferenceSession(
                str(folder / MODEL), options, providers=runtime.get_available_providers()
            )
            tokens = Tokens.load(folder, int(about["max_length"]), int(about["pad"]))
            name = str(about["name"])
        except KeyError as error:
            raise ArtifactError(f"{folder} lacks {error}: export it again") from error
        except (ArtifactError, MissingExtra):
            raise
        except Exception as error:  # the errors of onnxruntime have no narrower kind in common
            raise ArtifactError(f"{folder / MODEL} cannot be run: export it again") from error
        return cls(name, decisions, tokens, OnnxScore(session), about)


def export(detector: FinetunedDetector, folder: Path, card: str, weights: Weights = "fp32") -> None:
    """Write a detector as an ONNX folder.

    Args:
        detector: a fine-tuned one.
        folder: made when missing; an older export in it is replaced.
        card: the text of README.md.
        weights: "fp32" gives equal probabilities; "int8" is a quarter as large and near them.

    Raises:
        ConfigError: the weights are neither.
        MissingExtra: PyTorch or the extra "export" is not installed.
    """
    if weights not in ("fp32", "int8"):
        raise ConfigError(f'weights are "{weights}": take "fp32" or "int8"')
    folder.mkdir(parents=True, exist_ok=True)
    for old in (MODEL, DATA):
        (folder / old).unlink(missing_ok=True)
    whole = folder / ("whole.onnx" if weights == "int8" else MODEL)
    _export(detector.network, whole)
    if weights == "int8":
        _quantize(whole, folder / MODEL)
        for part in (whole, whole.with_name(whole.name + ".data")):
            part.unlink(missing_ok=True)
    (folder / TOKENIZER).write_text(detector.tokens.whole.to_str(), encoding="utf-8")
    values = {
        **detector.about,
        **decisions_to_json(detector.decisions),
        "name": f"{detector.name}/onnx-{weights}",
        "max_length": detector.tokens.longest,
        "pad": detector.tokens.pad,
    }
    files = [name for name in (MODEL, DATA, TOKENIZER) if (folder / name).is_file()]
    write_about(folder, ONNX, values, files, card)


def _quantize(whole: Path, file: Path) -> None:
    """Weights in eight bits, each output of a layer with a scale of its own."""
    model = _heavy("onnx", "export").load(whole)
    # the shapes that the exporter noted no longer hold once layers are replaced
    del model.graph.value_info[:]
    with _silent():
        quantization = _heavy("onnxruntime.quantization", "export")
        quantization.quantize_dynamic(model, file, per_channel=True)


def _export(network: Any, file: Path) -> None:  # noqa: ANN401
    """The network with texts and tokens as free sizes, its weights in a file beside it."""
    torch = _heavy("torch", "export")
    _heavy("onnxscript", "export")
    # two unlike sizes, so that the exporter does not take one for the other or for a constant
    ids = torch.ones(2, 9, dtype=torch.int64)
    mask = torch.ones_like(ids)
    mask[0, 6:] = 0
    free = {0: "texts", 1: "tokens"}
    place = next(network.parameters()).device
    training = network.training
    network.to("cpu").eval()
    try:
        with _silent():
            torch.onnx.export(
                network, (ids, mask), file, input_names=["input_ids", "attention_mask"],
                output_names=["logits"], dynamic_shapes=(free, free),
                opset_version=OPSET, dynamo=True, external_data=True, verbose=False,
            )  # fmt: skip
    finally:
        network.to(place).train(training)


@contextmanager
def _silent() -> Iterator[None]:
    """Without the exporters' own advice, which no user of this package can act on."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "root", "onnxscript")]
    levels = [one.level for one in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for one in loggers:
            one.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for one, level in zip(loggers, levels, strict=True):
                one.setLevel(level)


def _heavy(module: str, extra: str) -> Any:  # noqa: ANN401
    try:
        return import_module(module)
    except ImportError as error:
        feature = "exporting a detector" if extra == "export" else "a detector by onnxruntime"
        raise MissingExtra(feature, extra) from error
