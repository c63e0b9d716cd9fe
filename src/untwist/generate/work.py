"""What is done to one item, and what can come of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from untwist.errors import ConfigError, MissingExtra, ModelError, UntwistError
from untwist.generate.journal import Item, Status

STOPS = ("budget", "cancelled")
"""Reasons that end a run: the item was not asked, so it has not failed."""


@dataclass(frozen=True, slots=True)
class Result:
    """What the work made of an item.

    Attributes:
        value: the row to write, as JSON values.
        provenance: how it was made, as JSON values; its numbers are summed over the run, and
            "seconds", "cost", "prompt_tokens" and "completion_tokens" are those that are shown.
    """

    value: Mapping[str, Any]
    provenance: Mapping[str, Any] = field(default_factory=dict)


class Rejected(UntwistError):
    """What was made of an item must not be kept.

    Attributes:
        reason: in one word, to count by, such as "wording".
        provenance: how it was made, as in `Result`.
    """

    def __init__(
        self, message: str, *, reason: str, provenance: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.provenance = dict(provenance or {})


Work = Callable[[Item], Awaitable[Result]]
"""What is done to an item.

Raises:
    ModelError: no answer, or none that could be read; the item failed for its reason.
    Rejected: an answer that must not be kept; the item failed for its reason.
    DataError: the item cannot be worked on; it failed with the reason "data".
"""


@runtime_checkable
class Job(Protocol):
    """Work that can be sent to other processes: small, frozen, and opened where it is done."""

    def open(self) -> Work:
        """Make the model and whatever else the work needs; called once in each process."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the work gave, in a form that can go between processes."""

    status: Status | Literal["stopped"]
    reason: str | None = None
    message: str | None = None
    value: Mapping[str, Any] | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)


async def attempted(work: Work, item: Item) -> Outcome:
    """The work on one item, with what can go wrong in it made a value.

    Raises:
        ConfigError: a setting is wrong; the run cannot go on.
        MissingExtra: the work needs packages that are not installed.
    """
    try:
        result = await work(item)
    except (ConfigError, MissingExtra):
        raise
    except Rejected as error:
        return Outcome("failed", error.reason, str(error), None, error.provenance)
    except ModelError as error:
        if error.reason in STOPS:
            return Outcome("stopped", error.reason, str(error))
        spent = getattr(error, "provenance", {})
        return Outcome("failed", error.reason or "model", str(error), None, spent)
    except UntwistError as error:
        kind = type(error).__name__.removesuffix("Error").lower()
        return Outcome("failed", kind, str(error))
    return Outcome("done", None, None, result.value, result.provenance)
