"""What the log is made of: one `Scrape` per instant, with its samples and outcomes.

These are facts as they were seen, before any judgement: status values stay raw (``"503"``),
a rule that failed says so, and nothing is rounded. All values are immutable and valid once
they exist; no I/O happens here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import attrs
import numpy as np

from vistio_core.errors import UsageError
from vistio_core.samples import Sample as Sample
from vistio_core.samples import Samples
from vistio_core.times import format_instant

Booleans = np.ndarray[Any, np.dtype[np.bool_]]

GLOBAL_LEVEL = ""
"""The ``cluster`` of everything that belongs to the global level: traffic between clusters."""


RuleKey = tuple[str, str]
"""Cluster and id of a rule."""

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


def _in_columns(samples: Iterable[Sample]) -> Samples:
    return Samples.of(samples)


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
    samples: Sequence[Sample] = attrs.field(default=(), converter=_in_columns, repr=False)
    """Whatever sequence is given, they are kept in columns (`vistio_core.samples.Samples`)."""
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
        samples = Samples.of(self.samples)
        twice = samples.first_twice()
        if twice is not None:
            raise UsageError(f"scrape {when}: sample {samples[twice][:5]} occurs twice; sum or merge before")
        # Several series may be about one node (errors by handler, say): their labels tell them apart.
        _refuse_duplicates(
            when, "measurement", ((*m[:5], tuple(sorted(m.labels))) for m in self.measurements)
        )
        # What is answered later must not meet earlier rows of the same rule: they would count twice.
        unanswered = {(o.cluster, o.rule) for o in self.outcomes if o.outcome is not Outcome.OK}
        for cluster, rule in sorted(unanswered & self.rules_with_rows()):
            raise UsageError(
                f"scrape {when}: rule {cluster}/{rule} has rows, but was not answered; leave them out"
            )
        invalid = np.flatnonzero(~_valid(samples))
        if len(invalid):
            raise UsageError(
                f"scrape {when}: {samples[int(invalid[0])]} needs a finite rate up to {LARGEST_RATE:g} and both names"
            )
        for measurement in self.measurements:
            if not math.isfinite(measurement.value) or not measurement.source:
                raise UsageError(f"scrape {when}: {measurement} needs a finite value and a node")

    def rules_with_rows(self) -> set[tuple[str, str]]:
        """Cluster and rule of every sample and measurement."""
        return Samples.of(self.samples).rules() | {
            (measurement.cluster, measurement.rule) for measurement in self.measurements
        }

    @property
    def seen(self) -> bool:
        """Whether at least one rule was answered: then silence elsewhere is a fact."""
        return any(outcome.outcome is Outcome.OK for outcome in self.outcomes)


def _valid(samples: Samples) -> Booleans:
    """Which of the rates are numbers within the limit, of samples that have both names."""
    # Written so that NaN, which compares false to everything, is refused too.
    valid: Booleans = (samples.rates >= -LARGEST_RATE) & (samples.rates <= LARGEST_RATE)
    for names in samples.keys[2:4]:
        nameless = [place for place, name in enumerate(names.values) if not name]
        if nameless:
            valid &= ~np.isin(names.place, nameless)
    return valid


def _refuse_duplicates(when: str, what: str, keys: Iterable[tuple[object, ...]]) -> None:
    seen: set[tuple[object, ...]] = set()
    for key in keys:
        if key in seen:
            raise UsageError(f"scrape {when}: {what} {key} occurs twice; sum or merge before")
        seen.add(key)
