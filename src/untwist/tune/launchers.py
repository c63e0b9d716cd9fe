"""Ways to train in several processes: configuration files of accelerate that ship."""

from __future__ import annotations

import difflib
from importlib.resources import files

from untwist.errors import ConfigError

_FOLDER, _SUFFIX = "accelerate", ".yaml"


def launcher_names() -> tuple[str, ...]:
    """The names of all of them, sorted."""
    folder = files("untwist.tune").joinpath(_FOLDER)
    found = (one.name for one in folder.iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in found if name.endswith(_SUFFIX)))


def launcher(name: str, processes: int = 2) -> str:
    """The text of a file for `accelerate launch --config_file`.

    Args:
        name: one of `launcher_names()`.
        processes: how many, which is one for each GPU.

    Raises:
        ConfigError: there is none of that name, or the processes are fewer than two.
    """
    names = launcher_names()
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.0)[0]
        raise ConfigError(f'"{name}": did you mean "{near}"? There are {", ".join(names)}')
    if processes < 2:
        raise ConfigError("one process needs no launcher: run `untwist train llm` itself")
    text = files("untwist.tune").joinpath(_FOLDER, name + _SUFFIX).read_text(encoding="utf-8")
    return text.replace("num_processes: 2\n", f"num_processes: {processes}\n")
