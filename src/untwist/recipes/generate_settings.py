"""What the recipes of generated data are told: who is asked, how it is run, what may be written."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from untwist.cluster import Engine
from untwist.data import (
    Reading,
)
from untwist.generate import Item, Work
from untwist.generate.asking import Sampling, Titled
from untwist.generate.pipeline import Pipeline
from untwist.llm import Cache, CachedModel, Model, open_model
from untwist.llm.settings import LOCAL, SCRIPTED


@dataclass(frozen=True, slots=True)
class Running:
    """How a pipeline is run; nothing here changes what one item becomes."""

    concurrency: int = 8
    """Items at once."""
    engine: Engine = "local"
    """This process, or Ray."""
    workers: int = 0
    """Processes on Ray; 0 is one per core."""
    again: tuple[str, ...] = ()
    """Reasons of failures that are tried again; "all" is every one."""
    patience: int | None = 50
    """Failures in a row after which the run stops; None never does."""
    limit: int | None = None
    """How many sources are taken, from the first; None is all."""


@dataclass(frozen=True, slots=True)
class Gated:
    """What may not be written."""

    against: tuple[str, ...] = ()
    """Test sets beside those that ship: corpora by name, or files (their test part, else whole)."""
    leaks: bool = True
    """Whether what stands in a test set is refused."""
    repeats: bool = True
    """Whether near-duplicates are refused."""


class Models(Protocol):
    """Where the models of a run come from; small enough to be sent to other processes."""

    @property
    def names(self) -> tuple[str, ...]:
        """What they are called, in order."""

    def open(self) -> tuple[Model, ...]:
        """The models, ready to be asked."""


@dataclass(frozen=True)
class Given:
    """Models that are at hand, for this process alone."""

    models: tuple[Model, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """See `Models.names`."""
        return tuple(model.name for model in self.models)

    def open(self) -> tuple[Model, ...]:
        """See `Models.open`."""
        return self.models


@dataclass(frozen=True)
class Named:
    """Models by name, as `untwist.llm.open_model` takes them, behind one cache.

    Attributes:
        given: their names; empty is the one of the environment.
        config: the file that describes them; None is that of the environment.
        cache: the file of answers; None keeps none.
    """

    given: tuple[str, ...] = ()
    config: str | None = None
    cache: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """See `Models.names`."""
        return tuple(model.name for model in _named(self.given, self.config, None))

    def open(self) -> tuple[Model, ...]:
        """The models; opened once in a process, so that their limits hold over all stages.

        Raises:
            ConfigError: nothing says where a model is.
            DataError: the cache cannot be opened.
        """
        return _named(self.given, self.config, self.cache)


@lru_cache(maxsize=2)
def _named(given: tuple[str, ...], config: str | None, cache: str | None) -> tuple[Model, ...]:
    models = tuple(open_model(name, os.environ, config) for name in given or (None,))
    if cache is not None:
        Path(cache).parent.mkdir(parents=True, exist_ok=True)
        answers = Cache(cache)
        models = tuple(CachedModel(model, answers) for model in models)
    names: Sequence[str | None] = given or (None,)
    return tuple(_titled(model, name) for model, name in zip(models, names, strict=True))


def _titled(model: Model, name: str | None) -> Model:
    """The model under the name of its section, where it was named by one."""
    section = name is not None and name != model.name and not name.startswith((LOCAL, SCRIPTED))
    return Titled(model, name) if name is not None and section else model


class Config(Protocol):
    """The configuration of a recipe of generated data."""

    @property
    def out(self) -> str:
        """The run folder."""

    @property
    def command(self) -> str:
        """What starts this run."""

    @property
    def running(self) -> Running:
        """How it is run."""

    @property
    def gated(self) -> Gated:
        """What may not be written."""

    @property
    def reading(self) -> Reading:
        """How sources are read."""

    @property
    def sampling(self) -> Sampling:
        """How models are sampled."""

    def pipeline(self, stage: str, models: Sequence[Model]) -> Pipeline:
        """The work of one stage."""


@dataclass(frozen=True)
class Stage:
    """The work of one stage as a job that opens where it is done.

    Attributes:
        config: of the recipe.
        name: of the stage; also the name of its journal.
        models: whom to ask.
    """

    config: Config
    name: str
    models: Models

    def open(self) -> Work:
        """The pipeline with its models."""
        return self.config.pipeline(self.name, self.models.open())


Stages = Mapping[str, Callable[[], Iterator[Item]]]
"""The items of every stage by its name; of a later stage all that there can be."""
