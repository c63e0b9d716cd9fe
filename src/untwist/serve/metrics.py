"""Counts and times for Prometheus; no label holds a text, a name or an address of a person."""

from __future__ import annotations

from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30)


class Metrics:
    """What one process counts; a registry of its own, so that two apps can stand side by side."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.turns = Counter(
            "untwist_turns", "replies made", ["responder", "outcome"], registry=self.registry
        )
        self.turn_seconds = Histogram(
            "untwist_turn_seconds",
            "from the message to the whole reply",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.first_seconds = Histogram(
            "untwist_first_byte_seconds",
            "from the message to the first event",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.referrals = Counter(
            "untwist_referrals", "replies that show where help is", registry=self.registry
        )
        self.failures = Counter(
            "untwist_failures", "failures by kind", ["kind"], registry=self.registry
        )
        self.told = Counter(
            "untwist_webhook", "crisis replies told to the operator", registry=self.registry
        )
        self.loop_lag = Gauge(
            "untwist_loop_lag_seconds", "how late the event loop is", registry=self.registry
        )
        self.at_work = Gauge("untwist_turns_at_work", "replies being made", registry=self.registry)

    def page(self, shared: str | None) -> bytes:
        """The text that Prometheus reads.

        Args:
            shared: the folder where several workers leave their counts; None is this process alone.
        """
        if shared is None:
            return generate_latest(self.registry)
        together = CollectorRegistry()
        collect: Any = MultiProcessCollector
        collect(together, shared)
        return generate_latest(together)
