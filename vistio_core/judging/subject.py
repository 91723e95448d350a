"""What a question about traffic is about: one edge, one node, one cluster, or all."""

from __future__ import annotations

import attrs


@attrs.frozen
class Subject:
    """What counts of all traffic; None for all."""

    cluster: str | None = None
    source: str | None = None
    target: str | None = None
    node: str | None = None
    """Edges from or to this node, and its own notices."""

    def as_parameters(self) -> dict[str, str | None]:
        return attrs.asdict(self)
