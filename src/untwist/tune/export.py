"""A tuning run for LLaMA-Factory: the same samples, and the same settings in its own words.

    NAME-STREAM.jsonl, NAME-STREAM-held-out.jsonl, dataset_info.json, NAME.yaml

What LLaMA-Factory cannot do is said at the top of the YAML file and not put in another thing's
place. Leaves out: the training, which is LLaMA-Factory's own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from untwist.data.convert import dataset_info
from untwist.data.convert.files import created, line_of, require_new
from untwist.errors import ConfigError, DataError
from untwist.schema import Json
from untwist.tune.config import TuneConfig
from untwist.tune.examples import STREAMS, Sample
from untwist.tune.plan import training_arguments

TEMPLATES: Mapping[str, str] = {
    "llama3": "Llama 3 and 3.1",
    "qwen": "Qwen2 and Qwen2.5",
    "qwen3": "Qwen3",
    "glm4": "GLM-4",
}
"""LLaMA-Factory's names of the templates that our masks are tested on, and whose they are."""

_NAME = re.compile(r"[\w-][\w.-]*")


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Attributes:
        files: data, `dataset_info.json` and the YAML file, which is the last.
        rows: how many samples, those held out included.
        notes: what differs from a training here.
    """

    files: tuple[Path, ...]
    rows: int
    notes: tuple[str, ...]


def to_llama_factory(
    folder: Path | str,
    config: TuneConfig,
    train: Sequence[Sample],
    held_out: Sequence[Sample] = (),
    *,
    name: str,
    model: str,
    template: str,
) -> Exported:
    """Write a folder that `llamafactory-cli train FOLDER/NAME.yaml` trains from.

    Args:
        folder: made if need be; entries of other data in its `dataset_info.json` are kept.
        config: whose settings are written.
        train: samples to learn from, one data set a stream.
        held_out: samples for its evaluation.
        name: of the files and data sets.
        model: name or path of the base model.
        template: LLaMA-Factory's name of its chat template, for example one of `TEMPLATES`.

    Raises:
        ConfigError: the name is none, or `keep = "best"` has nothing to be judged by.
        DataError: there is nothing to learn from, or a file is there already.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError("a name has letters, digits, dots, dashes and underscores only")
    if not train:
        raise DataError("no sample to learn from: nothing was written")
    if config.steps.keep == "best" and not held_out:
        raise ConfigError('keep = "best" needs samples that are held out: give data.validation')
    path, sets = Path(folder), _sets(name, train, held_out)
    require_new(path / f"{name}.yaml", *(path / f"{one}.jsonl" for one in sets))
    for one in sets:
        dataset_info.entries(path, one)
    files = [_write(path / f"{one}.jsonl", samples) for one, samples in sets.items()]
    for one in sets:
        listed = dataset_info.register(
            path, one, dataset_info.entry("messages", f"{one}.jsonl", "dialogue")
        )
    notes = _notes(config)
    settings = _settings(config, list(sets), path, name) | {
        "model_name_or_path": model,
        "template": template,
    }
    text = "".join(f"# {note}\n" for note in notes) + _yaml(settings)
    yaml = path / f"{name}.yaml"
    with created(yaml) as file:
        file.write(text)
    rows = sum(map(len, sets.values()))
    return Exported((*files, listed, yaml), rows, notes)


def _sets(
    name: str, train: Sequence[Sample], held_out: Sequence[Sample]
) -> dict[str, list[Sample]]:
    """The data sets by name: a stream each, and each without what is held out of it."""
    found: dict[str, list[Sample]] = {}
    for ending, samples in (("", train), (_HELD_OUT, held_out)):
        for stream in STREAMS:
            if own := [sample for sample in samples if sample.stream == stream]:
                found[f"{name}-{stream}{ending}"] = own
    return found


_HELD_OUT = "-held-out"


def _write(path: Path, samples: Sequence[Sample]) -> Path:
    with created(path) as file:
        for sample in samples:
            file.write(line_of(row_of(sample)))
    return path


def row_of(sample: Sample) -> Json:
    """A sample as a conversation whose last message is the target; its id and stream beside it."""
    said = [message.to_dict() for message in sample.messages]
    target = {"role": "assistant", "content": sample.target}
    return {
        "messages": [*said, target],
        "id": sample.id,
        "stream": sample.stream,
        "augmented": sample.augmented,
    }


def _settings(config: TuneConfig, sets: Sequence[str], folder: Path, name: str) -> Json:
    """The settings in LLaMA-Factory's words, and transformers' where it takes those."""
    told = training_arguments(config)
    held_out = [one for one in sets if one.endswith(_HELD_OUT)]
    settings: Json = {
        "stage": "sft",
        "do_train": True,
        "finetuning_type": "lora",
        "lora_rank": config.lora.rank,
        "lora_alpha": config.lora.alpha,
        "lora_dropout": config.lora.dropout,
        "lora_target": ",".join(config.lora.targets),
        "dataset": ",".join(one for one in sets if one not in held_out),
        "dataset_dir": str(folder),
        "cutoff_len": config.data.max_length,
        # only the last answer is a target, as everywhere here
        "mask_history": True,
        "train_on_prompt": False,
        "output_dir": str(folder / f"{name}-adapter"),
        "disable_gradient_checkpointing": not config.load.checkpointing,
        "group_by_length": config.steps.batching == "grouped",
    }
    if held_out:
        settings |= {"eval_dataset": ",".join(held_out), "eval_strategy": "epoch"}
    if config.load.bits == 4:
        settings |= {
            "quantization_bit": 4,
            "quantization_method": "bnb",
            "quantization_type": "nf4",
            "double_quantization": True,
        }
    settings |= {key: told[key] for key in _SAME if told[key] is not None}
    warm = "warmup_steps" if config.optim.warmup_steps else "warmup_ratio"
    return settings | {warm: told["warmup_steps"]}


_SAME = (
    "seed", "data_seed", "optim", "learning_rate", "adam_beta1", "adam_beta2", "adam_epsilon",
    "weight_decay", "lr_scheduler_type", "max_grad_norm", "per_device_train_batch_size",
    "per_device_eval_batch_size", "gradient_accumulation_steps", "num_train_epochs", "max_steps",
    "logging_steps", "bf16", "fp16", "save_strategy", "save_total_limit",
    "load_best_model_at_end", "metric_for_best_model", "greater_is_better",
)  # fmt: skip
"""Arguments of transformers that LLaMA-Factory passes on under their own names."""


def _notes(config: TuneConfig) -> tuple[str, ...]:
    notes = [
        "Written by untwist for LLaMA-Factory: llamafactory-cli train THIS_FILE",
        "It cuts what is longer than cutoff_len, targets too: set it above the longest sample "
        "(untwist tune inspect says how long they are).",
    ]
    if config.loss.kind != "token_mean":
        notes.append(
            f"Its loss is the mean over target tokens; {config.loss.kind} with weights "
            f"{config.loss.diagnosis:g} and {config.loss.intervention:g} is not to be had there."
        )
    return tuple(notes)


def _yaml(settings: Json) -> str:
    """Flat settings as YAML: a JSON scalar is one in YAML too."""
    lines = (f"{key}: {_scalar(value)}\n" for key, value in settings.items())
    return "".join(lines)


def _scalar(value: object) -> str:
    if isinstance(value, float):
        # YAML 1.1 reads 2e-04 as a text; with a point it is a number
        text = f"{value:.12g}"
        mantissa, e, exponent = text.partition("e")
        return f"{mantissa if '.' in mantissa else mantissa + '.0'}{e}{exponent}"
    return json.dumps(value, ensure_ascii=False)
