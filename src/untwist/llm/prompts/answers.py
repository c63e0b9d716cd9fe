"""From the text of an answer to its fields: one JSON object, whatever stands around it.

Nothing is filled in: a field that is missing, empty or of another kind is an error, and no error
quotes what the model wrote.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

from untwist.errors import DataError, ParseError, Reason
from untwist.llm.structured import parsed, spoken
from untwist.schema import Json
from untwist.taxonomy import LANGS
from untwist.text import require_text

Member = TypeVar("Member", bound=Enum)

_HEAD = 160
"""How much of an answer is read for words that decline; a whole letter may hold "I can't"."""


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of one JSON object of an answer.

    Attributes:
        data: by name.
        raw: the whole answer.
        where: which object, for messages.
    """

    data: Mapping[str, Any]
    raw: str
    where: str = "the answer"

    def error(self, message: str, reason: Reason = "parse") -> ParseError:
        """An error about this object; the message must not quote the answer."""
        return ParseError(f"{self.where}: {message}", raw=self.raw, reason=reason)

    def get(self, key: str) -> Any:  # noqa: ANN401
        """A field as it came.

        Raises:
            ParseError: it is missing.
        """
        if key not in self.data:
            raise self.error(f'"{key}" is missing')
        return self.data[key]

    def text(self, key: str) -> str:
        """A text with something in it, without the blanks around it.

        Raises:
            ParseError: it is none.
        """
        value = self.get(key)
        try:
            return require_text(value, f'"{key}"').strip()
        except DataError as error:
            raise self.error(str(error)) from error

    def prose(self, key: str) -> str:
        """A text that was written for somebody to read.

        Raises:
            ParseError: it is none; reason "refused" where it declines to answer.
        """
        value = self.text(key)
        if refuses(value):
            raise self.error(f'"{key}" declines to answer', "refused")
        return value

    def maybe_text(self, key: str) -> str | None:
        """A text, or None where the answer says null.

        Raises:
            ParseError: it is neither.
        """
        return None if self.get(key) is None else self.text(key)

    def flag(self, key: str) -> bool:
        """True or false.

        Raises:
            ParseError: it is neither.
        """
        value = self.get(key)
        if not isinstance(value, bool):
            raise self.error(f'"{key}" is neither true nor false')
        return value

    def number(self, key: str, allowed: tuple[int, ...]) -> int | None:
        """One of some whole numbers, or None where the answer says null.

        Raises:
            ParseError: it is neither.
        """
        value = self.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or value not in allowed:
            raise self.error(f'"{key}" is not one of {", ".join(map(str, allowed))}')
        return int(value)

    def member(self, key: str, kind: type[Member]) -> Member:
        """A member of an enumeration by its value.

        Raises:
            ParseError: there is none of that value.
        """
        value = self.get(key)
        try:
            return kind(value.strip().lower() if isinstance(value, str) else value)
        except ValueError as error:
            there = ", ".join(str(one.value) for one in kind)
            raise self.error(f'"{key}" is not one of {there}') from error

    def maybe_member(self, key: str, kind: type[Member]) -> Member | None:
        """A member of an enumeration, or None where the answer says null.

        Raises:
            ParseError: it is neither.
        """
        return None if self.get(key) is None else self.member(key, kind)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts.

        Raises:
            ParseError: it is none.
        """
        rows = self._list(key)
        return tuple(Fields({key: one}, self.raw, self.where).text(key) for one in rows)

    def objects(self, key: str) -> tuple[Fields, ...]:
        """A list of objects.

        Raises:
            ParseError: it is none.
        """
        found = []
        for place, one in enumerate(self._list(key), 1):
            where = f'"{key}" {place}'
            if not isinstance(one, dict):
                raise self.error(f"{where} is no object")
            found.append(Fields(one, self.raw, where))
        return tuple(found)

    def object(self, key: str) -> Fields:
        """An object within.

        Raises:
            ParseError: it is none.
        """
        value = self.get(key)
        if not isinstance(value, dict):
            raise self.error(f'"{key}" is no object')
        return Fields(value, self.raw, f'"{key}"')

    def _list(self, key: str) -> list[Any]:
        value = self.get(key)
        if not isinstance(value, list):
            raise self.error(f'"{key}" is no list')
        return value


def object_in(answer: str) -> Json:
    """The JSON object in an answer: bare, in a fence, in prose, after the model's thoughts.

    Raises:
        ModelError: the model thought and was cut before it answered.
        ParseError: there is none; reason "refused" where the words decline.
    """
    said = spoken(answer)
    if not said:
        raise ParseError("the answer is empty", raw=answer, reason="empty")
    try:
        value = parsed(said)
    except ParseError as error:
        if refuses(said):
            raise ParseError("the model declines", raw=answer, reason="refused") from error
        raise
    if not isinstance(value, dict):
        raise ParseError("the answer is no JSON object", raw=answer)
    return value


@cache
def _declining() -> re.Pattern[str]:
    patterns = []
    for lang in LANGS:
        path = files("untwist.llm.prompts").joinpath(f"common.{lang}.toml")
        patterns += tomllib.loads(path.read_text(encoding="utf-8"))["declines"]
    return re.compile("|".join(f"(?:{one})" for one in patterns), re.IGNORECASE)


def refuses(text: str) -> bool:
    """Whether a text begins by declining to answer, in English or Chinese.

    Sorrow for somebody ("I'm sorry that you ...") and a limit named in a letter are no refusal.
    """
    return _declining().match(text.replace("’", "'").lstrip()[:_HEAD]) is not None
