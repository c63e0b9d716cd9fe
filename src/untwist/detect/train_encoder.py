"""Training an encoder to hear distortions: one loop, one corpus a batch, arguments first.

    texts -> tokens, once -> batches of like length -> masked loss -> AdamW -> the best epoch

Nothing in a step waits for the device: losses are added up there and read once an epoch. Batches
are normalised by their known cells over all micro-batches and processes, so neither changes the
gradient. Heavy: importing this module needs PyTorch and the extra "finetune". Leaves out: the test
part, which never gets here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untwist.detect import checkpoints
from untwist.detect.decisions import SHARED, Decisions
from untwist.detect.encoder import Base, Network, TorchScore, load_base
from untwist.detect.encoder_config import EncoderConfig
from untwist.detect.finetuned import FinetunedDetector
from untwist.detect.losses import Cells, Totals, total_loss
from untwist.detect.outputs import Outputs, best_threshold, macro_f1, micro_f1
from untwist.detect.processes import World, world
from untwist.detect.sampling import epoch
from untwist.detect.tasks import Task, tasks_of
from untwist.detect.thresholds import GRID
from untwist.detect.tokens import Tokens, padded
from untwist.detect.train import Example, Progress
from untwist.errors import ConfigError, DataError, MissingExtra
from untwist.schema import Json

try:
    import torch
except ImportError as error:
    raise MissingExtra("training an encoder", "finetune") from error

Floats = NDArray[np.float32]
Places = NDArray[np.int64]

_HALF = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}
_READ = 64
"""Validation texts that go through the model together."""


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
        run = _Run(config, here, tasks, checked, tokens, _network(start, config, tasks, here))
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


def _optimizer(network: Network, config: EncoderConfig) -> torch.optim.Optimizer:
    parameters = [p for p in network.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.learning_rate, fused=True)


@dataclass(slots=True)
class _Run:
    """A training under way.

    Attributes:
        config: how.
        here: this process.
        tasks: to learn from, by corpus.
        checked: to choose by.
        tokens: how texts are read.
        network: what is trained.
        done: whole epochs.
        log: one entry an epoch.
        best: the epoch that is kept.
        best_state: its weights; None is those of the network.
    """

    config: EncoderConfig
    here: World
    tasks: Mapping[str, Task]
    checked: Mapping[str, Task]
    tokens: Tokens
    network: Network
    done: int = 0
    log: list[Json] = field(default_factory=list)
    best: int = -1
    best_state: dict[str, torch.Tensor] | None = None
    optimizer: torch.optim.Optimizer = field(init=False)
    scaler: torch.amp.GradScaler = field(init=False)
    wrapped: torch.nn.Module = field(init=False)

    def __post_init__(self) -> None:
        self.optimizer = _optimizer(self.network, self.config)
        fp16 = self.config.precision == "fp16"
        self.scaler = torch.amp.GradScaler(self.here.device.type, enabled=fp16)
        several = self.config.heads == "per_corpus" and len(self.tasks) > 1
        self.wrapped = self.here.wrapped(self.network, unused=several)

    @property
    def ended(self) -> bool:
        """Whether the validation score has not risen for as long as `patience` says."""
        waited = self.done - 1 - self.best
        return bool(self.config.patience) and self.best >= 0 and waited >= self.config.patience

    @property
    def heads(self) -> tuple[str, ...]:
        """The name of each head."""
        return tuple(self.tasks) if self.config.heads == "per_corpus" else (SHARED,)

    def plan(self, number: int) -> list[tuple[str, Places]]:
        """The batches of one epoch; they hang on its number and the seed alone."""
        return epoch(
            {name: task.lengths for name, task in self.tasks.items()},
            self.config.batch,
            self.config.sampling,
            np.random.default_rng([self.config.seed, number]),
            grouped=self.config.group_by_length,
            temperature=self.config.temperature,
        )

    def train_epoch(self, progress: Progress) -> None:
        """Once through the plan."""
        plan = self.plan(self.done)
        # dropout hangs on the epoch, not on what came before: a resumed run draws the same
        own = np.random.default_rng([self.config.seed, self.done, self.here.rank])
        torch.manual_seed(int(own.integers(2**63)))
        loss = torch.zeros((), device=self.here.device)
        stage = f"epoch {self.done + 1}/{self.config.epochs}"
        for place, (corpus, places) in enumerate(plan):
            step = self.done * len(plan) + place
            rate = rate_at(step, self.config.epochs * len(plan), self.config)
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            loss += self._step(corpus, places)
            progress(stage, place + 1, len(plan))
        self.done += 1
        total = float(self.here.summed(loss)) / len(plan)
        if not np.isfinite(total):
            raise ConfigError(
                f"the loss is {total} in {stage}: lower learning_rate, or set clip to 1"
            )
        self.log.append({"epoch": self.done, "loss": total, "learning_rate": rate})

    def _step(self, corpus: str, places: Places) -> torch.Tensor:
        """One step of the optimiser; this process' share of the loss, still on the device."""
        task, head = self.tasks[corpus], self._head(corpus)
        totals = self._totals(task, places)
        parts = np.array_split(self.here.share(places), self.config.accumulation)
        # a process without a text of its own still takes part in the average, with nothing
        parts = [part for part in parts if len(part)] or [places[:0]]
        total = torch.zeros((), device=self.here.device)
        for place, part in enumerate(parts):
            with self.here.quietly(self.wrapped, last=place == len(parts) - 1):
                loss = self._loss(task, part, head, totals, places)
                # the processes' gradients are averaged; their losses are shares of a sum
                self.scaler.scale(loss * self.here.size).backward()
            total += loss.detach()
        if self.config.clip:
            self.scaler.unscale_(self.optimizer)
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.config.clip)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        return total

    def _loss(
        self, task: Task, part: Places, head: int, totals: Totals, places: Places
    ) -> torch.Tensor:
        rows = part if len(part) else places[:1]
        ids, mask = self._moved(*padded([task.ids[i] for i in rows], self.tokens.pad))
        half = _HALF[self.config.precision]
        with torch.autocast(self.here.device.type, half, enabled=half is not None):
            logits = self.wrapped(ids, mask, head)
        if not len(part):
            return logits.sum() * 0.0
        known = (task.gold, task.mask, task.teacher, task.taught)
        cells = Cells(*self._moved(*(one[part] for one in known)))
        return total_loss(logits, cells, totals, self.config)

    def _totals(self, task: Task, places: Places) -> Totals:
        hard = len(places) if self.config.objective == "one" else task.mask[places].sum()
        return Totals(float(hard), float(task.taught[places].sum()))

    def _moved(self, *arrays: NDArray[Any]) -> list[torch.Tensor]:
        tensors = [torch.from_numpy(one) for one in arrays]
        if self.here.device.type != "cuda":
            return tensors
        return [one.pin_memory().to(self.here.device, non_blocking=True) for one in tensors]

    def _head(self, corpus: str) -> int:
        return self.heads.index(corpus) if self.config.heads == "per_corpus" else 0

    def decisions(self) -> Decisions:
        """What the scores mean, at the threshold of the settings."""
        masks = [task.mask.any(axis=0) for task in self.tasks.values()]
        own = masks if self.config.heads == "per_corpus" else [np.any(masks, axis=0)]
        carried = np.stack(own)
        thresholds = np.full(carried.shape, self.config.threshold, np.float32)
        single = self.config.objective == "one"
        windows = self.config.windows
        return Decisions(self.config.outputs, self.heads, carried, thresholds, single, windows)

    def chances(self, corpus: str, decisions: Decisions) -> Floats:
        """Probabilities of a validation corpus by its own head, else by all, (texts, outputs)."""
        own = decisions.of(corpus) if corpus in decisions.heads else decisions
        logits = self._logits(self.checked[corpus])
        if corpus in decisions.heads:
            k = decisions.heads.index(corpus)
            logits = logits[:, k : k + 1]
        return own.joined(own.chances(logits))

    def _logits(self, task: Task) -> Floats:
        """Every process reads its share; the sum of the shares is the whole."""
        found = torch.zeros(len(task.ids), len(self.heads), self.config.outputs.count)
        mine = self.here.share(np.argsort(task.lengths, kind="stable"))
        score = TorchScore(self.network)
        for at in range(0, len(mine), _READ):
            part = mine[at : at + _READ]
            rows = padded([task.ids[i] for i in part], self.tokens.pad)
            found[torch.from_numpy(part)] = torch.from_numpy(score(*rows))
        whole: Floats = self.here.summed(found.to(self.here.device)).cpu().numpy()
        return whole

    def check_epoch(self) -> None:
        """Score the epoch, and keep its weights where it is the best so far."""
        if not self.checked:
            self.best = self.done - 1
            return
        decisions = self.decisions()
        scores = {name: self._scores(name, decisions) for name in self.checked}
        mean = float(np.mean([one[self.config.select] for one in scores.values()]))
        self.log[-1] |= {"validation": scores, "score": mean}
        if self.best < 0 or mean > self.log[self.best]["score"]:
            self.best = self.done - 1
            state = self.network.state_dict()
            self.best_state = {k: v.detach().cpu().clone() for k, v in state.items()}

    def _scores(self, corpus: str, decisions: Decisions) -> dict[str, float]:
        own = decisions.of(corpus) if corpus in decisions.heads else decisions
        gold, mask = _truth(self.checked[corpus], self.config.outputs)
        found = own.heard(self.chances(corpus, decisions))
        return {"micro_f1": micro_f1(gold, found, mask), "macro_f1": macro_f1(gold, found, mask)}

    def restore_best(self) -> None:
        """The weights of the best epoch."""
        if self.best_state is not None:
            self.network.load_state_dict(self.best_state)


def rate_at(step: int, steps: int, config: EncoderConfig) -> float:
    """The rate of learning in one step, counted from 0."""
    warm = config.warmup * steps
    if step < warm:
        return config.learning_rate * (step + 1) / max(warm, 1.0)
    if config.schedule == "constant":
        return config.learning_rate
    return config.learning_rate * (steps - step) / max(steps - warm, 1.0)


def _truth(task: Task, outputs: Outputs) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Gold labels of distortions alone, and where they are known."""
    return task.gold > 0, (task.mask > 0) & outputs.distortions


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
        truth = [_truth(checked[name], config.outputs) for name in mine]
        gold, mask = (np.concatenate(parts) for parts in zip(*truth, strict=True))
        if config.threshold_from == "validation":
            thresholds[k] = best_threshold(chance, gold, mask, GRID)
            continue
        for column in np.flatnonzero((gold & mask).any(axis=0)):
            own = slice(column, column + 1)
            thresholds[k, column] = best_threshold(chance[:, own], gold[:, own], mask[:, own], GRID)
    return replace(detector, decisions=replace(detector.decisions, thresholds=thresholds))
