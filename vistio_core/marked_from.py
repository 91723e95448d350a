"""From where on a picture marks an edge as bad: one rule for the page, notebooks and reports."""

from __future__ import annotations

from collections.abc import Sequence

import attrs


@attrs.frozen
class MarkedFrom:
    """From which share of its traffic on a picture marks an edge as failing (red), or as one with warnings; 0 to 1.

    Where a configuration has notices about it, marks begin with the lowest of their thresholds.
    """

    danger: float = 0.005
    warning: float = 0.05

    @classmethod
    def lowest(cls, several: Sequence[MarkedFrom]) -> MarkedFrom:
        """Where several judge, at least one: what some of them marks is marked."""
        return cls(min(each.danger for each in several), min(each.warning for each in several))


USUALLY_MARKED = MarkedFrom()
"""Where no configuration says otherwise."""
