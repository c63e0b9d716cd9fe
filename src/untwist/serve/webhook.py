"""Telling the operator's own system that a crisis reply was given: when, and nothing else.

A call is made beside the turn, never before it or in it; one that fails is counted and not
repeated. Nobody is ever called on behalf of a person.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPException
from threading import BoundedSemaphore
from typing import Any

from untwist.serve.metrics import Metrics

SECONDS = 5.0
"""For one call."""
WAITING = 100
"""Most calls that wait; more are counted as failed."""


class _Straight(urllib.request.HTTPRedirectHandler):
    """Goes nowhere but to the address that was set."""

    def redirect_request(self, *_: Any) -> None:  # noqa: ANN401
        return None


@dataclass(frozen=True)
class Webhook:
    """Posts {"event": "crisis_reply", "at": ...} to an address.

    Attributes:
        url: of the operator's system; "" tells nobody.
        metrics: count what fails.
        clock: seconds since 1970, UTC.
    """

    url: str
    metrics: Metrics
    clock: Callable[[], float]
    _line: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(WAITING), repr=False)
    _pool: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, "untwist-webhook"), repr=False
    )

    def tell(self) -> None:
        """Say that a crisis reply was given; returns at once."""
        if not self.url:
            return
        if not self._line.acquire(blocking=False):
            self.metrics.failures.labels("webhook").inc()
            return
        self._pool.submit(self._call, datetime.fromtimestamp(self.clock(), UTC))

    def close(self) -> None:
        """Drop what waits."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _call(self, at: datetime) -> None:
        body = {"event": "crisis_reply", "at": at.replace(microsecond=0).isoformat()}
        request = urllib.request.Request(
            self.url, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.build_opener(_Straight).open(request, timeout=SECONDS):
                self.metrics.told.inc()
        except (OSError, HTTPException, ValueError):
            self.metrics.failures.labels("webhook").inc()
        finally:
            self._line.release()
