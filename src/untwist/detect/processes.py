"""Several processes that train one model, each on its share of every batch.

Whatever starts them (`accelerate launch`, `torchrun`) names them by environment variables. Heavy:
importing this module needs PyTorch. Leaves out: sharding the model itself; an encoder fits one GPU.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from untwist.detect.encoder import place_of
from untwist.errors import ConfigError, MissingExtra

try:
    import torch
    import torch.distributed as dist
except ImportError as error:
    raise MissingExtra("training an encoder", "finetune") from error

_SHARDING = ("ACCELERATE_USE_FSDP", "ACCELERATE_USE_DEEPSPEED")


@dataclass(frozen=True, slots=True)
class World:
    """This process among those that train together.

    Attributes:
        rank: which one; 0 writes files.
        size: how many there are.
        device: this one's.
    """

    rank: int
    size: int
    device: torch.device

    def share(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """What of a batch this process reads; nothing, where there are fewer texts than processes.

        Every `size`-th place, so that a batch in order of length is shared out fairly.
        """
        return places[self.rank :: self.size]

    def wrapped(self, network: torch.nn.Module, *, unused: bool) -> torch.nn.Module:
        """The network, with its gradients averaged over the processes.

        Args:
            network: on this process' device.
            unused: whether some parameters have no gradient in some steps.
        """
        if self.size == 1:
            return network
        return torch.nn.parallel.DistributedDataParallel(network, find_unused_parameters=unused)

    def quietly(self, network: torch.nn.Module, *, last: bool) -> AbstractContextManager[None]:
        """A context in which gradients are averaged in the last micro-batch alone."""
        if last or self.size == 1:
            return nullcontext()
        quiet: AbstractContextManager[None] = network.no_sync()
        return quiet

    def summed(self, values: torch.Tensor) -> torch.Tensor:
        """A tensor's sum over all processes."""
        if self.size > 1:
            dist.all_reduce(values)
        return values

    def wait(self) -> None:
        """Until all processes have come here."""
        if self.size > 1:
            dist.barrier()


@contextmanager
def world(device: str) -> Iterator[World]:
    """This process' place, as the environment names it; alone where it names none.

    Raises:
        ConfigError: the launcher was told to shard the model, or there is no such device.
    """
    for name in _SHARDING:
        if os.environ.get(name, "").lower() in {"1", "true"}:
            raise ConfigError(f"{name} is set: encoders train in plain data parallel; leave it out")
    rank, size = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    place = place_of(device)
    opened = size > 1 and not dist.is_initialized()
    if size > 1 and place.type == "cuda":
        # nccl waits on whichever GPU is the current one
        torch.cuda.set_device(place)
    if opened:
        dist.init_process_group("nccl" if place.type == "cuda" else "gloo")
    try:
        yield World(rank, size, place)
    finally:
        if opened:
            dist.destroy_process_group()
