"""A training of an encoder under way: its steps, its scores, its best epoch.

Nothing in a step waits for the device: losses are added up there and read once an epoch. Batches
are normalised by their known cells over all micro-batches and processes, so neither changes the
gradient. Heavy: importing this module needs PyTorch and the extra "finetune".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untwist.detect.decisions import SHARED, Decisions
from untwist.detect.encoder import Network, TorchScore
from untwist.detect.encoder_config import EncoderConfig
from untwist.detect.losses import Cells, Totals, total_loss
from untwist.detect.outputs import Outputs, macro_f1, micro_f1
from untwist.detect.processes import World
from untwist.detect.sampling import epoch
from untwist.detect.tasks import Task
from untwist.detect.tokens import Tokens, padded
from untwist.detect.train import Progress
from untwist.errors import ConfigError, MissingExtra
from untwist.schema import Json

try:
    import torch
except ImportError as error:
    raise MissingExtra("training an encoder", "finetune") from error

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
Places = NDArray[np.int64]

_HALF = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}
_READ = 64
"""Validation texts that go through the model together."""


@dataclass(slots=True)
class Run:
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
        gold, mask = truth_of(self.checked[corpus], self.config.outputs)
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


def truth_of(task: Task, outputs: Outputs) -> tuple[Flags, Flags]:
    """Gold labels of distortions alone, and where they are known."""
    return task.gold > 0, (task.mask > 0) & outputs.distortions


def _optimizer(network: Network, config: EncoderConfig) -> torch.optim.Optimizer:
    parameters = [p for p in network.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.learning_rate, fused=True)
