"""Configuration files: TOML in, one frozen dataclass out, unknown keys refused."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from untwist.errors import ConfigError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

C = TypeVar("C", bound="DataclassInstance")


def read_config(kind: type[C], path: Path | str) -> C:
    """A configuration from a TOML file; nested dataclasses are tables.

    Raises:
        ConfigError: the file cannot be read, a key is unknown or missing, or a value has the wrong
            type.
    """
    return build(kind, read_toml(path), str(path))


def read_toml(path: Path | str) -> dict[str, Any]:
    """What a TOML file holds, as it stands there.

    Raises:
        ConfigError: the file cannot be read, or is not TOML.
    """
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error


def build(kind: type[C], values: Mapping[str, Any], where: str) -> C:
    """A configuration from parsed TOML.

    Raises:
        ConfigError: as for `read_config`.
    """
    hints = get_type_hints(kind)
    known = {f.name for f in fields(kind)}
    for key in values:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.0)[0]
            raise ConfigError(f'{where}: unknown key "{key}"; did you mean "{near}"?')
    given = {k: _value(hints[k], v, f"{where}: {k}") for k, v in values.items()}
    try:
        return kind(**given)
    except TypeError as error:
        raise ConfigError(f"{where}: {str(error).split(') ', 1)[-1]}") from error


def _value(hint: Any, value: Any, where: str) -> Any:  # noqa: ANN401
    if is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(value, dict):
            raise ConfigError(f"{where} must be a table")
        return build(hint, value, where)
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            near = difflib.get_close_matches(str(value), map(str, get_args(hint)), 1, 0.0)[0]
            raise ConfigError(f'{where} is "{value}"; did you mean "{near}"?')
        return value
    if get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise ConfigError(f"{where} must be a list")
        return tuple(_value(get_args(hint)[0], v, where) for v in value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        raise ConfigError(f"{where} must be {hint.__name__}, not {type(value).__name__}")
    return value
