"""Training an encoder to hear distortions: one loop, one corpus a batch, arguments first.

    texts -> tokens, once -> batches of like length -> masked loss -> AdamW -> the best epoch

The loop itself is in `encoder_run`. Heavy: importing this module needs PyTorch and the extra
"finetune". Leaves out: the test part, which never gets here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from untwist.detect import checkpoints
from untwist.detect.encoder import Base, Network, TorchScore, load_base
from untwist.detect.encoder_config import EncoderConfig
from untwist.detect.encoder_run import Run, truth_of
from untwist.detect.finetuned import FinetunedDetector
from untwist.detect.outputs import best_threshold
from untwist.detect.processes import World, world
from untwist.detect.tasks import Task, tasks_of
from untwist.detect.thresholds import GRID
from untwist.detect.train import Example, Progress
from untwist.errors import ConfigError, DataError, MissingExtra
from untwist.schema import Json

try:
    import torch
except ImportError as error:
    raise MissingExtra("training an encoder", "finetune") from error


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a training leaves.

    Attributes:
        detector: the model of the best epoch.
        epochs: of each epoch its loss, its rate of learning and its validation scores.
        best: the place of the epoch that was kept, from 0.
        truncated: by corpus, how many texts were cut at `max_length`.
        unjudged: by corpus, how many texts were left out, since nobody judged anything in them.
        main: whether this is the process that writes files.
    """

    detector: FinetunedDetector
    epochs: tuple[Json, ...]
    best: int
    truncated: Mapping[str, int]
    unjudged: Mapping[str, int]
    main: bool = True


def fit_encoder(
    examples: Mapping[str, Sequence[Example]],
    config: EncoderConfig,
    validation: Mapping[str, Sequence[Example]] | None = None,
    progress: Progress = lambda stage, done, total: None,
    resume_from: Path | None = None,
    *,
    name: str = "encoder",
    keep: Path | None = None,
    base: Base | None = None,
) -> Fitted:
    """Train a detector; on one machine, equal arguments give equal weights.

    Args:
        examples: training texts by corpus, without any test part.
        config: how.
        validation: texts by corpus that choose the epoch and, where the settings say so, the
            thresholds; None trains through all epochs and keeps the last.
        progress: called with stage, steps done and steps in all.
        resume_from: a folder that `keep` named in a run that was stopped; it goes on from its last
            whole epoch and ends with the weights that it would have had.
        name: name and version of the model.
        keep: where to keep what is needed to go on, after each epoch; None keeps nothing.
        base: encoder and tokenizer, in place of loading those that the settings name.

    Raises:
        ConfigError: the settings do not fit the data, the machine or the run that is resumed.
        DataError: a corpus has nothing to learn from.
        ModelError: the encoder cannot be loaded.
    """
    _check(examples, config, validation)
    with world(config.device) as here, _own_chance(here):
        torch.manual_seed(config.seed)
        start = base or load_base(config)
        tokens = start.tokens(config.max_length)
        tasks = tasks_of(examples, config, tokens)
        checked = tasks_of(validation or {}, config, tokens)
        run = Run(config, here, tasks, checked, tokens, _network(start, config, tasks, here))
        if resume_from is not None:
            checkpoints.load(resume_from, run)
        while run.done < config.epochs and not run.ended:
            run.train_epoch(progress)
            run.check_epoch()
            if keep is not None and here.rank == 0:
                checkpoints.save(keep, run)
            here.wait()
        run.restore_best()
        detector = FinetunedDetector(
            name, run.decisions(), tokens, TorchScore(run.network.eval()),
            {"encoder": config.encoder}, tokenizer=start.tokenizer,
        )  # fmt: skip
        return Fitted(
            _decided(detector, checked, config),
            tuple(run.log),
            run.best,
            {corpus: task.truncated for corpus, task in tasks.items()},
            {corpus: task.unjudged for corpus, task in tasks.items()},
            here.rank == 0,
        )


def _check(
    examples: Mapping[str, Sequence[Example]],
    config: EncoderConfig,
    validation: Mapping[str, Sequence[Example]] | None,
) -> None:
    if not examples:
        raise DataError("no training texts: name a corpus with a train part")
    if not validation and (config.patience or config.threshold_from != "fixed"):
        raise ConfigError(
            'patience and threshold_from need validation texts: set them to 0 and "fixed", or give '
            "a corpus with a validation part"
        )


def _own_chance(here: World) -> AbstractContextManager[None]:
    """The caller's generators are left as they were."""
    forked: AbstractContextManager[None] = torch.random.fork_rng(
        [here.device] if here.device.type == "cuda" else []
    )
    return forked


def _network(start: Base, config: EncoderConfig, tasks: Mapping[str, Task], here: World) -> Network:
    heads = len(tasks) if config.heads == "per_corpus" else 1
    network = Network(start.body, heads, config.outputs.count, config.pooling, config.dropout)
    if config.gradient_checkpointing:
        old, new = "gradient_checkpointing_enable", "activation_checkpointing_enable"
        # newer versions of transformers call it otherwise, and warn of the old name
        getattr(network.body, new if hasattr(network.body, new) else old)({"use_reentrant": False})
    if config.precision == "fp16" and here.device.type == "cpu":
        raise ConfigError('precision "fp16" needs a GPU: take "bf16" or "fp32"')
    network.to(here.device).train()
    return network


def _decided(
    detector: FinetunedDetector, checked: Mapping[str, Task], config: EncoderConfig
) -> FinetunedDetector:
    """The detector, with thresholds from validation where the settings say so.

    Texts are read as they will be in use, long ones in windows.
    """
    if config.threshold_from == "fixed":
        return detector
    heads, thresholds = detector.decisions.heads, detector.decisions.thresholds.copy()
    for k, head in enumerate(heads):
        mine = [head] if head in checked else list(checked)
        chance = np.concatenate(
            [detector.by(head).predict_proba(checked[name].texts) for name in mine]
        )
        truth = [truth_of(checked[name], config.outputs) for name in mine]
        gold, mask = (np.concatenate(parts) for parts in zip(*truth, strict=True))
        if config.threshold_from == "validation":
            thresholds[k] = best_threshold(chance, gold, mask, GRID)
            continue
        for column in np.flatnonzero((gold & mask).any(axis=0)):
            own = slice(column, column + 1)
            thresholds[k, column] = best_threshold(chance[:, own], gold[:, own], mask[:, own], GRID)
    return replace(detector, decisions=replace(detector.decisions, thresholds=thresholds))
