"""Shares with their interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many, with the 95 % Wilson interval (Wilson 1927).

    Attributes:
        hits: how many.
        of: of how many; 0 means that the share is not known.
    """

    hits: int
    of: int

    @property
    def value(self) -> float | None:
        """The share, 0 to 1; None of nothing."""
        return self.hits / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Lower and upper bound, within 0 and 1; None of nothing."""
        if not self.of:
            return None
        p, n, z2 = self.hits / self.of, self.of, Z95 * Z95
        middle = (p + z2 / (2 * n)) / (1 + z2 / n)
        half = Z95 * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
        # at 0 and 1 rounding would leave the share outside its own interval
        return min(p, max(0.0, middle - half)), max(p, min(1.0, middle + half))

    def __str__(self) -> str:
        """For example "0.900 [0.596, 0.982] (9/10)"; a dash of nothing."""
        if self.interval is None:
            return "–"
        low, high = self.interval
        return f"{self.value:.3f} [{low:.3f}, {high:.3f}] ({self.hits}/{self.of})"

    def to_dict(self) -> dict[str, object]:
        """As JSON values."""
        return {"hits": self.hits, "of": self.of, "value": self.value, "interval": self.interval}
