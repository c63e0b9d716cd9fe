"""Recipe: an encoder detector from labelled texts, on one corpus or several, with a teacher or not.

    corpora -> train and validation parts -> (a teacher's word) -> the best epoch -> a run folder

No row of a test part is learnt from or chosen by. A run that was stopped goes on from its last
whole epoch when it is started again with the same settings and folder. Started by `accelerate
launch`, several processes share each batch and the first one writes. Leaves out: scores on test
rows; `untwist evaluate detector` makes them.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from untwist.data import Loaded, Reading, Refusals
from untwist.detect import EncoderConfig, Example, ask_teacher, preset
from untwist.errors import ConfigError, DataError
from untwist.recipes.config import build, read_toml
from untwist.recipes.encoder_rows import Lang, examples, parts_of_all
from untwist.recipes.rows import Progress, load_each, quiet
from untwist.recipes.runfolder import CONFIG, RunFolder, open_run, to_toml
from untwist.schema import Json

if TYPE_CHECKING:
    from untwist.detect import Fitted
    from untwist.detect.encoder import Base

ARTEFACT, CHECKPOINTS, SOFT = "detector", "checkpoints", "soft_labels.safetensors"
Examples = dict[str, list[Example]]


@dataclass(frozen=True, slots=True)
class TrainEncoder:
    """What to train on, and how."""

    out: str
    """The run folder; it must be new or empty, or that of the same run."""
    name: str
    """Name and version of the model, for example "xlmr-aligned-v1"."""
    corpora: tuple[str, ...] = ("open",)
    """Corpora by name, or paths of files of your own (docs/guides/data.md)."""
    folder: str = "corpora"
    """The folder that holds the public corpora that are named."""
    accept_licences: tuple[str, ...] = ()
    """Names of the corpora whose licence you have read and accept."""
    unverified: bool = False
    """Read corpus files whose sha256 is not the known one."""
    split: Literal["grouped", "published"] = "grouped"
    """"grouped" keeps near-duplicates together; "published" is the row split of the papers."""
    lang: Lang = "both"
    """Learn from texts in one language alone, as CrossLinCD's Table 5 does."""
    limit: int = 0
    """Learn from so many texts of each corpus at most; 0 takes all."""
    preset: str = ""
    """Where the settings of the model start from; [encoder] changes them."""
    teacher: str = ""
    """The folder of a trained encoder whose probabilities are learnt beside the labels."""
    soft_labels: str = ""
    """The file that keeps them; empty keeps it in the run folder."""
    onnx: tuple[Literal["fp32", "int8"], ...] = ()
    """Export the model as well; needs the extra "export"."""
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    """Settings of the model."""
    command: str = "untwist train encoder CONFIG.toml"
    """What starts this run; stands in the card."""

    def __post_init__(self) -> None:
        if self.limit < 0:
            raise ConfigError("limit must be 0 or more")
        if len(set(self.onnx)) != len(self.onnx):
            raise ConfigError("onnx names an export twice")
        self._require_teacher()

    def _require_teacher(self) -> None:
        """Check that nothing is set for a teacher that is not there."""
        told = preset(self.preset).keys() if self.preset else set()
        plain, own = EncoderConfig(), self.encoder
        weighed = (own.alpha, own.soft_loss) != (plain.alpha, plain.soft_loss)
        if not self.teacher and (self.soft_labels or weighed or {"alpha", "soft_loss"} & told):
            raise ConfigError(
                "alpha, soft_loss and soft_labels are about a teacher: name one with teacher = DIR"
            )

    @property
    def reading(self) -> Reading:
        """How corpora are read."""
        return Reading(self.folder, self.accept_licences, self.unverified)


def read(path: Path | str) -> TrainEncoder:
    """A configuration from a TOML file; its preset is filled in below its own settings.

    Raises:
        ConfigError: the file cannot be read, there is no such preset, a key is unknown, or
            settings contradict each other.
    """
    values = read_toml(path)
    own, name = values.get("encoder", {}), values.get("preset", "")
    if isinstance(own, dict) and isinstance(name, str) and name:
        values["encoder"] = {**preset(name), **own}
    return build(TrainEncoder, values, str(path))


