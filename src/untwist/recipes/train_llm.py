"""Recipe: a language model tuned by a preset, on corpora or on rows of the user's own.

    sources -> samples that fit -> adapter on the model -> a run folder

Every target is learned whole or the run stops: nothing is cut unseen. A run that was stopped goes
on from its last checkpoint when it is started again with the same settings and folder. Started by
`accelerate launch`, several processes share the work and the first one writes. Leaves out: scores
of labels and replies; `untwist evaluate` makes them.
"""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from untwist.errors import ConfigError, DataError
from untwist.recipes.llm_samples import Fits, Prepared, Read, prepare
from untwist.recipes.llm_settings import TrainLlm, quick, read_preset
from untwist.recipes.runfolder import CONFIG, MANIFEST, RunFolder, open_run, to_toml
from untwist.schema import Json
from untwist.tune import Sample, Stream
from untwist.tune.card import Facts, card
from untwist.tune.config import LossConfig, TuneConfig
from untwist.tune.plan import training_arguments
from untwist.tune.quiet import without_old_names

if TYPE_CHECKING:
    from untwist.tune.masking import Template

_LIBRARIES = ("torch", "transformers", "trl", "peft", "accelerate")
_WHOLE = "checkpoint-*/trainer_state.json"
ADAPTER, CHECKPOINTS, CARD = "adapter", "checkpoints", "README.md"
Progress = Callable[[str, int, int], None]

__all__ = ["ADAPTER", "CARD", "CHECKPOINTS", "TrainLlm", "fits_in", "quick", "read_preset", "run"]


def run(
    config: TrainLlm, progress: Progress = lambda stage, done, total: None
) -> tuple[Path, Json]:
    """Tune, and write the run folder.

    Returns:
        The folder (config.toml, manifest.json, metrics.json and an adapter folder for each model)
        and the metrics.

    Raises:
        ConfigError: settings contradict each other or the machine, or the folder is in use.
        DataError: a source cannot be read, a sample does not fit, or nothing is left to learn.
        MissingExtra: the extra "finetune" (or "qlora") is not installed.
        ModelError: the base model cannot be loaded.
    """
    from untwist.tune.lora import load_tokenizer
    from untwist.tune.masking import Template

    # after a door that says which extra is missing
    from accelerate import PartialState  # isort: skip
    from transformers.utils import logging as transformers_logging  # isort: skip

    _require_machine(config.tune)
    if not sys.stderr.isatty():
        transformers_logging.disable_progress_bar()
    tokenizer = load_tokenizer(
        config.model, revision=config.revision or None, download=config.download
    )
    template = Template(tokenizer)
    progress("reading", 0, 1)
    read = prepare(config.sources, config.tune.data, fits_in(template, config.tune.data.max_length))
    progress("reading", 1, 1)
    _require_samples(config.tune, read)
    process = PartialState()
    with process.main_process_first():
        folder = _open(config, read, first=process.is_main_process)
    with without_old_names():
        models = {
            name: _train(config, folder, name, prepared, template, progress)
            for name, prepared in read.models.items()
        }
    metrics = {
        **read.about,
        "base": config.model,
        "versions": {name: metadata.version(name) for name in _LIBRARIES},
        "models": _merged(read.about, models),
    }
    if process.is_main_process:
        folder.write_metrics(metrics)
        shutil.rmtree(folder.path / CHECKPOINTS, ignore_errors=True)
    return folder.path, metrics


def _require_machine(tune: TuneConfig) -> None:
    """Stop before anything is loaded where the machine cannot do what the preset says.

    Raises:
        ConfigError: fp16 is asked for without a GPU.
    """
    import torch

    if tune.load.precision == "fp16" and not torch.cuda.is_available():
        raise ConfigError('fp16 needs a GPU: say --set load.precision=bf16, or "fp32"')


def _require_samples(tune: TuneConfig, read: Read) -> None:
    """Check that the samples are those that the settings need.

    Raises:
        ConfigError: the best epoch is asked for and nothing is held out, or a loss of two streams
            lacks one that no ablation leaves out, and so would be another.
    """
    if tune.steps.keep == "best" and not all(one.held_out for one in read.models.values()):
        raise ConfigError(
            'keep = "best" needs rows that are held out: set data.validation, '
            "or say --set steps.keep=last"
        )
    if tune.loss.kind != "dsco" or tune.data.ablation in ("no_diagnosis", "no_intervention"):
        return
    found = {sample.stream for one in read.models.values() for sample in one.train}
    if missing := [stream for stream in ("diagnosis", "intervention") if stream not in found]:
        left_out = "; ".join(f"{n} × {why}" for why, n in read.about["left_out"].items())
        raise ConfigError(
            f'loss "dsco" has two streams, and nothing belongs to {" and ".join(missing)}'
            f"{f' (left out: {left_out})' if left_out else ''}: give rows that do, or say "
            "--set loss.kind=token_mean"
        )


def fits_in(template: Template, max_length: int) -> Fits:
    """Whether a sample, with its target whole, is short enough for a model."""
    from untwist.tune.masking import encode

    def fits(sample: Sample) -> bool:
        try:
            encode(sample, template, max_length)
        except DataError:
            return False
        return True

    return fits


