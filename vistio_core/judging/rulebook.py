"""By whose rules an instant is judged, and in which order they come. Pure.

The order of rules decides what depends on one: which rates are added first, which notice stands
first, and which class a node has (`vistio_core.graph.topology.topology_of`).
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property, lru_cache
from math import inf

from vistio_core.configuration.mapping import StatusClass, StatusClassifier
from vistio_core.configuration.model import Configuration, Rule, StatusMapping
from vistio_core.events import RuleKey


class Rulebook:
    """The rules that judge one scrape."""

    def __init__(self, judging: Configuration, recorded: Configuration | None = None) -> None:
        """The rules of a configuration.

        Args:
            judging: the configuration that judges.
            recorded: the one in force at the instant, when it is another one: it judges rules that
                ``judging`` does not know.
        """
        self.configuration = judging
        self._configurations = (judging, recorded or judging)

    @cached_property
    def _rules(self) -> dict[RuleKey, Rule]:
        found: dict[RuleKey, Rule] = {}
        for configuration in self._configurations:
            for cluster, rule in configuration.rules():
                found.setdefault((cluster, rule.id), rule)
        return found

    @cached_property
    def _places(self) -> dict[RuleKey, int]:
        return {key: place for place, key in enumerate(self._rules)}

    def rule(self, key: RuleKey) -> Rule | None:
        """The rule of this key; None for one that no configuration knows."""
        return self._rules.get(key)

    def ordered(self, keys: Collection[RuleKey]) -> list[RuleKey]:
        """Rules in the order of the judging configuration, then of the recorded one; then unknown ones, by name."""
        return sorted(keys, key=lambda key: (self._places.get(key, inf), key))

    def status_class(self, key: RuleKey, status: str) -> StatusClass:
        """The class of a status, as this rule judges it."""
        found = (configuration.connection_rule(*key) for configuration in self._configurations)
        rule = next(filter(None, found), None)
        return _classifier(rule.status if rule else None).classify(status)


@lru_cache(maxsize=256)
def _classifier(status: StatusMapping | None) -> StatusClassifier:
    return StatusClassifier(status)
