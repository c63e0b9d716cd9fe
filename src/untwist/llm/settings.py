"""Which model is meant by a name: from the environment, or from a file of several.

    UNTWIST_LLM_URL, UNTWIST_LLM_KEY, UNTWIST_LLM_MODEL     one endpoint
    UNTWIST_LLM_CONFIG=models.toml                          several, one section each:

        [models.big]
        url = "http://127.0.0.1:8000/v1"
        model = "Qwen/Qwen3-30B-A3B"
        key_env = "BIG_KEY"             # the name of a variable, never the key itself
        timeout = 120
        stream = false
        transport = "own"               # or "sdk"
        prices = { prompt = 0.2, completion = 0.6 }
        limits = { concurrency = 32, cost = 5.0 }

`scripted:FILE` is a model that reads its answers from JSON Lines: texts, or {"error": REASON}.
`local:FOLDER` is a model of transformers in this process (the extra "finetune").
UNTWIST_LLM_LOOPBACK_ONLY=1 refuses every server that is not on this machine.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from untwist.errors import ConfigError, DataError, ModelError, Reason
from untwist.llm.address import address_of
from untwist.llm.calls import Model
from untwist.llm.http import HttpModel
from untwist.llm.limits import Limits, Prices
from untwist.llm.scripted import ScriptedModel

URL, KEY, MODEL = "UNTWIST_LLM_URL", "UNTWIST_LLM_KEY", "UNTWIST_LLM_MODEL"
CONFIG, LOOPBACK_ONLY = "UNTWIST_LLM_CONFIG", "UNTWIST_LLM_LOOPBACK_ONLY"
SCRIPTED = "scripted:"
"""Begins the name of a model that reads its answers from a file."""
LOCAL = "local:"
"""Begins the name of a model that runs in this process."""

_FIELDS = ("url", "model", "key_env", "timeout", "stream", "transport", "prices", "limits")


def open_model(
    name: str | None = None,
    environment: Mapping[str, str] | None = None,
    config: Path | str | None = None,
) -> Model:
    """The model of a name.

    Args:
        name: a section of the config file, else what the server of the environment calls it, or
            scripted:FILE or local:FOLDER; None is UNTWIST_LLM_MODEL.
        environment: usually os.environ; None is empty.
        config: the file; None is UNTWIST_LLM_CONFIG, and without that there is none.

    Raises:
        ConfigError: nothing says where the model is, or a setting is wrong.
        DataError: the file of answers cannot be read.
        MissingExtra: the model or its transport needs an extra.
        ModelError: a local model cannot be loaded.
    """
    known = environment or {}
    if name and name.startswith(LOCAL):
        from untwist.llm.local import LocalModel

        return LocalModel(name.removeprefix(LOCAL))
    if name and name.startswith(SCRIPTED):
        return _scripted(Path(name.removeprefix(SCRIPTED)))
    name = name or known.get(MODEL)
    if not name:
        raise ConfigError(f"no model is named: set {MODEL}, or name one")
    file = config or known.get(CONFIG)
    sections = _sections(Path(file)) if file else {}
    if name in sections:
        return _from_section(name, sections[name], known)
    if URL not in known:
        near = get_close_matches(name, sections, 1)
        hint = f', or did you mean "{near[0]}"?' if near else f", or a section of it in {CONFIG}"
        raise ConfigError(f'nothing says where the model "{name}" is: set {URL}{hint}')
    return _http(name, known[URL], known.get(KEY), known, {})


def _from_section(name: str, section: Mapping[str, Any], known: Mapping[str, str]) -> Model:
    unknown = sorted(set(section) - set(_FIELDS))
    if unknown:
        raise ConfigError(_unknown(f"models.{name}", unknown[0], _FIELDS))
    key_name = section.get("key_env")
    if key_name is not None and key_name not in known:
        raise ConfigError(f"models.{name} takes its key from {key_name}, which is not set")
    url = section.get("url") or known.get(URL)
    if not url:
        raise ConfigError(f"models.{name} has no url: give one such as http://127.0.0.1:8000/v1")
    given: dict[str, Any] = {
        k: section[k] for k in ("timeout", "stream", "transport") if k in section
    }
    if "prices" in section:
        given["prices"] = _made(Prices, section["prices"], f"models.{name}.prices")
    if "limits" in section:
        given["limits"] = _made(Limits, section["limits"], f"models.{name}.limits")
    key = known[key_name] if key_name else None
    return _http(section.get("model", name), url, key, known, given)


def _http(
    name: str, url: str, key: str | None, known: Mapping[str, str], given: Mapping[str, Any]
) -> Model:
    if known.get(LOOPBACK_ONLY, "") not in {"", "0"} and not address_of(url).loopback:
        raise ConfigError(f"{LOOPBACK_ONLY} is set, and the model is on another machine")
    options = dict(given)
    transport = options.pop("transport", "own")
    if transport not in {"own", "sdk"}:
        raise ConfigError(f'transport is "{transport}": give own or sdk')
    if transport == "sdk":
        from untwist.llm.sdk import SdkTransport

        options["transport"] = SdkTransport(url, key)
    return HttpModel(name, url, key, **options)


def _sections(file: Path) -> Mapping[str, Mapping[str, Any]]:
    try:
        read = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read {file}: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"{file} is no TOML in UTF-8: {type(error).__name__}") from error
    sections = read.get("models", {})
    if set(read) - {"models"} or not all(isinstance(s, dict) for s in sections.values()):
        raise ConfigError(f"{file} holds more than sections [models.NAME]: keep only those")
    found: Mapping[str, Mapping[str, Any]] = sections
    return found


def _made(kind: type[Any], values: Any, place: str) -> Any:  # noqa: ANN401
    names = [item.name for item in fields(kind)]
    if not isinstance(values, dict):
        raise ConfigError(f"{place} is no table: give {{ {names[0]} = NUMBER }}")
    unknown = sorted(set(values) - set(names))
    if unknown:
        raise ConfigError(_unknown(place, unknown[0], names))
    try:
        return kind(**values)
    except TypeError as error:
        raise ConfigError(f"{place} lacks a value or has one of the wrong type") from error


def _unknown(place: str, name: str, known: Any) -> str:  # noqa: ANN401
    near = get_close_matches(name, known, 1)
    return f'{place} has no "{name}"' + (f': did you mean "{near[0]}"?' if near else "")


def _scripted(file: Path) -> Model:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read {file} as UTF-8: give a file of answers") from error
    answers = [_answer(file, n, line) for n, line in enumerate(lines, 1) if line.strip()]
    return ScriptedModel(answers, f"scripted-{file.stem}@1")


def _answer(file: Path, number: int, line: str) -> str | Exception:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise DataError(f"{file}:{number} is no JSON") from error
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and value.get("error") in get_args(Reason):
        return ModelError("the script fails here", reason=value["error"])
    raise DataError(f'{file}:{number} is neither a text nor {{"error": REASON}}')
