"""What a source is: something that can say what the traffic was at an instant.

A source is asked once per instant and answers whole: for every rule of its configuration how
the rule's evaluation ended, and what the answered ones saw. A rule that fails is such an
outcome, never an exception, because "not seen" is a fact that is recorded like any other.

Third parties add a source by installing a package with an entry point in the group
``vistio.sources``. It names a factory, such as the source's class, that is called with the
`SourceOptions` and returns the `Source`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import attrs

from vistio_core.configuration.model import Configuration
from vistio_core.events import Measurement, RuleOutcome, Sample


@attrs.frozen
class Evaluation:
    """What a source saw at one instant: the part of a `Scrape` that a source knows.

    The same limits hold as in `vistio_core.events.Scrape`: one outcome for each rule, no sample
    or measurement twice, every number finite.
    """

    outcomes: tuple[RuleOutcome, ...]
    """One for every rule of the source's configuration, in its order."""
    samples: tuple[Sample, ...] = attrs.field(default=(), repr=False)
    measurements: tuple[Measurement, ...] = attrs.field(default=(), repr=False)


@attrs.frozen
class SourceOptions:
    """What the command line knows when it makes a source."""

    configuration: Configuration | None = None
    """From ``--config``; None when there is none, and a source that needs one raises `UsageError`."""
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


class SourceFactory(Protocol):
    """What an entry point of the group ``vistio.sources`` names."""

    def __call__(self, options: SourceOptions) -> Source:
        """A source for these options.

        Raises:
            UsageError: the options are not enough for this source, or not right.
        """
        ...
