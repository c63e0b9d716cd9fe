"""Answers that are JSON by a schema: how they are asked for, read, repaired and checked.

Repair changes only what stands around the JSON and commas that should not be there; it never
invents a value. Leaves out: schema keywords that `KEYWORDS` does not name; those are not checked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from untwist.errors import ModelError, ParseError

_FENCE = re.compile(r"```[\w-]*[ \t]*\r?\n(.*?)```", re.DOTALL)
_STRING_OR_COMMA = re.compile(r'"(?:[^"\\]|\\.)*"|,(?=\s*[}\]])', re.DOTALL)
_THOUGHT = re.compile(r"\A\s*<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL)
_OPENING = re.compile(r"[{\[]")
_BEGUN = re.compile(r"\{\s*[\"}]|\[\s*[\[{\"]")
_OPEN_THOUGHT = re.compile(r"\A\s*<think(?:ing)?>")
_ORDER = (
    "Answer with JSON only: one value that keeps this JSON schema, without any other words.\n"
    "只用JSON回答：一个符合以下JSON模式的值，不要任何其他文字。\n"
)
_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda v: isinstance(v, dict),
    "array": lambda v: isinstance(v, list),
    "string": lambda v: isinstance(v, str),
    "boolean": lambda v: isinstance(v, bool),
    "null": lambda v: v is None,
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, int | float) and not isinstance(v, bool),
}
KEYWORDS = (
    "type", "enum", "const", "required", "properties", "additionalProperties", "items",
    "minItems", "maxItems", "minLength", "minimum", "maximum", "anyOf",
)  # fmt: skip
"""Schema keywords that are checked."""


def response_format(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The standard field by which a server is asked to keep a schema."""
    return {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": schema, "strict": True},
    }


def in_words(
    messages: tuple[Mapping[str, Any], ...], schema: Mapping[str, Any]
) -> tuple[Mapping[str, Any], ...]:
    """The same messages, the last of which ends with the schema: for servers that know no other."""
    *before, last = messages
    order = _ORDER + json.dumps(schema, ensure_ascii=False)
    return (*before, {**last, "content": f"{last.get('content', '')}\n\n{order}"})


def spoken(text: str) -> str:
    """A model's answer without the thinking that some put in front of it.

    Raises:
        ModelError: it thought, and never came to the answer.
    """
    rest = _THOUGHT.sub("", text, count=1)
    if _OPEN_THOUGHT.match(rest):
        raise ModelError("the model was cut while it was thinking: raise max_tokens", reason="cut")
    return rest.strip()


