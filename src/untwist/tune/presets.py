"""The presets that ship: one TOML file each, named after what it makes again."""

from __future__ import annotations

import difflib
from importlib.resources import files
from pathlib import Path

from untwist.errors import ConfigError

_FOLDER = "presets"


def preset_names() -> tuple[str, ...]:
    """The names of all presets, sorted."""
    folder = files("untwist.tune").joinpath(_FOLDER)
    found = (Path(one.name) for one in folder.iterdir())
    return tuple(sorted(one.stem for one in found if one.suffix == ".toml"))


def preset_file(name: str) -> Path:
    """The file of a preset, or a file of the user's own.

    Args:
        name: of a preset, or the path of a TOML file.

    Raises:
        ConfigError: it is neither.
    """
    if name in preset_names():
        return Path(str(files("untwist.tune").joinpath(_FOLDER, f"{name}.toml")))
    path = Path(name)
    if path.suffix == ".toml" or path.is_file():
        return path
    near = difflib.get_close_matches(name, preset_names(), n=1, cutoff=0.0)[0]
    raise ConfigError(
        f'there is no preset "{name}"; did you mean "{near}"? '
        f"There are {', '.join(preset_names())}; a file of your own ends in .toml"
    )
