"""What every prompt has: words in two languages, a version, a question, a reader of the answer.

The words are data (`NAME.en.toml`, `NAME.zh.toml`); their version rises whenever they change
(tests/llm/prompts/versions.json holds them to it). Every answer but a simulated person's is JSON.
"""

from __future__ import annotations

import json
import tomllib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib.resources import files
from typing import Any, Generic, TypeVar

from untwist.errors import DataError, ParseError
from untwist.llm.prompts.answers import Fields, object_in
from untwist.schema import Json, Utterance
from untwist.taxonomy import Intensity, Lang, Risk
from untwist.text import require_text

Value = TypeVar("Value")
Messages = tuple[Mapping[str, str], ...]


@dataclass(frozen=True, slots=True)
class Prompt(ABC, Generic[Value]):
    """A question to a language model, and the reader of its answer.

    Attributes:
        lang: language of the question, and of everything that the answer says in words.
    """

    lang: Lang

    @property
    @abstractmethod
    def name(self) -> str:
        """Which question; also the name of the files with its words."""

    @property
    @abstractmethod
    def schema(self) -> Json | None:
        """JSON schema of the answer; None where it is free text."""

    @abstractmethod
    def read(self, fields: Fields) -> Value:
        """The value of an answer that is a JSON object.

        Raises:
            ParseError: it does not hold what was asked for.
            DataError: what it holds does not fit together.
        """

    @abstractmethod
    def write(self, value: Value) -> Json:
        """The JSON object of a value; the inverse of `read`."""

    @property
    def words(self) -> Mapping[str, Any]:
        """The prompt's words in its language."""
        return words_of(self.name, self.lang)

    @property
    def version(self) -> int:
        """Of the words; equal in both languages."""
        return int(self.words["version"])

    @property
    def id(self) -> str:
        """Name, language and version, for caches and provenance: "detect.en@1"."""
        return f"{self.name}.{self.lang}@{self.version}"

    def parse(self, answer: str) -> Value:
        """What an answer says; never a guess.

        Raises:
            ParseError: it cannot be read; reason "refused" where the model declined, "not_json"
                where there is no JSON object in it.
        """
        try:
            return self.read(Fields(object_in(answer), answer))
        except DataError as error:
            raise ParseError(f"{self.name}: {error}", raw=answer) from error

    def render(self, value: Value) -> str:
        """The answer that says a value; `parse(render(value)) == value`."""
        return json.dumps(self.write(value), ensure_ascii=False)

    def _system(self, **filled: str) -> Mapping[str, str]:
        """The instructions, with what all prompts share filled in."""
        return message("system", self._filled(self.words["system"], **filled))

    def _filled(self, system: str, **filled: str) -> str:
        common = words_of("common", self.lang)
        shared = {"reads": common["reads"], "never": common["never"]}
        if self.schema is not None:
            shared["form"] = f"{common['form']}\n{form(self.schema)}"
        return system.format(**shared, **filled)


@cache
def words_of(name: str, lang: Lang) -> Mapping[str, Any]:
    """The words of one prompt in one language, as they stand in its file."""
    path = files("untwist.llm.prompts").joinpath(f"{name}.{lang}.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))


def message(role: str, content: str) -> Mapping[str, str]:
    """One message of a chat; blanks around it are left out."""
    return {"role": role, "content": content.strip()}


def fenced(tag: str, text: str) -> str:
    """Somebody's writing between marks that do not occur in it, so that it cannot step out."""
    mark, count = tag, 1
    while f"<{mark}>" in text or f"</{mark}>" in text:
        count += 1
        mark = f"{tag}-{count}"
    return f"<{mark}>\n{text}\n</{mark}>"


def spoken(said: Sequence[Utterance], lang: Lang) -> str:
    """A conversation as lines, each with who speaks."""
    who = words_of("common", lang)["speakers"]
    return "\n".join(f"{who[one.role]}{one.text}" for one in said)


def listed(key: str, name: str, definition: str, lang: Lang) -> str:
    """One row of a list; a name that only repeats the key is left out."""
    common = words_of("common", lang)
    same = key.casefold() == name.casefold()
    line: str = common["bare_line" if same else "line"]
    return line.format(key=key, name=name, definition=definition)


def intensities(lang: Lang) -> str:
    """The levels of intensity as a list, the lowest first."""
    rows = (
        listed(one.value, one.name_in(lang), one.definition_in(lang), lang) for one in Intensity
    )
    return "\n".join(rows)


def risks(lang: Lang) -> str:
    """The levels of risk as a list, as an annotator is told to judge them."""
    told = words_of("common", lang)["risks"]
    return "\n".join(listed(one.value, one.name_in(lang), told[one.value], lang) for one in Risk)


def object_of(**properties: Json) -> Json:
    """Schema of an object that holds these fields and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def string(about: str) -> Json:
    """Schema of a text."""
    return {"type": "string", "description": about}


def many(item: Json) -> Json:
    """Schema of a list."""
    return {"type": "array", "items": item}


def one_of(values: Sequence[str | int], about: str = "", *, null: bool = False) -> Json:
    """Schema of one of several values, or of null.

    Args:
        values: all of one type.
        about: what they are, where there are too many to be listed.
        null: whether null may stand in their place.
    """
    kind = "integer" if isinstance(values[0], int) else "string"
    told = {"description": about} if about else {}
    if null:
        return {"type": [kind, "null"], "enum": [*values, None], **told}
    return {"type": kind, "enum": list(values), **told}


def level(kind: type[Enum], *, null: bool = False) -> Json:
    """Schema of one level of a scale."""
    return one_of([str(one.value) for one in kind], null=null)


def form(schema: Json, indent: str = "") -> str:
    """A schema as the outline of an answer, for models that are not held to it."""
    if schema["type"] == "object":
        inner = indent + "  "
        rows = [
            f"{inner}{json.dumps(key)}: {form(value, inner)}"
            for key, value in schema["properties"].items()
        ]
        return "{\n" + ",\n".join(rows) + f"\n{indent}}}"
    if schema["type"] == "array":
        return f"[{form(schema['items'], indent)}, ...]"
    if schema["type"] == "boolean":
        return f"true | false <{schema['description']}>"
    if "description" in schema:
        return f"<{schema['description']}>"
    return " | ".join(json.dumps(value, ensure_ascii=False) for value in schema["enum"])


def tidied(value: object, *names: str) -> None:
    """Makes the texts of a frozen value what `Fields.text` reads: no blanks around them.

    Raises:
        DataError: one of them is empty or cannot be written down.
    """
    for name in names:
        text = require_text(getattr(value, name), f'"{name}"').strip()
        object.__setattr__(value, name, text)