def parsed(text: str, schema: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401
    """The JSON value in an answer.

    It is the whole text, or else the content of a fence, or else the one object (or list) that
    stands in the prose; commas before a closing bracket are dropped. An object that names a field
    twice is no JSON, and a fence counts only while no other object stands around it.

    Args:
        text: the answer.
        schema: that the value must keep; None checks nothing.

    Raises:
        ParseError: there is no JSON in it (reason "not_json"), two values that differ, or one that
            breaks the schema (reason "parse").
    """
    found = _value(text)
    if schema is not None:
        fault = next(faults(found, schema), None)
        if fault:
            raise ParseError(f"the answer breaks its schema: {fault}", raw=text)
    return found


def faults(value: Any, schema: Mapping[str, Any], at: str = "$") -> Iterator[str]:  # noqa: ANN401
    """Where a value breaks a schema; names places and keywords, quotes nothing of the value."""
    if not _typed(value, schema.get("type")):
        yield f"{at} is not of type {schema['type']}"
        return
    if "enum" in schema and not any(_same(value, one) for one in schema["enum"]):
        yield f"{at} is none of the values that are allowed"
    if "const" in schema and not _same(value, schema["const"]):
        yield f"{at} is not the value that is asked for"
    if "anyOf" in schema and not any(next(faults(value, s), None) is None for s in schema["anyOf"]):
        yield f"{at} fits none of its forms"
    if isinstance(value, dict):
        yield from _object_faults(value, schema, at)
    elif isinstance(value, list):
        yield from _list_faults(value, schema, at)
    else:
        yield from _scalar_faults(value, schema, at)


def _object_faults(value: dict[str, Any], schema: Mapping[str, Any], at: str) -> Iterator[str]:
    known = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{at}.{name} is missing"
    rest = schema.get("additionalProperties", True)
    for name, part in value.items():
        if name in known:
            yield from faults(part, known[name], f"{at}.{name}")
        elif rest is False:
            yield f"{at} has a field that the schema does not know"
        elif isinstance(rest, Mapping):
            yield from faults(part, rest, f"{at}.*")


def _list_faults(value: list[Any], schema: Mapping[str, Any], at: str) -> Iterator[str]:
    if len(value) < schema.get("minItems", 0):
        yield f"{at} has fewer than {schema['minItems']} items"
    if len(value) > schema.get("maxItems", len(value)):
        yield f"{at} has more than {schema['maxItems']} items"
    if isinstance(schema.get("items"), Mapping):
        for n, part in enumerate(value):
            yield from faults(part, schema["items"], f"{at}[{n}]")


def _scalar_faults(value: Any, schema: Mapping[str, Any], at: str) -> Iterator[str]:  # noqa: ANN401
    if isinstance(value, str) and len(value) < schema.get("minLength", 0):
        yield f"{at} is shorter than {schema['minLength']}"
    if _TYPES["number"](value):
        if value < schema.get("minimum", value):
            yield f"{at} is below {schema['minimum']}"
        if value > schema.get("maximum", value):
            yield f"{at} is above {schema['maximum']}"


def _typed(value: Any, kind: str | list[str] | None) -> bool:  # noqa: ANN401
    kinds = [kind] if isinstance(kind, str) else kind or []
    return not kinds or any(_TYPES[name](value) for name in kinds if name in _TYPES)


def _same(a: Any, b: Any) -> bool:  # noqa: ANN401
    return isinstance(a, bool) == isinstance(b, bool) and bool(a == b)


def _value(text: str) -> Any:  # noqa: ANN401
    values = _whole(text) or _fenced(text) or _within(text)
    if not values or any(not _same_json(value, values[0]) for value in values[1:]):
        many = "several JSON values that differ" if values else "no JSON"
        raise ParseError(f"the answer holds {many}", raw=text, reason="not_json")
    return values[0]


def _whole(text: str) -> list[Any]:
    """The value that the text is; nothing where it is none."""
    plain = text.strip()
    for form in (plain, _without_stray_commas(plain)):
        try:
            return [_loads(form)]
        except ValueError:
            continue
    return []


def _fenced(text: str) -> list[Any]:
    """The value in the only fence, and the objects (of a list: lists too) that stand around it."""
    fences = list(_FENCE.finditer(text))
    found = _whole(fences[0][1]) if len(fences) == 1 else []
    if not found:
        return []
    kinds = (dict, list) if isinstance(found[0], list) else (dict,)
    around = (text[: fences[0].start()], text[fences[0].end() :])
    return found + [v for part in around for v in _within(part) if isinstance(v, kinds)]


def _same_json(a: Any, b: Any) -> bool:  # noqa: ANN401
    # True is 1 in Python, and not in JSON
    return json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)


def _within(text: str) -> list[Any]:
    """The objects that stand in prose, else the lists; a part of something broken is neither."""
    plain, found, end = _without_stray_commas(text), list[Any](), 0
    while opening := _OPENING.search(plain, end):
        try:
            value, end = _DECODER.raw_decode(plain, opening.start())
        except (ValueError, RecursionError):
            if _BEGUN.match(plain, opening.start()):
                return []
            end = opening.end()
        else:
            found.append(value)
    objects = [value for value in found if isinstance(value, dict)]
    return objects or found


def _without_stray_commas(text: str) -> str:
    return _STRING_OR_COMMA.sub(lambda m: "" if m[0] == "," else m[0], text)


def _no_constant(name: str) -> Any:  # noqa: ANN401
    raise ValueError(name)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return found


_DECODER = json.JSONDecoder(parse_constant=_no_constant, object_pairs_hook=_once)


def _loads(text: str) -> Any:  # noqa: ANN401
    try:
        return _DECODER.decode(text)
    except RecursionError as error:
        raise ValueError("too deep") from error