def with_changes(config: TrainEncoder, *, quick: bool, out: str | None) -> TrainEncoder:
    """The same run elsewhere, or too small to be of use but fast (two epochs, 32 texts)."""
    out = out or config.out
    if not quick:
        return replace(config, out=out)
    encoder = replace(config.encoder, epochs=2)
    return replace(config, out=out, limit=min(config.limit or 32, 32), encoder=encoder)


def is_main() -> bool:
    """Whether this process is the one that writes and speaks, of those that train together."""
    return int(os.environ.get("RANK", "0")) == 0


def run(
    config: TrainEncoder, progress: Progress = quiet, base: Base | None = None
) -> tuple[Path, Json]:
    """Train, and write the run folder.

    Args:
        config: what to train on.
        progress: told the stage and how much of it is done.
        base: encoder and tokenizer, in place of loading those that the settings name.

    Returns:
        The folder (config.toml, manifest.json, metrics.json and detector/, with onnx-fp32/ and
        onnx-int8/ where they are asked for) and the metrics.

    Raises:
        ConfigError: the run folder is in use, or settings do not fit the data or the machine.
        DataError: a corpus cannot be read, or has nothing to learn from.
        MissingExtra: the extra "finetune" (or "export") is not installed.
        ModelError: the encoder cannot be loaded.
    """
    from untwist.detect import fit_encoder
    from untwist.detect.encoder import load_base

    refusals = Refusals()
    loaded = load_each(config.corpora, config.reading, refusals, progress)
    parts, near = parts_of_all(config.split, loaded)
    train, validation = (_part(config, loaded, parts, part) for part in ("train", "validation"))
    _require(config, train)
    base = base or load_base(config.encoder)
    _ = base.tokens(config.encoder.max_length)
    path = Path(config.out)
    going_on = _goes_on(config)
    if is_main() and not going_on:
        open_run(path, config, config.encoder.seed, _inputs(config, loaded))
    train = _taught(config, train, keep=is_main())
    fitted = fit_encoder(
        train,
        config.encoder,
        {name: rows for name, rows in validation.items() if rows},
        progress,
        path / CHECKPOINTS if going_on else None,
        name=config.name,
        keep=path / CHECKPOINTS,
        base=base,
    )
    metrics = {**_metrics(train, validation, refusals, fitted), "near_other_parts": near}
    if is_main():
        _write(config, RunFolder(path), fitted, metrics)
    return path, metrics


def _part(
    config: TrainEncoder, loaded: Sequence[Loaded], parts: Sequence[Sequence[str]], part: str
) -> Examples:
    """The judged messages of one part, by corpus."""
    limit = config.limit if part == "train" and config.limit else None
    return {
        one.entry.name: list(examples(one, own, part, config.lang))[:limit]
        for one, own in zip(loaded, parts, strict=True)
    }


def _require(config: TrainEncoder, train: Examples) -> None:
    for name, rows in train.items():
        if not rows:
            where = "" if config.lang == "both" else f' in "{config.lang}"'
            raise DataError(f"{name} has no text{where} in its train part: leave it out")


def _goes_on(config: TrainEncoder) -> bool:
    """Whether the folder holds the same run, stopped after a whole epoch.

    Raises:
        ConfigError: it holds a stopped run of other settings.
    """
    path = Path(config.out)
    if not any((path / CHECKPOINTS).glob("epoch-*/state.json")):
        return False
    if (path / CONFIG).read_text(encoding="utf-8") != to_toml(config):
        raise ConfigError(f"{path} holds a run of other settings: name a new folder")
    return True


def _inputs(config: TrainEncoder, loaded: Sequence[Loaded]) -> list[Path | str]:
    files: list[Path | str] = [file for one in loaded for file in one.files]
    return [*files, Path(config.teacher) / "untwist.json"] if config.teacher else files


