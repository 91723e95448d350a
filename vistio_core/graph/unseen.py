"""Not seen is not zero: of which edges rules could tell, and which of them were not answered. Plain values."""

from __future__ import annotations

from collections.abc import Callable

import attrs

NotSeen = Callable[[str, str, str], bool]
"""Whether an edge's cluster, source and target are such that nothing is known of it."""


def all_seen(cluster: str, source: str, target: str) -> bool:
    """Where each rule was answered."""
    return False


@attrs.frozen
class Unseen:
    """A rule that was not answered, and of which edges it could have told; None for any."""

    name: str
    """The rule with its cluster, as ``mesh/http``; or a writer."""
    cluster: str | None = None
    source: str | None = None
    target: str | None = None

    def edge(self, cluster: str, source: str, target: str) -> bool:
        """Whether it could have told of this edge."""
        return (
            self.cluster in (None, cluster)
            and self.source in (None, source)
            and self.target in (None, target)
        )

    def node(self, cluster: str, name: str) -> bool:
        """Whether it could have told of an edge of this node."""
        return self.cluster in (None, cluster) and (
            self.source is None or self.target is None or name in (self.source, self.target)
        )


@attrs.frozen
class Round:
    """One round of questions, at an instant or at several of them alike."""

    unseen: tuple[Unseen, ...] = ()
    """Who was not answered."""
    tellers: tuple[Unseen, ...] | None = None
    """All that were asked; None where that is not known."""

    def in_part(self) -> NotSeen:
        """Whether what is told of an edge may be a part: somebody who could have told was not answered."""
        return lambda *edge: any(one.edge(*edge) for one in self.unseen)

    def not_seen(self) -> NotSeen:
        """Whether it says nothing that nobody told of an edge: who could have was not answered, or nobody could."""
        in_part, tellers = self.in_part(), self.tellers
        if tellers is None:
            return in_part
        whole = {one.cluster for one in tellers if one.source is None and one.target is None}

        def not_seen(cluster: str, source: str, target: str) -> bool:
            if in_part(cluster, source, target):
                return True
            if whole & {None, cluster}:
                return False
            return not any(one.edge(cluster, source, target) for one in tellers)

        return not_seen
