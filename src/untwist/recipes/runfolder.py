"""The folder that a run leaves behind: exactly what ran, on what, with which result.

Equal code, configuration and inputs give equal files; only versions may differ. There are no dates.
"""

from __future__ import annotations

import hashlib
import json
import math
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import untwist
from untwist.data import sha256_of
from untwist.errors import ConfigError, DataError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

CONFIG, MANIFEST, METRICS = "config.toml", "manifest.json", "metrics.json"
_PACKAGES = ("click", "numpy", "safetensors")


@dataclass(frozen=True, slots=True)
class RunFolder:
    """An open run folder.

    Attributes:
        path: the folder; config.toml and manifest.json are already in it.
    """

    path: Path

    def write_metrics(self, metrics: Mapping[str, Any]) -> Path:
        """Write metrics.json; None means "not known".

        Raises:
            DataError: a value is no JSON, or is NaN or infinite.
        """
        return self.write_json(METRICS, metrics)

    def write_json(self, name: str, values: Mapping[str, Any]) -> Path:
        """Write one JSON file, indented.

        Raises:
            DataError: a value is no JSON, or is NaN or infinite.
        """
        try:
            text = json.dumps(values, ensure_ascii=False, indent=1, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise DataError(f"{name} cannot be written as JSON: {error}") from error
        return self.write_text(name, text + "\n")

    def write_text(self, name: str, text: str) -> Path:
        """Write one UTF-8 text file with LF line ends."""
        file = self.path / name
        file.write_text(text, encoding="utf-8", newline="\n")
        return file


def open_run(
    out: Path | str, config: DataclassInstance, seed: int, inputs: Sequence[Path | str]
) -> RunFolder:
    """Make the folder, write config.toml and manifest.json.

    Args:
        out: a folder that does not exist yet or is empty.
        config: the frozen configuration of the run.
        seed: the one seed of the run.
        inputs: the files that the run reads; their sha256 is recorded under the name given here.

    Raises:
        ConfigError: the folder is in use or cannot be made, or the configuration holds what TOML
            cannot.
        DataError: an input is missing.
    """
    path = Path(out)
    if path.is_file() or (path.is_dir() and any(path.iterdir())):
        raise ConfigError(f"{path} is not empty: name a new folder for the run")
    text = to_toml(config)
    values = manifest(seed, inputs)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"cannot make the run folder {path}: {error.strerror}") from error
    folder = RunFolder(path)
    folder.write_text(CONFIG, text)
    folder.write_json(MANIFEST, values)
    return folder


def manifest(seed: int, inputs: Sequence[Path | str]) -> dict[str, Any]:
    """What ran: git revision, sha256 of the package, seed, versions, inputs.

    Raises:
        DataError: an input is missing.
    """
    package = Path(untwist.__file__).parent
    return {
        "revision": git_revision(package),
        "package_sha256": _sha256_of_package(package),
        "seed": seed,
        "versions": {
            "untwist": untwist.__version__,
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in _PACKAGES},
        },
        "inputs": {Path(file).as_posix(): _sha256_of_input(Path(file)) for file in inputs},
    }


def git_revision(folder: Path) -> str | None:
    """The commit that the git tree around a source checkout stands on; read from its files.

    Returns:
        None when the folder is not `src/untwist` of a git tree, or there is no commit yet. Changes
        not committed do not show here; they show in the package's sha256.
    """
    git = folder.parents[1] / ".git"
    try:
        if git.is_file():
            named = git.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
            git = git.parent / named
        head = (git / "HEAD").read_text(encoding="utf-8").strip()
        return _resolve(git, head)
    except OSError:
        return None


def _resolve(git: Path, head: str) -> str | None:
    if not head.startswith("ref:"):
        return head or None
    name = head.removeprefix("ref:").strip()
    common = git / "commondir"
    if common.is_file():
        git = git / common.read_text(encoding="utf-8").strip()
    loose, packed = git / name, git / "packed-refs"
    if loose.is_file():
        return loose.read_text(encoding="utf-8").strip()
    if packed.is_file():
        for line in packed.read_text(encoding="utf-8").splitlines():
            if line.endswith(" " + name):
                return line.split(" ", 1)[0]
    return None


def _sha256_of_package(package: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(package.rglob("*")):
        hidden = any(part.startswith((".", "__pycache__")) for part in file.parts[-4:])
        if file.is_file() and not hidden:
            digest.update(file.relative_to(package).as_posix().encode())
            digest.update(bytes.fromhex(sha256_of(file)))
    return digest.hexdigest()


def _sha256_of_input(file: Path) -> str:
    if not file.is_file():
        raise DataError(f"no input file {file}")
    return sha256_of(file)


def to_toml(config: DataclassInstance) -> str:
    """A frozen configuration as TOML; None is left out, a nested dataclass is a table.

    Raises:
        ConfigError: a field holds what TOML cannot.
    """
    return _table(config, ())


def _table(config: DataclassInstance, above: tuple[str, ...]) -> str:
    plain, nested = [], []
    for item in fields(config):
        value = getattr(config, item.name)
        if is_dataclass(value) and not isinstance(value, type):
            nested.append(_table(value, (*above, item.name)))
        elif value is not None:
            plain.append(f"{item.name} = {_value(value, item.name)}\n")
    head = f"\n[{'.'.join(above)}]\n" if above else ""
    return head + "".join(plain) + "".join(nested)


def _value(value: object, name: str) -> str:
    if isinstance(value, Enum):
        return _value(value.value, name)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | Path):
        return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        pairs = (f"{json.dumps(str(k))} = {_value(v, name)}" for k, v in value.items())
        return "{ " + ", ".join(pairs) + " }"
    if is_dataclass(value) and not isinstance(value, type):
        # one of several: a table of its own would need a place of its own
        pairs = (f"{f.name} = {_value(getattr(value, f.name), name)}" for f in fields(value))
        return "{ " + ", ".join(pairs) + " }"
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_value(item, name) for item in value) + "]"
    raise ConfigError(f"{name} holds a {type(value).__name__}, which config.toml cannot hold")
