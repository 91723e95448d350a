"""Not seen is not zero: what rules that were not answered could have told. Pure.

A number about an edge, a node or a level at an instant exists only if each rule that could have told it was answered
then. A rule could have told of every edge of its level; one that gives an end a fixed name (``source: {replacement:
INTERNET}``) of those with that end only. A writer that recorded nothing could have told of anything.

    not answered             at INTERNET > mesh      at cart > db (mesh)      at INTERNET > mesh (of a cluster)
    ingress (global level)   not seen                seen                     seen
    mesh/http                seen                    not seen                 not seen
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from vistio_core.configuration.model import ConnectionRule, NodeMapping
from vistio_core.events import RuleKey
from vistio_core.judging.rulebook import Rulebook


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


def unseen_of(unanswered: Iterable[RuleKey], rulebook: Rulebook) -> list[Unseen]:
    """What rules could have told. Only those whose series are edges say something about traffic.

    Args:
        unanswered: cluster and id of each.
        rulebook: of the instant. A rule that it does not know could have told of all of its level.
    """
    found = []
    for key in unanswered:
        rule = rulebook.rule(key)
        name = "/".join(filter(None, key))
        if rule is None:
            found.append(Unseen(name, key[0]))
        elif isinstance(rule, ConnectionRule):
            found.append(Unseen(name, key[0], _fixed(rule.source), _fixed(rule.target)))
    return found


def missing_writer(name: str) -> Unseen:
    """A writer of which nothing is known at an instant."""
    return Unseen(f"writer {name}")


def names_of_edge(unseen: Sequence[Unseen], cluster: str, source: str, target: str) -> list[str]:
    """Who could have told of an edge and was not answered."""
    return [one.name for one in unseen if one.edge(cluster, source, target)]


def names_of_node(unseen: Sequence[Unseen], cluster: str, name: str) -> list[str]:
    """Who could have told of a node's traffic and was not answered."""
    return [one.name for one in unseen if one.node(cluster, name)]


def _fixed(mapping: NodeMapping) -> str | None:
    """The name that a mapping gives to every series; None where it comes of labels."""
    return None if mapping.fields else mapping.replacement
