"""How good rankings are: shares of causes among the first k, and what they come to. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import attrs

SHOWN = (1, 3, 5)


def place_of(cause: str, ranked: Sequence[str]) -> float:
    """From 1; infinite where it is not named."""
    return ranked.index(cause) + 1.0 if cause in ranked else inf


@attrs.frozen
class Scores:
    """Of the places that causes have."""

    at: tuple[float, ...]
    """AS@1 to AS@5: the share of causes among the first k."""
    reciprocal: float
    """The mean of 1/place (MRR)."""

    @classmethod
    def of(cls, places: Sequence[float]) -> Scores:
        at = tuple(sum(place <= k for place in places) / len(places) for k in range(1, 6))
        return cls(at, sum(1 / place for place in places) / len(places))

    @property
    def average(self) -> float:
        """Avg@5: the mean of AS@1 to AS@5."""
        return sum(self.at) / len(self.at)

    def row(self) -> str:
        """As a part of a row of a Markdown table: AS@1, 3, 5 and Avg@5 in percent, MRR."""
        shown = [*(self.at[k - 1] for k in SHOWN), self.average]
        return " | ".join([*(f"{100 * share:3.0f}" for share in shown), f"{self.reciprocal:.2f}"])
