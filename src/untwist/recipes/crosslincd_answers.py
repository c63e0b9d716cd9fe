"""The trained models of a CrossLinCD table: what each says of the rows that it is scored on.

    settings + rows -> trained, or read from the work folder -> probabilities

What a model said is kept under a name that is made from everything that made it, so nothing is
trained twice, and a run that was stopped goes on from its last whole epoch. Started by `accelerate
launch`, every process asks every model and the first one writes. Leaves out: scores.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from untwist import __version__
from untwist.data import Mode
from untwist.detect import EncoderConfig, Example, ask_teacher
from untwist.errors import ArtifactError
from untwist.recipes.crosslincd_config import Crosslincd, Model, Role, Target
from untwist.recipes.crosslincd_rows import Corpora, Places
from untwist.recipes.rows import COLUMNS, Progress
from untwist.recipes.tiny_encoder import tiny_base
from untwist.recipes.train_encoder import is_main
from untwist.schema import Json

if TYPE_CHECKING:
    from untwist.detect import FinetunedDetector, Fitted

Floats = NDArray[np.float32]
EVERY = "every head"
"""The voice of a model whose heads are heard by their mean, or that has one alone."""
_SCHEMA = "untwist/crosslincd-answers@1"
Run = tuple[Mode, str, int]
"""A split, the key of a model and a seed."""


@dataclass(frozen=True, slots=True)
class Question:
    """Rows that a model is asked about: a whole test part, or the validation rows it may see.

    Attributes:
        corpus: its name.
        part: "validation" or "test".
        voice: the head that answers, or `EVERY`.
    """

    corpus: str
    part: str
    voice: str

    def __str__(self) -> str:
        return f"{self.corpus}|{self.part}|{self.voice}"


@dataclass(frozen=True, slots=True)
class Said:
    """What one trained model says.

    Attributes:
        chances: by question, shape (rows, 14), columns as `rows.COLUMNS`; nan where the model has
            learnt nothing, which is never heard.
        about: how it was trained: parameters, epochs, texts.
    """

    chances: Mapping[str, Floats]
    about: Json


def voice_of(model: Model, settings: EncoderConfig, corpus: str) -> str:
    """Who answers for a corpus: its own head where the model has one."""
    own = settings.heads == "per_corpus" and corpus in model.corpora
    return corpus if own else EVERY


def questions(
    model: Model, settings: EncoderConfig, targets: Sequence[Target]
) -> tuple[Question, ...]:
    """Everything that a model is asked: test rows, and the rows that its thresholds come from."""
    found: dict[Question, None] = {}
    for target in targets:
        voice = voice_of(model, settings, target.corpus)
        found[Question(target.corpus, "test", voice)] = None
        for name in tuned_on(model, target):
            found[Question(name, "validation", voice)] = None
    return tuple(found)


def tuned_on(model: Model, target: Target) -> tuple[str, ...]:
    """Whose validation rows choose the threshold.

    The tested corpus' own where the model has learnt from it, else those of all it has learnt from.
    """
    return (target.corpus,) if target.corpus in model.corpora else model.corpora


def train_all(
    config: Crosslincd,
    corpora: Corpora,
    models: Sequence[Model],
    targets: Sequence[Target],
    progress: Progress,
) -> dict[Run, Said]:
    """Train every model by every split and seed, or read what it said before.

    Raises:
        ConfigError: settings do not fit the data or the machine.
        DataError: a corpus has nothing to learn from.
        MissingExtra: the extra "finetune" is not installed.
        ModelError: the encoder cannot be loaded.
    """
    runs = [(s, m, seed) for s in config.splits for seed in config.seeds for m in models]
    found: dict[Run, Said] = {}
    with _together(config):
        trainers = {
            (split, seed): _Trainer(config, corpora, split, seed)
            for split in config.splits
            for seed in config.seeds
        }
        for place, (split, model, seed) in enumerate(runs, 1):
            label = f"{place}/{len(runs)} {model.title}, {split}, seed {seed}"
            trainer = trainers[split, seed]
            found[split, model.key, seed] = trainer.said(model, targets, label, progress)
    return found


def _together(config: Crosslincd) -> AbstractContextManager[object]:
    """One group of processes for all trainings."""
    from untwist.detect import train_encoder  # noqa: F401  # names the extra that is missing
    from untwist.detect.processes import world

    return world(config.settings("single").device)


class _Trainer:
    """Trains the models of one split and seed; the teacher once, and only if it is needed."""

    def __init__(self, config: Crosslincd, corpora: Corpora, split: Mode, seed: int) -> None:
        self._config, self._corpora = config, corpora
        self._split, self._seed = split, seed
        self._taught: dict[str, list[Example]] = {}

    def said(self, model: Model, targets: Sequence[Target], label: str, progress: Progress) -> Said:
        settings = self._settings(model.role)
        if model.sampling is not None:
            by = model.sampling
            heat = self._config.temperature if by == "temperature" else 1.0
            settings = replace(settings, sampling=by, temperature=heat)
        asked = questions(model, settings, targets)
        key = self._key(model, settings, asked)
        file = self._config.folder / f"{key}.safetensors"
        if file.is_file():
            return _read(file)
        told = _labelled(progress, label)
        train = {name: self._examples(model, name, told) for name in model.corpora}
        fitted = self._fit(key, settings, train, self._validation(model), told)
        about = _about(fitted, train)
        chances = {str(q): self._ask(fitted.detector, model, q) for q in asked}
        if is_main():
            _write(file, chances, about)
            shutil.rmtree(self._checkpoints(key), ignore_errors=True)
        return Said(chances, about)

    def _settings(self, role: Role) -> EncoderConfig:
        return replace(self._config.settings(role), seed=self._seed)

    def _places(self, model: Model, name: str, part: str) -> Places:
        return self._corpora.learnt(name, self._split, part, model.lang)

    def _validation(self, model: Model) -> dict[str, list[Example]]:
        return {
            name: self._corpora.examples(name, self._places(model, name, "validation"))
            for name in model.corpora
        }

    def _examples(self, model: Model, name: str, progress: Progress) -> list[Example]:
        if not model.taught:
            return self._corpora.examples(name, self._places(model, name, "train"))
        if not self._taught:
            self._taught = self._ask_teacher(progress)
        return self._taught[name]

    def _ask_teacher(self, progress: Progress) -> dict[str, list[Example]]:
        """The training texts of all corpora with the teacher's word, kept in a file."""
        own, split = self._corpora, self._split
        texts = {n: own.examples(n, own.learnt(n, split, "train")) for n in own.names}
        key = self._teacher_key()
        soft = self._config.folder / f"{key}-said.safetensors"
        teacher = _Late(self._settings("teacher"), lambda: self._teacher(key, progress))
        # every process is taught alike; the first one writes
        cache = soft if is_main() or soft.is_file() else None
        every = [one for rows in texts.values() for one in rows]
        taught = iter(ask_teacher(teacher, key, every, cache).examples)
        return {name: [next(taught) for _ in rows] for name, rows in texts.items()}

    def _teacher(self, key: str, progress: Progress) -> FinetunedDetector:
        own, split, name = self._corpora, self._split, self._corpora.teacher
        train, check = (
            {name: own.examples(name, own.taught_by(split, part))}
            for part in ("train", "validation")
        )
        told = _labelled(progress, "teacher,")
        fitted = self._fit(key, self._settings("teacher"), train, check, told)
        if is_main():
            shutil.rmtree(self._checkpoints(key), ignore_errors=True)
        return fitted.detector

    def _fit(
        self,
        key: str,
        settings: EncoderConfig,
        train: Mapping[str, Sequence[Example]],
        validation: Mapping[str, Sequence[Example]],
        progress: Progress,
    ) -> Fitted:
        from untwist.detect import fit_encoder

        kept = self._checkpoints(key)
        stopped = any(kept.glob("epoch-*/state.json"))
        base = tiny_base(self._seed) if self._config.tiny else None
        return fit_encoder(
            train, settings, validation, progress, kept if stopped else None, name=key, keep=kept,
            base=base,
        )  # fmt: skip

    def _checkpoints(self, key: str) -> Path:
        return self._config.folder / f"{key}.checkpoints"

    def _ask(self, detector: FinetunedDetector, model: Model, question: Question) -> Floats:
        rows = self._corpora.rows[question.corpus]
        places = self._asked(model, question)
        heard = detector if question.voice == EVERY else detector.by(question.voice)
        given = heard.predict_proba([rows.utterances[p].text for p in places])
        found = np.full((len(places), len(COLUMNS)), np.nan, np.float32)
        at = {name: k for k, name in enumerate(detector.outputs)}
        for column, distortion in enumerate(COLUMNS):
            if distortion.value in at:
                found[:, column] = given[:, at[distortion.value]]
        return found

    def _asked(self, model: Model, question: Question) -> Places:
        if question.part == "test":
            return self._corpora.places(question.corpus, self._split, "test")
        return self._places(model, question.corpus, "validation")

    def _key(self, model: Model, settings: EncoderConfig, asked: Sequence[Question]) -> str:
        own = self._corpora
        learnt = {
            f"{name}|{part}": own.digest(name, self._places(model, name, part))
            for name in model.corpora
            for part in ("train", "validation")
        }
        rows = {str(q): own.digest(q.corpus, self._asked(model, q)) for q in asked}
        teacher = self._teacher_key() if model.taught else ""
        return _hashed(asdict(settings), learnt, rows, teacher)

    def _teacher_key(self) -> str:
        own, split = self._corpora, self._split
        learnt = [own.digest(own.teacher, own.taught_by(split, p)) for p in ("train", "validation")]
        texts = [own.digest(n, own.learnt(n, split, "train")) for n in own.names]
        return _hashed(asdict(self._settings("teacher")), learnt, texts)


