"""What a check finds: rule by rule, then about the graph as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from vistio_core.configuration.model import Rule
from vistio_core.events import GLOBAL_LEVEL, Measurement, Outcome, RuleOutcome

Edges = Mapping[tuple[str, str], float]


@attrs.frozen
class RuleReport:
    """What one rule saw, and what would make it see more."""

    cluster: str
    rule: Rule
    outcome: RuleOutcome
    edges: Edges
    """(source, target) to requests per second, sorted by name; 0 for those of a measurement rule."""
    nodes: tuple[str, ...]
    """Nodes that edges, notices or measurements name, sorted."""
    measurements: tuple[Measurement, ...]
    """As the source gave them."""
    hints: tuple[str, ...]
    """For a person, one sentence each."""


@attrs.frozen
class Finding:
    """Something about the graph as a whole."""

    kind: str
    """``empty``, ``nothing-enters``, ``not-reached``, ``two-names``, ``istio-statistics``, ``counted-twice``, ``apart``
    (`check_graph`); ``ends-differ``, ``one-end`` (`check_ends`); ``scraped-twice``, ``no-canonical-name``,
    ``service-and-workload``, ``waypoint-reports-both-ways``, ``gateway-not-named``, ``window-too-short``
    (`check_series`); ``vistio-...`` (`check_vistio`)."""
    cluster: str
    """The level that it is about; ``GLOBAL_LEVEL`` for the global one."""
    message: str


@attrs.frozen
class Report:
    """The result of a check."""

    rules: tuple[RuleReport, ...]
    findings: tuple[Finding, ...]
    differences: tuple[Finding, ...] = ()
    """What Vistio would have shown otherwise, of a configuration that it could read; nothing that is wrong."""

    @property
    def failed(self) -> tuple[RuleReport, ...]:
        return tuple(rule for rule in self.rules if rule.outcome.outcome is not Outcome.OK)

    @property
    def empty(self) -> bool:
        return not any(rule.edges for rule in self.rules)

    @property
    def good(self) -> bool:
        """Whether a graph would show and no rule is in error."""
        return not self.empty and not self.failed


def level_name(cluster: str) -> str:
    """How a level is called in a sentence."""
    return "the global level" if cluster == GLOBAL_LEVEL else f"cluster {cluster}"


def listed(names: Iterable[str], most: int = 5) -> str:
    """The first few of ``names`` in a sentence: ``a, b, c and 7 more``."""
    every = list(names)
    rest = len(every) - most
    return ", ".join(every[:most]) + (f" and {rest} more" if rest > 0 else "")
