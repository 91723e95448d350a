"""Not seen is not zero: what rules that were not answered could have told. Pure.

A number about an edge, a node or a level at an instant exists only if each rule that could have told it was answered
then. A rule could have told of every edge of its level; one that gives an end a fixed name (``source: {replacement:
INTERNET}``) of those with that end only. A writer that recorded nothing could have told of anything.

    not answered             at INTERNET > mesh      at cart > db (mesh)      at INTERNET > mesh (of a cluster)
    ingress (global level)   not seen                seen                     seen
    mesh/http                seen                    not seen                 not seen
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import attrs
import numpy as np

from vistio_core.configuration.model import ConnectionRule, NodeMapping
from vistio_core.events import RuleKey
from vistio_core.graph.unseen import Round as Round
from vistio_core.graph.unseen import Unseen as Unseen
from vistio_core.judging.codes import Booleans, Integers
from vistio_core.judging.rulebook import Rulebook
from vistio_core.judging.subject import Subject

STALE = "stale"
"""The outcome of a writer that recorded nothing of late, among a graph's failed rules."""


def about(rule: Unseen, subject: Subject) -> bool:
    """Whether a rule could have told of an edge of a subject."""
    return (
        (subject.cluster is None or rule.cluster in (None, subject.cluster))
        and (subject.source is None or rule.source in (None, subject.source))
        and (subject.target is None or rule.target in (None, subject.target))
        and (
            subject.node is None
            or None in (rule.source, rule.target)
            or subject.node in (rule.source, rule.target)
        )
    )


def name_of(key: RuleKey) -> str:
    """A rule with its cluster, as people are told of it: ``mesh/http``, and ``ingress`` of the global level."""
    return "/".join(filter(None, key))


def unseen_of(unanswered: Iterable[RuleKey], rulebook: Rulebook | None) -> list[Unseen]:
    """What rules could have told. Only those whose series are edges say something about traffic.

    Args:
        unanswered: cluster and id of each.
        rulebook: of the instant, if it is known. A rule that it does not know could have told of all of its level.
    """
    found = []
    for key in unanswered:
        rule = None if rulebook is None else rulebook.rule(key)
        name = name_of(key)
        if rule is None:
            found.append(Unseen(name, key[0]))
        elif isinstance(rule, ConnectionRule):
            found.append(Unseen(name, key[0], _fixed(rule.source), _fixed(rule.target)))
    return found


def tellers(rulebook: Rulebook) -> dict[RuleKey, Unseen]:
    """The rules that tell of traffic, and of which edges each could tell."""
    return {
        (cluster, rule.id): unseen
        for cluster, rule in rulebook.configuration.rules()
        for unseen in unseen_of([(cluster, rule.id)], rulebook)
    }


def told_by_any(
    rules: Iterable[Unseen],
    number_of: Callable[[str], int],
    cluster: Integers,
    source: Integers,
    target: Integers,
) -> Booleans:
    """`Unseen.edge` of columns of edges: of which of them some rule could have told.

    Args:
        rules: these.
        number_of: from a name to the number that it has in the columns; to any other where it is in none.
        cluster: of each edge, as the two that follow.
        source: numbers.
        target: numbers.
    """
    told = np.zeros(len(cluster), bool)
    for rule in rules:
        could = np.ones(len(cluster), bool)
        for name, column in ((rule.cluster, cluster), (rule.source, source), (rule.target, target)):
            if name is not None:
                could &= column == number_of(name)
        told |= could
    return told


def missing_writer(name: str) -> Unseen:
    """A writer of which nothing is known at an instant."""
    return Unseen(f"writer {name}")


@attrs.frozen
class Blind:
    """All that a writer asked in a window: some of it may not have been seen at any instant."""

    rounds: tuple[Round, ...]

    def names(self, could_tell: Callable[[Unseen], bool]) -> list[str] | None:
        """Who could have told of something that was wholly seen at no instant; nobody where there is such an instant.

        None where no rule of the writer's tells of it.
        """
        asked = [
            [one.name for one in each.unseen if could_tell(one)]
            for each in self.rounds
            if each.tellers is None or any(map(could_tell, each.tellers))
        ]
        if not asked:
            return None
        return sorted({name for names in asked for name in names}) if all(asked) else []


NO_RULE = "no rule"
"""Where no rule tells of something, in place of their names."""


def names_of_edge(blind: Sequence[Blind], cluster: str, source: str, target: str) -> list[str]:
    """Why an edge was not wholly seen at any instant, by any writer: the rules that were not answered, sorted."""
    return _names(blind, lambda one: one.edge(cluster, source, target))


def names_of_node(blind: Sequence[Blind], cluster: str, name: str) -> list[str]:
    """Likewise, of a node's traffic."""
    return _names(blind, lambda one: one.node(cluster, name))


def _names(blind: Sequence[Blind], could_tell: Callable[[Unseen], bool]) -> list[str]:
    told = [names for names in (one.names(could_tell) for one in blind) if names is not None]
    return sorted({name for names in told for name in names}) if told else [NO_RULE]


def _fixed(mapping: NodeMapping) -> str | None:
    """The name that a mapping gives to every series; None where it comes of labels."""
    return None if mapping.fields else mapping.replacement
