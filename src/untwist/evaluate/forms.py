"""The forms of result files: JSON Schemas that ship, and the check that a value keeps to one.

A result file carries its form and version, as in "schema": "untwist/detection-report@1". The
schemas are plain JSON Schema (draft 2020-12), for any validator.
"""

from __future__ import annotations

import json
from copy import deepcopy
from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import Any

from untwist.errors import ConfigError, DataError, MissingExtra
from untwist.schema import Json

_WORDS = {
    "type": "must be",
    "const": "must be",
    "enum": "must be one of",
    "minimum": "must be at least",
    "maximum": "must be at most",
    "minItems": "must have at least",
    "maxItems": "must have at most",
    "pattern": "must match",
}
SCHEMAS = (
    "agreement",
    "blind",
    "comparison",
    "comparisons",
    "cross-corpus-matrix",
    "data-stats",
    "detection",
    "detection-report",
    "evidence",
    "judge",
    "leaderboard-entry",
    "leakage",
    "logged",
    "matrix",
    "multitask",
    "parallel",
    "policy",
    "replies",
)


def schema(name: str) -> Json:
    """The JSON Schema of one kind of result file.

    Args:
        name: one of `SCHEMAS`.

    Raises:
        ConfigError: there is no such schema.
    """
    return deepcopy(_form(name))


@cache
def _form(name: str) -> Json:
    if name not in SCHEMAS:
        raise ConfigError(f'no schema "{name}"; there are {", ".join(SCHEMAS)}')
    file = files("untwist.evaluate").joinpath("schemas", f"{name}.json")
    form: Json = json.loads(file.read_text(encoding="utf-8"))
    return form


def check(value: object, name: str) -> None:
    """Check that a value keeps to a schema. NaN and infinity are no numbers here: JSON has none.

    Args:
        value: JSON values: dictionaries, lists, strings, numbers, booleans, None.
        name: one of `SCHEMAS`.

    Raises:
        DataError: it does not; the message has the place and what is asked for there, never what
            stands there.
        ConfigError: there is no such schema.
        MissingExtra: jsonschema is not installed.
    """
    _form(name)
    try:
        library = import_module("jsonschema")
    except ImportError as error:
        raise MissingExtra("checking result files", "eval") from error
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise DataError(f"not a {name}: {error}") from error
    fault = library.exceptions.best_match(_validator(name).iter_errors(value))
    if fault is not None:
        raise DataError(f"not a {name}: {name}{fault.json_path.removeprefix('$')} {_asked(fault)}")


@cache
def _validator(name: str) -> Any:  # noqa: ANN401 - jsonschema has no types
    """The validator of one schema, which may refer to the others by their $id."""
    referencing = import_module("referencing")
    forms = [_form(known) for known in SCHEMAS]
    resources = ((form["$id"], referencing.Resource.from_contents(form)) for form in forms)
    registry = referencing.Registry().with_resources(resources)
    return import_module("jsonschema").Draft202012Validator(_form(name), registry=registry)


def _asked(fault: Any) -> str:  # noqa: ANN401 - jsonschema has no types
    """What is asked for, in words; the library's own message would quote the value."""
    if fault.validator in ("required", "additionalProperties"):
        return f"has other fields: {fault.message}"
    words = _WORDS.get(fault.validator, f"must keep to {fault.validator}")
    return f"{words} {json.dumps(fault.validator_value, ensure_ascii=False)}"
