"""In which order an epoch's batches come: within a corpus by like length, between corpora by plan.

Pure functions of sizes and a generator; nothing here needs torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from untwist.detect.encoder_config import Sampling

Batch = tuple[str, NDArray[np.int64]]
"""A corpus and the places of its texts that go through the model together."""

POOL = 64
"""Batches that are sorted by length together: enough to waste little padding, few enough that a
text meets others in the next epoch."""


def batches(
    lengths: Sequence[int], batch: int, rng: np.random.Generator, *, grouped: bool
) -> list[NDArray[np.int64]]:
    """Every text once, in batches in a drawn order; the last texts drawn may make a smaller one.

    Args:
        lengths: tokens of each text.
        batch: texts of a batch.
        rng: the source of chance.
        grouped: put texts of like length together, within pools of `POOL` batches.
    """
    order = rng.permutation(len(lengths))
    if grouped:
        size = np.asarray(lengths)
        pools = (order[at : at + batch * POOL] for at in range(0, len(order), batch * POOL))
        order = np.concatenate([pool[np.argsort(-size[pool], kind="stable")] for pool in pools])
    cut = [order[at : at + batch] for at in range(0, len(order), batch)]
    return [cut[place] for place in rng.permutation(len(cut))]


def epoch(
    lengths: Mapping[str, Sequence[int]],
    batch: int,
    sampling: Sampling,
    rng: np.random.Generator,
    *,
    grouped: bool = True,
    temperature: float = 1.0,
) -> list[Batch]:
    """The batches of one epoch, each of one corpus.

    "paper" takes the corpora one after the other, as CrossLinCD's program does; "round_robin" one
    batch of each in turn until it has no more; "proportional" shuffles all batches, so each corpus
    comes as often as its size says. These give every text once. "temperature" draws as many batches
    with chances of size ** (1 / temperature), and a corpus that is through begins anew.

    Args:
        lengths: tokens of each text, by corpus.
        batch: texts of a batch.
        sampling: the plan.
        rng: the source of chance.
        grouped: as for `batches`.
        temperature: 1 is by size, large is by turns.
    """
    own = {name: batches(ns, batch, rng, grouped=grouped) for name, ns in lengths.items()}
    everything = [(name, places) for name, parts in own.items() for places in parts]
    match sampling:
        case "paper":
            return everything
        case "round_robin":
            longest = max(len(parts) for parts in own.values())
            turns = range(longest)
            return [(n, parts[i]) for i in turns for n, parts in own.items() if i < len(parts)]
        case "proportional":
            return [everything[place] for place in rng.permutation(len(everything))]
        case "temperature":
            chance = np.array([len(ns) for ns in lengths.values()], float) ** (1 / temperature)
            drawn = rng.choice(len(own), len(everything), p=chance / chance.sum())
            names = list(lengths)
            found: list[Batch] = []
            for name in (names[place] for place in drawn):
                if not own[name]:
                    own[name] = batches(lengths[name], batch, rng, grouped=grouped)
                found.append((name, own[name].pop()))
            return found