def _open(config: TrainLlm, read: Read, *, first: bool) -> RunFolder:
    """A new run folder, or that of the same run, which then goes on."""
    path = Path(config.out)
    if not first:
        return RunFolder(path)
    if _begun(path):
        if (path / CONFIG).read_text(encoding="utf-8") != to_toml(config):
            raise ConfigError(f"{path} holds a run of other settings: name a new folder")
        return RunFolder(path)
    folder = open_run(path, config, config.tune.seed, read.files)
    (path / CHECKPOINTS).mkdir()
    return folder


def _begun(path: Path) -> bool:
    """Whether a run was stopped there after a whole checkpoint; one before that leaves nothing."""
    checkpoints = path / CHECKPOINTS
    if not checkpoints.is_dir():
        return False
    if any(checkpoints.glob(f"*/{_WHOLE}")):
        return True
    shutil.rmtree(checkpoints)
    for name in (CONFIG, MANIFEST):
        (path / name).unlink(missing_ok=True)
    return False


def adapter_folder(run_folder: Path, model: str) -> Path:
    """Where the adapter of a model lies: `adapter`, or `adapter-STREAM` of a pipeline."""
    return run_folder / (ADAPTER if model == "model" else f"{ADAPTER}-{model}")


def _train(
    config: TrainLlm,
    folder: RunFolder,
    name: str,
    prepared: Prepared,
    template: Template,
    progress: Progress,
) -> Json:
    """One adapter, trained and written; what became of it."""
    from accelerate import PartialState
    from transformers import PrinterCallback
    from trl import SFTConfig

    from untwist.tune.dsco import Objective
    from untwist.tune.lora import adapt, load_model
    from untwist.tune.masking import encode_all
    from untwist.tune.trainer import TuneTrainer

    tune, checkpoints = config.tune, folder.path / CHECKPOINTS / name
    length = tune.data.max_length
    train, report = encode_all(prepared.train, template, length, refuse=config.refuse)
    held, held_report = encode_all(prepared.held_out, template, length, refuse=config.refuse)
    objective = Objective(tune.loss.kind, _weights(tune.loss))
    # before the model: it tells transformers whether DeepSpeed will share the weights out
    arguments = SFTConfig(str(checkpoints), **training_arguments(tune), **_own())
    base = load_model(
        config.model, tune.load, revision=config.revision or None, download=config.download
    )
    trainer = TuneTrainer(
        adapt(base, tune.lora, tune.seed, revision=config.revision or None),
        arguments,
        train=train,
        tokenizer=template.tokenizer,
        objective=objective,
        evaluation=held,
        grouped=tune.steps.batching == "grouped",
        callbacks=[_telling(name, progress)],
    )
    # it would print every line of the log among the data of standard output
    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=_last(checkpoints))
    losses = _losses(trainer.state.log_history)
    losses["held out"] = trainer.evaluate()["eval_loss"] if held else None
    out = adapter_folder(folder.path, name)
    trainer.save_model(str(out))
    process = PartialState()
    if process.is_main_process:
        (out / CARD).write_text(_card(config, name, prepared, losses), encoding="utf-8")
    process.wait_for_everyone()
    return {
        "adapter": out.name,
        "steps": trainer.state.global_step,
        "losses": losses,
        "lengths": {"train": report.to_dict(), "held_out": held_report.to_dict()},
        "log": [line for line in trainer.state.log_history if "loss" in line],
    }


def _weights(loss: LossConfig) -> dict[Stream, float]:
    if loss.kind != "dsco":
        return {}
    return {"diagnosis": loss.diagnosis, "intervention": loss.intervention}


def _last(checkpoints: Path) -> str | None:
    """The newest checkpoint that was written to its end; its state comes last."""
    whole = [file.parent for file in checkpoints.glob(_WHOLE)]
    newest = max(whole, key=lambda folder: int(folder.name.split("-")[1]), default=None)
    return str(newest) if newest else None


def _own() -> Json:
    """What this recipe tells the trainer beside the preset: progress is the command's own."""
    import torch

    return {
        "report_to": "none",
        "disable_tqdm": True,
        "logging_first_step": True,
        "dataloader_pin_memory": torch.cuda.is_available(),
    }


def _telling(name: str, progress: Progress) -> Any:  # noqa: ANN401
    """A callback of transformers that tells how far the training is."""
    from transformers import TrainerCallback

    class Telling(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401
            progress(f"tuning {name}", state.global_step, state.max_steps)

    return Telling()


def _losses(log: Sequence[Mapping[str, float]]) -> dict[str, float | None]:
    told = [line["loss"] for line in log if "loss" in line]
    return {"first": told[0] if told else None, "last": told[-1] if told else None}


def _card(
    config: TrainLlm, name: str, prepared: Prepared, losses: Mapping[str, float | None]
) -> str:
    called = config.name if name == "model" else f"{config.name}-{name}"
    counts = {
        side: {"streams": dict(Counter(sample.stream for sample in samples))}
        for side, samples in (("train", prepared.train), ("held_out", prepared.held_out))
    }
    facts = Facts(
        called,
        config.model,
        (*config.data, *config.augmented),
        counts,
        losses,
        config.command,
        config.notes,
    )
    return card(config.tune, facts)


def _merged(about: Json, models: Mapping[str, Json]) -> Json:
    """What each model learned and what became of it, side by side."""
    return {name: {**about["models"][name], **made} for name, made in models.items()}