@dataclass(frozen=True, slots=True)
class _Late:
    """A teacher that is trained when it is first asked."""

    settings: EncoderConfig
    train: Callable[[], FinetunedDetector]

    @property
    def name(self) -> str:
        return "teacher"

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.settings.outputs.names

    def predict_proba(self, texts: Sequence[str]) -> Floats:
        return self.train().predict_proba(texts)


def _labelled(progress: Progress, label: str) -> Progress:
    def told(stage: str, done: int, total: int) -> None:
        progress(f"{label} {stage}", done, total)

    return told


def _hashed(*parts: object) -> str:
    text = json.dumps([_SCHEMA, __version__, *parts], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _about(fitted: Fitted, train: Mapping[str, Sequence[Example]]) -> Json:
    body = fitted.detector.network.body
    return {
        "parameters": sum(one.numel() for one in body.parameters()),
        "epochs": len(fitted.epochs),
        "best_epoch": fitted.best + 1,
        "loss": [round(float(one["loss"]), 6) for one in fitted.epochs],
        "texts": {name: len(rows) for name, rows in train.items()},
        "truncated": dict(fitted.truncated),
    }


def _write(file: Path, chances: Mapping[str, Floats], about: Json) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(file.name + ".part")
    save_file(dict(chances), part, {"about": json.dumps(about)})
    part.replace(file)


def _read(file: Path) -> Said:
    try:
        with safe_open(file, "np") as opened:
            names = list(opened.keys())
            chances = {name: opened.get_tensor(name) for name in names}
            return Said(chances, json.loads((opened.metadata() or {})["about"]))
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise ArtifactError(f"{file} is damaged: delete it, and it is made anew") from error
