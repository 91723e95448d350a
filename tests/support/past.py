"""A source with a past that a test writes: which rules are answered at which instant, and when asked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from support.misbehaving import configuration_text
from vistio_core.configuration import Configuration, loads
from vistio_core.events import Outcome, RuleKey, RuleOutcome, Sample
from vistio_record.sources.base import NO_DATA, Evaluation

NO_DATA_ERROR = f"{NO_DATA}: http://127.0.0.1:9090 collected none then"
UNREACHED = "unreached"
"""What `Past.says` returns for a rule whose server does not answer."""


def configuration(*queries: str) -> Configuration:
    """One rule of cluster ``mesh`` for each of ``queries``."""
    return loads(configuration_text("http://127.0.0.1:9090", *queries))


class Past:
    """Answers ranges. `says` gives, for an instant and a rule, the error, or nothing when it is answered."""

    answers_past = True

    def __init__(self, *queries: str) -> None:
        self.configuration = configuration(*queries)
        self.says: Callable[[int, str], str] = lambda instant_ms, rule: ""
        self.asked: list[tuple[range, tuple[str, ...]]] = []
        self.closed = False

    def evaluate(self, instant_ms: int, timeout_s: float) -> Evaluation:
        rules = [(cluster, rule.id) for cluster, rule in self.configuration.rules()]
        return self._seen(instant_ms, rules)

    def evaluate_range(
        self,
        instants: range,
        timeout_s: float,
        *,
        rules: Collection[RuleKey] | None = None,
        pause: Callable[[], None] = lambda: None,
    ) -> Iterator[tuple[int, Evaluation]]:
        asked = sorted(rules or ())
        self.asked.append((instants, tuple(rule for _, rule in asked)))
        pause()
        return ((instant_ms, self._seen(instant_ms, asked)) for instant_ms in instants)

    def close(self) -> None:
        self.closed = True

    def _seen(self, instant_ms: int, rules: Collection[RuleKey]) -> Evaluation:
        outcomes, samples, unreached = [], [], set()
        for cluster, rule in rules:
            error = self.says(instant_ms, rule)
            outcomes.append(RuleOutcome(cluster, rule, Outcome.FAILED if error else Outcome.OK, error))
            if error == UNREACHED:
                unreached.add((cluster, rule))
            if not error:
                samples.append(Sample(cluster, rule, "a", "b", "200", float(instant_ms % 977)))
        return Evaluation(tuple(outcomes), tuple(samples), (), frozenset(unreached))
