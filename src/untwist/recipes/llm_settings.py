"""What a tuning run is told: a preset with its changes, a model, and sources.

Leaves out: the run; `train_llm` makes it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from untwist.data import Reading
from untwist.errors import ConfigError
from untwist.recipes.config import build, read_toml
from untwist.recipes.llm_samples import Sources
from untwist.tune.config import TuneConfig
from untwist.tune.presets import preset_file


@dataclass(frozen=True, slots=True)
class TrainLlm:
    """What to tune on what."""

    out: str
    """The run folder; it must be new or empty, or that of the same run."""
    model: str
    """The base model: a folder, or a name of the hub."""
    data: tuple[str, ...]
    """Corpora by name, or files of the kind that the preset says."""
    tune: TuneConfig
    """The preset, with whatever was changed in it."""
    augmented: tuple[str, ...] = ()
    """Files of `untwist generate enhance`: their replies take the place of those in the data."""
    name: str = "tuned-v1"
    """Name and version of the model; stands in its card."""
    revision: str = ""
    """Of the base model on the hub; empty takes the newest that is here."""
    download: bool = False
    """Fetch a base model that is not here."""
    refuse: bool = False
    """Leave out and count samples that are too long; otherwise the first one stops the run."""
    reading: Reading = field(default_factory=Reading)
    """How corpora are read."""
    notes: tuple[str, ...] = ()
    """What the card must say of this very run."""
    command: str = "untwist train llm"
    """What starts this run; stands in the card."""

    @property
    def sources(self) -> Sources:
        """Where samples come from."""
        return Sources(self.data, self.augmented, self.reading, self.tune.seed)


def read_preset(name: str, changes: Sequence[str] = ()) -> TuneConfig:
    """A preset by name or file, with some of its keys changed.

    Args:
        name: of a preset, or the path of a TOML file.
        changes: each "table.key=value", the value as in TOML; a bare word is a text.

    Raises:
        ConfigError: there is no such preset, a key is unknown, or its settings contradict.
    """
    values = read_toml(preset_file(name))
    for change in changes:
        key, sign, value = change.partition("=")
        if not sign or not key.strip():
            raise ConfigError(
                f'"{change}" changes nothing: write KEY=VALUE, such as steps.epochs=1'
            )
        _put(values, key.strip().split("."), _value(value.strip()), change)
    return build(TuneConfig, values, name)


def _value(text: str) -> Any:  # noqa: ANN401
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _put(values: dict[str, Any], path: Sequence[str], value: Any, change: str) -> None:  # noqa: ANN401
    for name in path[:-1]:
        values = values.setdefault(name, {})
        if not isinstance(values, dict):
            raise ConfigError(f'"{change}": {name} is no table')
    values[path[-1]] = value


def quick(config: TrainLlm) -> TrainLlm:
    """The same run, too short to be of use: two steps."""
    steps = replace(config.tune.steps, epochs=0, steps=2, keep="last", log_every=1)
    return replace(config, tune=replace(config.tune, steps=steps))
