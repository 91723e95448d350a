"""What the log is made of: one `Scrape` per instant, with its samples and outcomes.

These are facts as they were seen, before any judgement: status values stay raw (``"503"``),
a rule that failed says so, and nothing is rounded. All values are immutable and valid once
they exist; no I/O happens here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from operator import itemgetter
from typing import NamedTuple

import attrs

from vistio_core.errors import UsageError
from vistio_core.times import format_instant

GLOBAL_LEVEL = ""
"""The ``cluster`` of everything that belongs to the global level: traffic between clusters."""


LARGEST_RATE = 1e12
"""Rates beyond this are no traffic; a source drops such a series, as it drops NaN. Sums below it are exact."""


class Outcome(StrEnum):
    """How the evaluation of one rule at one instant ended."""

    OK = "ok"
    FAILED = "failed"
    """An error was answered, or no usable answer came; ``error`` says which."""
    TIMEOUT = "timeout"
    """No answer within the scrape's timeout."""
    SKIPPED = "skipped"
    """Never asked: the scrape before was still running when this one was due."""


class Sample(NamedTuple):
    """The rate of requests with one status on one edge, as one rule saw it."""

    cluster: str
    """The cluster whose rule this is; ``GLOBAL_LEVEL`` for traffic between clusters."""
    rule: str
    """Id of the rule, unique within its cluster and configuration."""
    source: str
    target: str
    status: str
    """The raw value of the status label; empty where the rule or series has none."""
    rate: float
    """Requests per second, finite; negative only if the query really says so."""


@attrs.frozen
class RuleSamples:
    """All samples of one rule at one instant, as columns of equal length: what a graph is made of.

    Ten thousand edges are thirty thousand samples; as columns they cost a tenth of as many `Sample`.
    """

    cluster: str
    rule: str
    sources: Sequence[str]
    targets: Sequence[str]
    statuses: Sequence[str]
    rates: Sequence[float]


class Measurement(NamedTuple):
    """A number about a node or an edge that is not a rate: a notice query's result, a latency."""

    cluster: str
    rule: str
    source: str
    """The node, or the source of the edge."""
    target: str
    """The target of the edge; empty when this is about the node ``source``."""
    name: str
    """What is measured, such as ``value`` (a notice query's result) or ``latency_p99_ms``."""
    value: float
    labels: tuple[tuple[str, str], ...] = ()
    """The series' labels, sorted by name: notice titles may quote them."""


@attrs.frozen
class RuleOutcome:
    """How one rule's evaluation went. Recorded for every rule of every scrape, good or bad."""

    cluster: str
    rule: str
    outcome: Outcome = attrs.field(converter=Outcome)
    error: str = ""
    """Why it did not end well; empty when it did."""
    series: int = 0
    """Number of series in the answer, before any were dropped or summed."""
    dropped: Mapping[str, int] = attrs.field(factory=dict)
    """Reason to number of series that were left out, such as ``{"not finite": 2}``."""
    warnings: tuple[str, ...] = ()
    """What the answer itself warned of (Prometheus' ``warnings`` and ``infos``)."""
    duration_ms: float = 0.0


@attrs.frozen
class Scrape:
    """Everything seen at one instant: the unit of commit, visible whole or not at all.

    Raises:
        UsageError: a sample or measurement is not finite, has no name where it needs one,
            occurs twice, or is of a rule that was not answered.
    """

    instant_ms: int
    """The evaluation time, aligned to the interval."""
    interval_ms: int
    """The interval in force; the next scrape is due this much later."""
    configuration: str
    """Hash of the configuration in force (`vistio_core.configuration.Configuration.hash`)."""
    outcomes: tuple[RuleOutcome, ...]
    samples: tuple[Sample, ...] = attrs.field(default=(), repr=False)
    measurements: tuple[Measurement, ...] = attrs.field(default=(), repr=False)
    backfilled: bool = False
    """True when it was fetched later from the source's own history."""

    def __attrs_post_init__(self) -> None:
        when = format_instant(self.instant_ms)
        if self.interval_ms <= 0:
            raise UsageError(f"scrape {when}: interval {self.interval_ms} ms must be greater than 0")
        if not self.outcomes:
            raise UsageError(f"scrape {when}: needs the outcome of at least one rule")
        _refuse_duplicates(when, "outcome", ((o.cluster, o.rule) for o in self.outcomes))
        if len(set(map(_SAMPLE_KEY, self.samples))) < len(self.samples):
            _refuse_duplicates(when, "sample", map(_SAMPLE_KEY, self.samples))
        # Several series may be about one node (errors by handler, say): their labels tell them apart.
        _refuse_duplicates(when, "measurement", ((*m[:5], m.labels) for m in self.measurements))
        # What is answered later must not meet earlier rows of the same rule: they would count twice.
        unanswered = {(o.cluster, o.rule) for o in self.outcomes if o.outcome is not Outcome.OK}
        for cluster, rule in sorted(unanswered & self.rules_with_rows()):
            raise UsageError(
                f"scrape {when}: rule {cluster}/{rule} has rows, but was not answered; leave them out"
            )
        for sample in () if _all_valid(self.samples) else self.samples:
            if not _all_valid((sample,)):
                raise UsageError(
                    f"scrape {when}: {sample} needs a finite rate up to {LARGEST_RATE:g} and both names"
                )
        for measurement in self.measurements:
            if not math.isfinite(measurement.value) or not measurement.source:
                raise UsageError(f"scrape {when}: {measurement} needs a finite value and a node")

    def rules_with_rows(self) -> set[tuple[str, str]]:
        """Cluster and rule of every sample and measurement."""
        rules = set(map(_SAMPLE_RULE, self.samples))
        return rules | {(measurement.cluster, measurement.rule) for measurement in self.measurements}

    @property
    def seen(self) -> bool:
        """Whether at least one rule was answered: then silence elsewhere is a fact."""
        return any(outcome.outcome is Outcome.OK for outcome in self.outcomes)


# Each scrape has tens of thousands of samples: what looks at all of them stays out of Python's own loops.
_SAMPLE_KEY: Callable[[Sample], tuple[str, ...]] = itemgetter(0, 1, 2, 3, 4)
_SAMPLE_RULE: Callable[[Sample], tuple[str, str]] = itemgetter(0, 1)
_SOURCE, _TARGET = itemgetter(2), itemgetter(3)


def _all_valid(samples: Sequence[Sample]) -> bool:
    """Whether all rates are numbers within the limit, and all names are there."""
    # Written so that NaN, which compares false to everything, is refused too.
    rates = all(-LARGEST_RATE <= sample[5] <= LARGEST_RATE for sample in samples)
    return rates and all(map(_SOURCE, samples)) and all(map(_TARGET, samples))


def _refuse_duplicates(when: str, what: str, keys: Iterable[tuple[object, ...]]) -> None:
    seen: set[tuple[object, ...]] = set()
    for key in keys:
        if key in seen:
            raise UsageError(f"scrape {when}: {what} {key} occurs twice; sum or merge before")
        seen.add(key)
