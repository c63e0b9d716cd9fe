"""A page of the book: a JSON file that can say where in it something is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from untwist.errors import ArtifactError, DataError

Texts = tuple[str, ...]

_SLOT = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Node:
    """A place in a file, which can say where it is.

    Attributes:
        value: what stands there.
        where: the way to it, from the name of the file on.
    """

    value: Any
    where: str

    def at(self, key: str) -> Node:
        """The place under a key.

        Raises:
            DataError: there is none.
        """
        if not isinstance(self.value, dict) or key not in self.value:
            raise DataError(f'{self.where}: "{key}" is missing')
        return Node(self.value[key], f"{self.where} > {key}")

    def names(self) -> Texts:
        """The keys of an object.

        Raises:
            DataError: it is none.
        """
        if not isinstance(self.value, dict):
            raise DataError(f"{self.where}: must be an object")
        return tuple(self.value)

    def items(self) -> Iterator[Node]:
        """The places of a list.

        Raises:
            DataError: it is none, or it is empty.
        """
        if not isinstance(self.value, list) or not self.value:
            raise DataError(f"{self.where}: must be a list with at least one entry")
        return (Node(v, f"{self.where}[{i}]") for i, v in enumerate(self.value))

    def text(self, slots: set[str]) -> str:
        """A text with no other slots than these.

        Raises:
            DataError: it is empty, or has a slot that nothing fills.
        """
        if not isinstance(self.value, str) or not self.value.strip():
            raise DataError(f"{self.where}: must be a text that is not empty")
        unknown = set(_SLOT.findall(self.value)) - slots
        rest = _SLOT.sub("", self.value)
        if unknown or "{" in rest or "}" in rest:
            allowed = ", ".join("{" + s + "}" for s in sorted(slots)) or "none"
            raise DataError(f"{self.where}: unknown slot in {self.value!r}; allowed: {allowed}")
        return self.value

    def texts(self, slots: set[str], fewest: int = 1) -> Texts:
        """Different texts, a fewest number of them.

        Raises:
            DataError: there are fewer, or one stands there twice.
        """
        found = tuple(node.text(slots) for node in self.items())
        if len(found) < fewest:
            raise DataError(f"{self.where}: needs at least {fewest} texts, has {len(found)}")
        if len(set(found)) < len(found):
            raise DataError(f"{self.where}: holds the same text twice")
        return found


def page(path: Path) -> Node:
    """A whole file.

    Raises:
        ArtifactError: it is absent or is not JSON.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: reinstall untwist or restore it") from error
    except ValueError as error:
        raise ArtifactError(f"{path} is not valid JSON: {error}") from error
    return Node(value, f"{path.parent.name}/{path.name}")
