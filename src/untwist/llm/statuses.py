"""What a status other than 200 means.

Of the body only a short code is told: a server's message may repeat the question.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from untwist.errors import ModelError, Reason
from untwist.llm.wire import Response

_STATUS: Mapping[int, tuple[Reason, bool]] = {
    408: ("timeout", True), 409: ("server", True), 425: ("server", True), 429: ("rate", True),
}  # fmt: skip
_ADVICE = {
    **dict.fromkeys((301, 302, 303, 307, 308), ": give the URL that it points to"),
    401: ": is the key right?",
    403: ": may this key use the model?",
    404: ": is the URL right, and does the server have this model?",
    413: ": the question is too long for this server",
}
_OVER = ("insufficient_quota", "billing_hard_limit_reached")
_CODE = re.compile(r"[a-z][a-z0-9_.-]{0,39}")


class Refused(ModelError):
    """A status other than 200.

    Attributes:
        status: of HTTP.
    """

    def __init__(
        self, message: str, status: int, reason: Reason, retryable: bool, after: float | None
    ) -> None:
        super().__init__(message, retryable=retryable, reason=reason, retry_after=after)
        self.status = status


def refusal(name: str, response: Response, code: str) -> Refused:
    """The error for a response that says no.

    Args:
        name: of the model.
        response: its head.
        code: from `code_of` its body.
    """
    status = response.status
    fallback: tuple[Reason, bool] = ("server", True) if status >= 500 else ("client", False)
    reason, retryable = _STATUS.get(status, fallback)
    message = f"{name}: the server answered {status}"
    message += (f" ({code})" if code else "") + _ADVICE.get(status, "")
    after = _seconds(response.headers.get("retry-after"))
    return Refused(message, status, reason, retryable and code not in _OVER, after)


def code_of(raw: bytes) -> str:
    """The short code of an error object; a message may repeat the question, so it is left."""
    try:
        error = json.loads(raw)["error"]
        code = error.get("code") or error.get("type")
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
    return code if isinstance(code, str) and _CODE.fullmatch(code) else ""


def _seconds(text: str | None) -> float | None:
    try:
        seconds = float(text) if text is not None else -1.0
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None
