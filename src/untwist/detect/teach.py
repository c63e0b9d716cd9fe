"""A teacher's probabilities for a student's texts, kept in a file so that nothing is asked twice.

The teacher may be any detector that gives probabilities; what it cannot say is nan, and is masked
in the student's loss (CrossLinCD 5.4). Leaves out: the loss itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from untwist.detect.outputs import Outputs
from untwist.detect.train import Example
from untwist.errors import ArtifactError

Floats = NDArray[np.float32]


class Teacher(Protocol):
    """A detector that gives the probability of each of its outputs."""

    @property
    def name(self) -> str:
        """Which model, which version."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """The name of each output."""

    def predict_proba(self, texts: Sequence[str]) -> Floats:
        """Shape (texts, outputs); nan where the model has learnt nothing."""


@dataclass(frozen=True, slots=True)
class Taught:
    """Examples with a teacher's probabilities.

    Attributes:
        examples: as given, in order.
        asked: texts that the teacher read now.
        kept: texts whose probabilities were in the file.
    """

    examples: tuple[Example, ...]
    asked: int
    kept: int


def ask_teacher(
    teacher: Teacher, identity: str, examples: Sequence[Example], cache: Path | None = None
) -> Taught:
    """The examples with the teacher's probability of each canonical distortion.

    Args:
        teacher: a trained detector.
        identity: what tells its weights from others', for example their sha256; the answers of
            another teacher in the file are not used.
        examples: whose texts it reads.
        cache: a file to read answers from and to write them to; None keeps none.

    Raises:
        ArtifactError: the file is damaged.
    """
    texts = list(dict.fromkeys(one.utterance.text for one in examples))
    known = _read(cache, identity) if cache is not None else {}
    missing = [text for text in texts if _key(text) not in known]
    if missing:
        said = _canonical(teacher, missing)
        known |= {_key(text): row for text, row in zip(missing, said, strict=True)}
        if cache is not None:
            _write(cache, identity, known)
    rows = tuple(replace(one, teacher=known[_key(one.utterance.text)]) for one in examples)
    return Taught(rows, len(missing), len(texts) - len(missing))


def _canonical(teacher: Teacher, texts: Sequence[str]) -> Floats:
    """The teacher's columns in the order of the canonical distortions, nan where it has none."""
    chance = teacher.predict_proba(texts)
    where = Outputs(tuple(n for n in teacher.outputs if ">=" not in n)).canonical
    return np.where(where >= 0, chance[:, where], np.float32(np.nan)).astype(np.float32)


def _key(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _read(cache: Path, identity: str) -> dict[str, Floats]:
    if not cache.is_file():
        return {}
    try:
        with safe_open(cache, "np") as file:
            about = file.metadata() or {}
            if about.get("teacher") != identity:
                return {}
            keys, rows = json.loads(about["texts"]), file.get_tensor("chances")
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise ArtifactError(f"{cache} is damaged: delete it, and it is made anew") from error
    return dict(zip(keys, rows, strict=True))


def _write(cache: Path, identity: str, known: dict[str, Floats]) -> None:
    cache.parent.mkdir(parents=True, exist_ok=True)
    keys = sorted(known)
    about = {"teacher": identity, "texts": json.dumps(keys)}
    part = cache.with_name(cache.name + ".part")
    save_file({"chances": np.stack([known[key] for key in keys])}, part, about)
    part.replace(cache)