def _taught(config: TrainEncoder, train: Examples, *, keep: bool) -> Examples:
    """The training texts with the teacher's probabilities, where there is a teacher."""
    if not config.teacher:
        return train
    from untwist.detect import FinetunedDetector

    folder = Path(config.teacher)
    teacher = FinetunedDetector.load(folder, config.encoder.device)
    identity = json.dumps(teacher.about["sha256"], sort_keys=True)
    file = Path(config.soft_labels) if config.soft_labels else Path(config.out) / SOFT
    rows = [one for own in train.values() for one in own]
    taught = iter(ask_teacher(teacher, identity, rows, file if keep else None).examples)
    return {name: [next(taught) for _ in own] for name, own in train.items()}


def _metrics(
    train: Examples, validation: Mapping[str, Sequence[Example]], refusals: Refusals, fitted: Fitted
) -> Json:
    decisions = fitted.detector.decisions
    return {
        "texts": {name: len(rows) for name, rows in train.items()},
        "validation_texts": {name: len(rows) for name, rows in validation.items()},
        "taught": sum(one.teacher is not None for rows in train.values() for one in rows),
        "refused": len(refusals),
        "truncated": dict(fitted.truncated),
        "unjudged": dict(fitted.unjudged),
        "outputs": list(decisions.outputs.names),
        "thresholds": {
            head: [round(float(t), 4) for t in row]
            for head, row in zip(decisions.heads, decisions.thresholds, strict=True)
        },
        "best_epoch": fitted.best + 1,
        "epochs": list(fitted.epochs),
    }


def _write(config: TrainEncoder, folder: RunFolder, fitted: Fitted, metrics: Json) -> None:
    card = _card(config, metrics)
    fitted.detector.save(folder.path / ARTEFACT, card)
    if config.onnx:
        from untwist.detect import export

        for weights in config.onnx:
            export(fitted.detector, folder.path / f"onnx-{weights}", card, weights)
    folder.write_metrics(metrics)
    shutil.rmtree(folder.path / CHECKPOINTS, ignore_errors=True)


def _card(config: TrainEncoder, metrics: Json) -> str:
    settings = config.encoder
    best = metrics["epochs"][metrics["best_epoch"] - 1]
    texts = ", ".join(f"{name} {count:,}" for name, count in metrics["texts"].items())
    cut = sum(metrics["truncated"].values())
    score = f"{best['score']:.3f}" if "score" in best else "not measured"
    taught = f"the encoder in {config.teacher}" if config.teacher else "none"
    heard = (
        "the likeliest label"
        if settings.objective == "one"
        else f"labels at {settings.threshold} or more"
    )
    return f"""# {config.name}

{settings.encoder} ({settings.pooling} pooling), fine-tuned to hear cognitive distortions in English
and Chinese messages. A folder of transformers with heads beside it; no pickle.

- Trained on (train part, {config.split} split, language: {config.lang}): {texts} texts; {cut:,} of
  them longer than {settings.max_length} tokens, of which training read the first alone.
- Outputs: {", ".join(metrics["outputs"])}. Heads: {", ".join(metrics["thresholds"])}.
- Teacher: {taught}.
- Made by: `{config.command}`, seed {settings.seed}; epoch {metrics["best_epoch"]} of
  {len(metrics["epochs"])} was kept. Settings stand in config.toml of the run.
- Validation {settings.select}, mean over corpora, {heard}: {score}. It chose the
  epoch, so it is a little too kind. No test row was read.

Use: `untwist detect --detector DIR`, or `FinetunedDetector.load(DIR)`.

## What it cannot do

It reads words, not people, and only in texts like those it has learnt from. It misses what is said
between the lines, mistakes quotation for belief, and knows nothing of the person. It is no
diagnosis and no measure of anyone's safety: risk is found by the rules of `untwist.safety` and a
reader of its own.
"""
