"""The trainer: TRL's, with losses that a step's parts cannot change, and rows that a target fills.

Heavy: importing this module needs PyTorch, transformers and TRL. What is TRL's own: models,
adapters, precision, optimizers, schedules, several processes (DDP, FSDP, DeepSpeed), logs. What is
not:

1. The loss is `dsco.Objective`'s, from counts over the whole step and all processes.
2. Batches are `batching`'s: like lengths together, streams in their shares, no sample twice.
3. The last layer is computed for the columns of the targets alone; on a GPU by TRL's fused kernel.
4. Each stream's loss is logged, and how many steps lacked it; the loss on held-out samples is that
   of all of them and not a mean of batches' means.
5. Checkpoints hold no pickle, and a run that goes on from one ends as if it had never stopped.

Leaves out: the balancing loss of mixtures of experts; tensor, context and sequence parallelism.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untwist.errors import ConfigError, DataError, MissingExtra
from untwist.tune.batching import collate, epoch_order, passes, rows
from untwist.tune.dsco import NOTHING, Counts, Objective, count
from untwist.tune.examples import STREAMS
from untwist.tune.masking import IGNORED, Encoded

try:
    import torch
    from datasets import Dataset

    from untwist.tune.checkpoints import PlainCheckpoints
except ImportError as error:
    raise MissingExtra("tuning a language model", "finetune") from error


class Order(torch.utils.data.Sampler):
    """The order of samples, anew in every epoch; equal seeds and epochs give equal orders.

    Args:
        lengths: tokens of each row.
        streams: of each row, its place in `STREAMS`.
        real: how many rows are samples; those after them fill up the last step.
        step: rows of a step, over all micro-batches and processes.
        seed: of the run.
        epoch: tells the number of the epoch that begins.
        grouped: put like lengths together.
    """

    def __init__(
        self,
        lengths: Sequence[int],
        streams: Sequence[int],
        *,
        real: int,
        step: int,
        seed: int,
        epoch: Callable[[], int],
        grouped: bool,
    ) -> None:
        self._lengths, self._streams = np.asarray(lengths[:real]), np.asarray(streams[:real])
        self._total, self._step, self._seed = len(lengths), step, seed
        self._epoch, self._grouped = epoch, grouped

    def __len__(self) -> int:
        return self._total

    def __iter__(self) -> Iterator[int]:
        seed = (self._seed, self._epoch())
        order = epoch_order(self._lengths, self._streams, self._step, seed, grouped=self._grouped)
        yield from order.tolist()
        yield from range(len(order), self._total)


class Tally:
    """Sums over the batches since it was last read."""

    def __init__(self) -> None:
        self.sums = np.zeros(len(STREAMS) + 1)
        self.counts = NOTHING
        self.batches = 0
        self.steps_without = [0] * len(STREAMS)

    def add(
        self,
        streams: NDArray[np.int64],
        row_sums: NDArray[np.float64],
        targets: NDArray[np.int64],
    ) -> None:
        """Count a batch: of each row its stream, summed cross-entropy and number of targets."""
        self.sums[:-1] += np.bincount(streams, weights=row_sums, minlength=len(STREAMS))
        self.sums[-1] += (row_sums / np.maximum(targets, 1)).sum()
        self.counts = self.counts + count(streams, targets)
        self.batches += 1


class TuneTrainer(PlainCheckpoints):
    """Trains a causal language model on encoded samples.

    Args:
        model: of transformers, or with an adapter of peft.
        args: TRL's SFTConfig; its batch size, accumulation, seed and so on are obeyed. Its ways of
            tokenising, truncating and packing are not used: samples come encoded.
        train: what to learn.
        tokenizer: saved beside the model; its pad token fills up.
        objective: the loss.
        evaluation: held-out samples.
        grouped: put samples of like length together; otherwise the order is chance.
        callbacks: of transformers.

    Attributes:
        fused: compute the last layer by TRL's fused kernel, which needs less memory on a GPU;
            otherwise for the last columns by the model's own code. Both give the same loss.

    Raises:
        ConfigError: a setting of `args` would be ignored, or is out of what this trainer can do.
        DataError: there is nothing to learn.
    """

    # every loss here is one sum over the whole step
    loss_is_scaled_for_ga = True

    def __init__(
        self,
        model: Any,  # noqa: ANN401
        args: Any,  # noqa: ANN401
        *,
        train: Sequence[Encoded],
        tokenizer: Any,  # noqa: ANN401
        objective: Objective,
        evaluation: Sequence[Encoded] = (),
        grouped: bool = True,
        callbacks: Sequence[Any] | None = None,
    ) -> None:
        _require_usable(args, train)
        self._objective, self._grouped, self._real = objective, grouped, len(train)
        self._present = [any(s.stream == stream for s in train) for stream in STREAMS]
        self._tallies = {"train": Tally(), "eval": Tally()}
        pad = tokenizer.pad_token_id
        self._pad = int(tokenizer.eos_token_id if pad is None else pad)
        args = copy(args)
        args.remove_unused_columns = False
        args.dataset_kwargs = {"skip_prepare_dataset": True}
        if args.ddp_find_unused_parameters is None:
            # every weight that learns has a part in every loss, that of an empty batch included
            args.ddp_find_unused_parameters = False
        evaluated = sorted(evaluation, key=lambda s: -s.lengths.total)
        super().__init__(
            model=model,
            args=args,
            data_collator=self._collate,
            train_dataset=_dataset(train, args.train_batch_size * args.world_size),
            eval_dataset=_dataset(evaluated, args.eval_batch_size * args.world_size)
            if evaluated
            else None,
            processing_class=tokenizer,
            callbacks=list(callbacks or ()),
        )
        if self.get_tp_size() * self.get_cp_size() * self.get_sp_size() > 1:
            raise ConfigError("samples are shared out whole: use DDP, FSDP or DeepSpeed ZeRO")
        self.fused = self.accelerator.device.type == "cuda"
        inner = self.accelerator.unwrap_model(self.model)
        inner = inner.get_base_model() if hasattr(inner, "get_base_model") else inner
        self._keeps = "logits_to_keep" in inspect.signature(type(inner).forward).parameters
        if args.fp16:
            _to_fp32(self.model)

    def _collate(self, batch: Sequence[Any]) -> dict[str, Any]:
        return {name: torch.from_numpy(made) for name, made in collate(batch, self._pad).items()}

    def _get_train_sampler(self, train_dataset: Any = None) -> Order:  # noqa: ANN401
        data = self.train_dataset if train_dataset is None else train_dataset
        args = self.args
        return Order(
            [len(ids) for ids in data["input_ids"]],
            list(data["stream"]),
            real=self._real,
            step=args.train_batch_size * args.gradient_accumulation_steps * args.world_size,
            seed=args.seed if args.data_seed is None else args.data_seed,
            epoch=lambda: int(self.state.epoch or 0),
            grouped=self._grouped,
        )

    def get_batch_samples(
        self,
        epoch_iterator: Any,  # noqa: ANN401
        num_batches: int,
        device: Any,  # noqa: ANN401
    ) -> tuple[list[Any], Counts]:
        """The micro-batches of a step, and its counts over them and all processes."""
        batches, counted = list(islice(epoch_iterator, num_batches)), NOTHING
        for batch in batches:
            counted = counted + count(batch["stream"].cpu().numpy(), _targets(batch).cpu().numpy())
        step = Counts.from_list(self._summed(counted.to_list()))
        for place, tokens in enumerate(step.tokens):
            self._tallies["train"].steps_without[place] += not tokens
        return batches, step

    def compute_loss(
        self,
        model: Any,  # noqa: ANN401
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Counts | None = None,
    ) -> Any:  # noqa: ANN401
        """This batch's part of the step's loss.

        Args:
            model: as it is wrapped for training.
            inputs: a batch.
            return_outputs: must be False: there are no outputs but the loss.
            num_items_in_batch: the counts of the step; None where the batch stands for itself.

        Returns:
            The part, times the number of processes: their gradients are averaged, not summed.

        Raises:
            ConfigError: outputs are asked for.
        """
        if return_outputs:
            raise ConfigError("there are no outputs: leave compute_metrics out")
        streams, targets = inputs["stream"].cpu().numpy(), _targets(inputs).cpu().numpy()
        row_sums = self._row_sums(model, inputs, targets)
        given = row_sums.detach().cpu().double().numpy()
        self._tallies["train" if model.training else "eval"].add(streams, given, targets)
        step = num_items_in_batch or count(streams, targets)
        weights = self._objective.row_weights(streams, targets, step)
        loss = (row_sums * torch.from_numpy(weights).to(row_sums)).sum()
        return loss if num_items_in_batch is None else loss * self.accelerator.num_processes

    def _row_sums(self, model: Any, inputs: dict[str, Any], targets: NDArray[np.int64]) -> Any:  # noqa: ANN401
        """Of each row, the cross-entropies of its target tokens, summed.

        Rows of like length go through the model together. Not so in several processes: there each
        must make as many passes as the others, and rows of a step are parted by length already.
        """
        if self.accelerator.num_processes > 1:
            return self._pass(model, inputs, int(targets.max()))
        lengths = inputs["attention_mask"].sum(dim=1).tolist()
        sums = torch.zeros(len(lengths), device=inputs["labels"].device)
        for part in passes(lengths):
            kept = {
                name: inputs[name][part, -max(lengths[row] for row in part) :]
                for name in ("input_ids", "labels", "attention_mask", "position_ids")
            }
            found = self._pass(model, kept, int(targets[part].max()))
            sums = sums.index_add(0, torch.tensor(part, device=sums.device), found)
        return sums

    def _pass(self, model: Any, inputs: dict[str, Any], most: int) -> Any:  # noqa: ANN401
        """The same for rows that go through the model together.

        Args:
            model: any causal one.
            inputs: rows padded on the left, so that all targets end in the last column.
            most: the most target tokens that a row has.
        """
        asked = {k: inputs[k] for k in ("input_ids", "attention_mask", "position_ids")}
        labels = inputs["labels"]
        if self.fused:
            out = model(**asked, labels=labels, fused_lm_head=True)
            return -out.log_probs.float().sum(dim=1)
        columns = max(most, 1)
        kept = {"logits_to_keep": columns + 1} if self._keeps else {}
        logits = model(**asked, use_cache=False, **kept).logits[:, -columns - 1 : -1]
        labels = labels[:, -logits.shape[1] :] if logits.shape[1] else labels[:, :0]
        learned = labels != IGNORED
        each = torch.nn.functional.cross_entropy(
            logits[learned].float(), labels[learned], reduction="none"
        )
        sums = torch.zeros(len(labels), dtype=each.dtype, device=each.device)
        return sums.index_add(0, learned.nonzero()[:, 0], each)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """TRL's log line, with the mean cross-entropy of each stream's target tokens."""
        if self.model.training:
            found = self._read("train")
            if found is not None:
                sums, counts, without = found
                logs |= self._stream_losses(sums, counts, "")
                pairs = zip(STREAMS, self._present, without, strict=True)
                logs |= {f"steps_without_{s}": n for s, here, n in pairs if here and n}
        super().log(logs, start_time)

    def evaluation_loop(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401
        """The loss on held-out samples, over all of them, and that of each stream."""
        self._tallies["eval"] = Tally()
        out = super().evaluation_loop(*args, **options)
        found = self._read("eval")
        prefix = options.get("metric_key_prefix", "eval")
        if found is not None:
            sums, counts, _ = found
            out.metrics[f"{prefix}_loss"] = self._objective.total(sums[:-1], sums[-1], counts)
            out.metrics.update(self._stream_losses(sums, counts, f"{prefix}_"))
        return out

    def _stream_losses(self, sums: list[float], counts: Counts, prefix: str) -> dict[str, float]:
        triples = zip(STREAMS, sums, counts.tokens, strict=False)
        return {f"{prefix}loss_{stream}": given / n for stream, given, n in triples if n}

    def _read(self, mode: str) -> tuple[list[float], Counts, list[int]] | None:
        """The tally over all processes, begun anew; None where no batch was counted."""
        tally, self._tallies[mode] = self._tallies[mode], Tally()
        if not tally.batches:
            return None
        counts = Counts.from_list(self._summed(tally.counts.to_list()))
        return self._summed(tally.sums.tolist()), counts, tally.steps_without

    def _summed(self, numbers: Sequence[float]) -> list[float]:
        """Numbers added up over all processes; whole ones stay exact."""
        if self.accelerator.num_processes == 1:
            return list(numbers)
        given = torch.tensor(numbers, dtype=torch.float64, device=self.accelerator.device)
        summed: list[float] = self.accelerator.reduce(given, "sum").tolist()
        return summed


def _require_usable(args: Any, train: Sequence[Encoded]) -> None:  # noqa: ANN401
    if not train:
        raise DataError("there is no sample to learn: look at the report of lengths")
    ignored = {
        "packing": args.packing,
        "padding_free": args.padding_free,
        "completion_only_loss": args.completion_only_loss is not None,
        "assistant_only_loss": args.assistant_only_loss,
        "label_smoothing_factor": args.label_smoothing_factor,
        "loss_type": args.loss_type != "nll",
        "use_liger_kernel": args.use_liger_kernel,
    }
    set_to = [name for name, value in ignored.items() if value]
    if set_to:
        raise ConfigError(f"{', '.join(set_to)}: this trainer has its own way; leave it out")


def _dataset(samples: Sequence[Encoded], multiple: int) -> Any:  # noqa: ANN401
    return Dataset.from_dict(rows(samples, multiple))


def _targets(batch: dict[str, Any]) -> Any:  # noqa: ANN401
    """Of each row, how many of its tokens are learned."""
    return (batch["labels"] != IGNORED).sum(dim=1)


def _to_fp32(model: Any) -> None:  # noqa: ANN401
    """Weights that learn, in the precision that the gradient scaler of fp16 needs."""
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
