"""The folder of a run of generated data, which the same command on it goes on with.

Whoever comes with other settings, inputs or models is refused, and leaves the folder as it was:
what an earlier run says of itself is written anew with the files of the next one, not before.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from untwist.generate import Journal
from untwist.recipes.generate_settings import Config
from untwist.recipes.runfolder import CONFIG, MANIFEST, RunFolder, manifest, open_run, to_toml
from untwist.schema import Json

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_NOT_IDENTITY = ("out", "running", "command", "gold", "review", "region")
"""Settings that change how a run is done or told, and no item that a model makes."""


@dataclass(frozen=True, slots=True)
class Opened(RunFolder):
    """The folder of a run that may have been stopped before.

    Attributes:
        settings: what config.toml says of this run.
        manifest: what manifest.json says of it.
    """

    settings: str
    manifest: Json

    @property
    def inputs(self) -> dict[str, str]:
        """The sha256 of each input."""
        told: dict[str, str] = self.manifest["inputs"]
        return told

    def settle(self) -> None:
        """Write what ran: once every journal has taken the run as its own."""
        self.write_text(CONFIG, self.settings)
        self.write_json(MANIFEST, self.manifest)


def open_folder(
    config: Config, inputs: Sequence[Path | str], seed: int, stages: Sequence[str]
) -> Opened:
    """A new run folder, or the one of a run that was stopped, which stays as it is until `settle`.

    Raises:
        ConfigError: the folder holds something else.
        DataError: an input is missing.
    """
    path, text = Path(config.out), to_toml(_settings(config))
    same = (path / CONFIG).is_file() and (path / CONFIG).read_text(encoding="utf-8") == text
    begun = [stage for stage in stages if (path / journal_of(stage)).is_file()]
    if not same and not begun:
        open_run(path, _settings(config), seed, inputs)
        return Opened(path, text, json.loads((path / MANIFEST).read_text(encoding="utf-8")))
    for stage in begun:
        # a later stage refuses before an earlier one has asked anything
        with Journal(path / journal_of(stage)) as journal:
            journal.fits({"settings": identity(config, stage, (), {})["settings"]})
    return Opened(path, text, manifest(seed, inputs))


def _settings(config: Config) -> DataclassInstance:
    settings: Any = config
    return settings  # type: ignore[no-any-return]


def journal_of(stage: str) -> str:
    """The file name of a stage's journal."""
    return f"{stage}.sqlite"


def identity(config: Config, stage: str, names: Sequence[str], inputs: Mapping[str, str]) -> Json:
    """What must be the same again for a journal to be gone on with."""
    settings = {k: v for k, v in asdict(_settings(config)).items() if k not in _NOT_IDENTITY}
    # more attempts mend an item that failed; they change none that was made
    del settings["sampling"]["attempts"]
    return {"stage": stage, "models": list(names), "inputs": dict(inputs), "settings": settings}
