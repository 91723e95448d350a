"""What a source is: something that can say what the traffic was at an instant.

A source is asked once per instant and answers whole: for every rule of its configuration how
the rule's evaluation ended, and what the answered ones saw. A rule that fails is such an
outcome, never an exception, because "not seen" is a fact that is recorded like any other.

Third parties add a source by installing a package with an entry point in the group
``vistio.sources``. It names a factory, such as the source's class, that is called with the
`SourceOptions` and returns the `Source`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Protocol, runtime_checkable

import attrs

from vistio_core.configuration.model import Configuration
from vistio_core.events import Measurement, RuleKey, RuleOutcome, Sample

NO_DATA = "Prometheus has no data of this time"
"""How the error of a rule begins that can never be answered for its instant: nobody asks again."""


@attrs.frozen
class Evaluation:
    """What a source saw at one instant: the part of a `Scrape` that a source knows.

    The same limits hold as in `vistio_core.events.Scrape`: one outcome for each rule, no sample
    or measurement twice, every number finite.
    """

    outcomes: tuple[RuleOutcome, ...]
    """One for every rule of the source's configuration, in its order."""
    samples: Sequence[Sample] = attrs.field(default=(), repr=False)
    """One by one, or in columns (`vistio_core.samples.Samples`), which is quicker for thousands."""
    measurements: tuple[Measurement, ...] = attrs.field(default=(), repr=False)
    unreached: frozenset[RuleKey] = frozenset()
    """Of an evaluation of the past: the rules whose outcome says nothing of the instant, because the
    source could not be asked just now. Asking again later may tell."""

    def only(self, rules: Collection[RuleKey]) -> Evaluation:
        """The part that is about ``rules``."""
        return Evaluation(
            tuple(one for one in self.outcomes if (one.cluster, one.rule) in rules),
            tuple(one for one in self.samples if one[:2] in rules),
            tuple(one for one in self.measurements if one[:2] in rules),
            self.unreached.intersection(rules),
        )


@attrs.frozen
class SourceOptions:
    """What the command line knows when it makes a source."""

    configuration: Configuration | None = None
    """From ``--config`` or ``--preset``; None when there is none, and a source that needs one raises `UsageError`."""
    settings: Mapping[str, str] = attrs.field(factory=dict)
    """From ``--source-option NAME=VALUE``, as written. A source raises `UsageError` for unknown names."""


class Source(Protocol):
    """Where the recorder's facts come from. One thread uses a source at a time."""

    @property
    def configuration(self) -> Configuration:
        """The configuration that `evaluate` follows; it is put into the recording."""
        ...

    @property
    def answers_past(self) -> bool:
        """Whether `evaluate` is right for any past instant, so that a backfill is possible."""
        ...

    def evaluate(self, instant_ms: int, timeout_s: float) -> Evaluation:
        """What there was at ``instant_ms``, known within ``timeout_s`` seconds.

        A rule that fails or does not answer in time is an outcome with a one-line error that is
        safe to show: bounded, and without credentials.
        """
        ...

    def close(self) -> None:
        """Let go of connections and threads; a running `evaluate` ends soon after."""
        ...


@runtime_checkable
class HasGaps(Protocol):
    """A source that, for some past instants, stands for a recorder that was not running."""

    def was_running(self, instant_ms: int) -> bool:
        """Whether a backfill may fill this instant; if not, it stays a gap."""
        ...


@runtime_checkable
class AnswersRanges(Protocol):
    """A source that can be asked about many past instants at once, beside its live evaluations."""

    def evaluate_range(
        self,
        instants: range,
        timeout_s: float,
        *,
        rules: Collection[RuleKey] | None = None,
        pause: Callable[[], None] = lambda: None,
    ) -> Iterator[tuple[int, Evaluation]]:
        """What there was at each of ``instants``, ascending: what `Source.evaluate` would have said then.

        One thread may use this while another one uses `Source.evaluate`. Memory is bounded,
        however many instants there are.

        Args:
            instants: milliseconds; their step is the interval.
            timeout_s: for each question to a server.
            rules: which rules to ask; None for all. The evaluations have outcomes for these only.
            pause: called before each question; it may wait.
        """
        ...


class SourceFactory(Protocol):
    """What an entry point of the group ``vistio.sources`` names."""

    def __call__(self, options: SourceOptions) -> Source:
        """A source for these options.

        Raises:
            UsageError: the options are not enough for this source, or not right.
        """
        ...
