"""One error class per boundary; every message says what to do.

Errors are caught in three places only: at the top of the command line, in the server's handler, and
in a loop over items, which marks the item and counts it. An error never becomes a value.
"""

from typing import Literal

Reason = Literal[
    "timeout",
    "rate",
    "server",
    "client",
    "cut",
    "empty",
    "not_json",
    "bad_encoding",
    "html",
    "endless",
    "refused",
    "budget",
    "cancelled",
    "unreachable",
    "parse",
]
"""Why a model gave no answer that can be used; docs/explain/llm.md says what each one means."""


class UntwistError(Exception):
    """Whatever goes wrong in untwist for a reason that a user can act on."""


class DataError(UntwistError):
    """Text, a line or a file is not what its format says."""


class ArtifactError(UntwistError):
    """A model folder is missing, incomplete, damaged or of an unknown layout."""


class ModelError(UntwistError):
    """A model failed while it ran.

    Attributes:
        retryable: True when the same call may succeed later.
        reason: what went wrong, in one word to count by; None where no call was made.
        retry_after: seconds that the server asked to wait; None when it did not say.
    """

    def __init__(
        self,
        message: str,
        *,
        retryable: bool = False,
        reason: Reason | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.retryable = retryable
        self.reason = reason
        self.retry_after = retry_after


class ParseError(ModelError):
    """A model's answer could not be read; its reason is "parse" unless a nearer one is known.

    Attributes:
        raw: the answer as it came, so that nothing is lost.
    """

    def __init__(self, message: str, *, raw: str, reason: Reason = "parse") -> None:
        super().__init__(message, reason=reason)
        self.raw = raw


class SafetyError(UntwistError):
    """The safety floor could not do its work; the caller must show the help block."""


StoreReason = Literal["busy", "full", "corrupt", "version", "key", "conflict", "gone", "failed"]
"""Why the store could not do something; only "busy" may be tried again as it is."""


class StoreError(UntwistError):
    """What people wrote could not be kept or found.

    Attributes:
        reason: in one word; "conflict" when someone else changed it meanwhile, "gone" when it is
            not there, "version" when a newer program wrote it, "key" when it is sealed.
        retryable: True when the same request may succeed soon.
    """

    def __init__(self, message: str, reason: StoreReason) -> None:
        super().__init__(message)
        self.reason = reason

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed soon."""
        return self.reason == "busy"


class ConfigError(UntwistError):
    """A setting is unknown, contradictory or out of range."""


class MissingExtra(UntwistError):
    """A feature needs packages that the base install leaves out; the message has the pip line."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f'{feature} needs the extra "{extra}": pip install "untwist[{extra}]"')
        self.extra = extra
