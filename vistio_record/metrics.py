"""What the recorder says about itself, as Prometheus metrics. `prometheus_client` keeps the numbers."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from vistio_core.commandline import version
from vistio_core.events import Outcome, Scrape
from vistio_core.times import DAY_MS, HOUR_MS, SECOND_MS

_DURATIONS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

GAP_WINDOWS_MS: Mapping[str, int] = {"1h": HOUR_MS, "24h": DAY_MS}
"""The windows of ``vistio_record_gap_seconds``, by the value of its label."""


class Metrics:
    """The recorder's numbers, in a registry of their own."""

    def __init__(self, clock: Callable[[], int], monotonic_s: Callable[[], float] = time.monotonic) -> None:
        """All metrics are there from now on.

        Args:
            clock: epoch milliseconds.
            monotonic_s: seconds of a clock that is never set.
        """
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        self._clock = clock
        self._monotonic_s = monotonic_s
        self._beat_s = monotonic_s()
        self._last_success_ms: int | None = None
        self.trouble = ""
        """Why the newest scrape was not seen or not committed, in a line; empty when it was."""
        self._make_scrape_metrics(registry)
        self._make_recording_metrics(registry)
        self._make_healing_metrics(registry)
        self._make_configuration_metrics(registry)

    def _make_scrape_metrics(self, registry: CollectorRegistry) -> None:
        self._scrape_s = Histogram(
            "vistio_record_scrape_duration_seconds",
            "Time to evaluate all rules of one instant.",
            buckets=_DURATIONS_S,
            registry=registry,
        )
        self._commit_s = Histogram(
            "vistio_record_commit_duration_seconds",
            "Time to write one scrape durably.",
            buckets=_DURATIONS_S,
            registry=registry,
        )
        self._scrapes = Counter(
            "vistio_record_scrapes",
            "Scrapes by what became of them: committed (a rule was answered), unseen (committed, none was),"
            " skipped (never asked), lost (not committed), crashed (the source raised).",
            ["outcome"],
            registry=registry,
        )
        for outcome in ("committed", "unseen", "skipped", "lost", "crashed"):
            self._scrapes.labels(outcome)  # a series that is there before its first event can be alerted on
        self._rule_failures = Counter(
            "vistio_record_rule_failures",
            "Evaluations of a rule that were not answered.",
            ["cluster", "rule", "outcome"],
            registry=registry,
        )
        self._samples = Counter("vistio_record_samples", "Samples committed.", registry=registry)
        self._dropped = Counter(
            "vistio_record_dropped_series", "Series left out because they are no sample.", registry=registry
        )
        self._rule_warnings = Counter(
            "vistio_record_rule_warnings",
            "Evaluations of a rule that were answered with a warning: of the server, or of names that were cut.",
            ["cluster", "rule"],
            registry=registry,
        )
        self._last_success = Gauge(
            "vistio_record_last_success_timestamp_seconds",
            "The newest committed instant with an answered rule; 0 when there is none yet.",
            registry=registry,
        )
        lag = Gauge(
            "vistio_record_lag_seconds",
            "Time since the newest committed instant with an answered rule; NaN when there is none yet.",
            registry=registry,
        )
        lag.set_function(self._lag_s)

    def _make_healing_metrics(self, registry: CollectorRegistry) -> None:
        self._healed = Counter(
            "vistio_record_healed_instants",
            "Instants of which something was learnt later that had been missed.",
            registry=registry,
        )
        self._unhealable = Counter(
            "vistio_record_unhealable_instants",
            "Instants with a rule that can never be answered, by what Prometheus says now.",
            registry=registry,
        )
        self._healing_waits = Gauge(
            "vistio_record_healing_waiting_instants",
            "Instants that are to be healed, and wait for their turn or their server.",
            registry=registry,
        )

    def _make_recording_metrics(self, registry: CollectorRegistry) -> None:
        self._gap_s = Gauge(
            "vistio_record_gap_seconds",
            "Time of the window until now for which this writer has no graph.",
            ["window"],
            registry=registry,
        )
        self._head_files = Gauge("vistio_record_head_files", "Files of the head.", registry=registry)
        self._head_bytes = Gauge("vistio_record_head_bytes", "Size of the head.", registry=registry)
        self._log_files = Gauge("vistio_record_log_files", "Sealed partitions.", registry=registry)
        self._log_bytes = Gauge(
            "vistio_record_log_bytes", "Size of the sealed partitions.", registry=registry
        )
        self._pruned_bytes = Counter(
            "vistio_record_pruned_bytes", "Size of what retention deleted.", registry=registry
        )

    def _make_configuration_metrics(self, registry: CollectorRegistry) -> None:
        self._reload_good = Gauge(
            "vistio_record_config_last_reload_successful",
            "Whether the last attempt to read the configuration succeeded (1) or the old one is kept (0).",
            registry=registry,
        )
        self._reload_time = Gauge(
            "vistio_record_config_last_reload_success_timestamp_seconds",
            "When the configuration was last read and found good.",
            registry=registry,
        )
        self._configuration = Gauge(
            "vistio_record_config_info",
            "1 for the configuration in force; hash is how the recording calls it.",
            ["hash"],
            registry=registry,
        )
        self._rules = Gauge(
            "vistio_record_config_rules", "Rules of the configuration in force.", registry=registry
        )
        self._interval = Gauge(
            "vistio_record_interval_seconds", "Time between two instants.", registry=registry
        )
        build = Gauge(
            "vistio_record_build_info",
            "1; which vistio this is, on which Python.",
            ["version", "pythonversion"],
            registry=registry,
        )
        build.labels(version(), platform.python_version()).set(1)

    @property
    def ready(self) -> bool:
        """Whether a scrape with an answered rule was committed."""
        return self._last_success_ms is not None

    def alive(self) -> None:
        """The loop is at work. To be called more often than any limit for `silent_s`."""
        self._beat_s = self._monotonic_s()

    @property
    def silent_s(self) -> float:
        """Seconds since the loop was last seen at work."""
        return self._monotonic_s() - self._beat_s

    def interval(self, interval_ms: int) -> None:
        self._interval.set(interval_ms / SECOND_MS)

    def configured(self, configuration_hash: str, rules: int) -> None:
        """A configuration is in force now."""
        self._configuration.clear()
        self._configuration.labels(configuration_hash).set(1)
        self._rules.set(rules)

    def reloaded(self, *, good: bool) -> None:
        """The configuration was read: at the start, or for a reload."""
        self._reload_good.set(int(good))
        if good:
            self._reload_time.set(self._clock() / SECOND_MS)

    def evaluated(self, seconds: float) -> None:
        self._scrape_s.observe(seconds)

    def crashed(self) -> None:
        self._scrapes.labels("crashed").inc()

    def lost(self, why: str = "") -> None:
        self._scrapes.labels("lost").inc()
        self.trouble = f"not committed: {why}"

    def committed(self, scrape: Scrape, seconds: float) -> None:
        self._commit_s.observe(seconds)
        outcomes = [rule.outcome for rule in scrape.outcomes]
        skipped = bool(outcomes) and all(outcome is Outcome.SKIPPED for outcome in outcomes)
        self._scrapes.labels("committed" if scrape.seen else "skipped" if skipped else "unseen").inc()
        self._samples.inc(len(scrape.samples))
        for rule in scrape.outcomes:
            self._dropped.inc(sum(rule.dropped.values()))
            if rule.outcome in (Outcome.FAILED, Outcome.TIMEOUT):
                self._rule_failures.labels(rule.cluster, rule.rule, rule.outcome.value).inc()
            elif rule.warnings:
                self._rule_warnings.labels(rule.cluster, rule.rule).inc()
        self.trouble = "" if scrape.seen else _first_failure(scrape)
        if scrape.seen:
            self._last_success_ms = max(scrape.instant_ms, self._last_success_ms or 0)
            self._last_success.set(self._last_success_ms / SECOND_MS)

    def pruned(self, size_bytes: int) -> None:
        self._pruned_bytes.inc(size_bytes)

    def sizes(self, *, head_files: int, head_bytes: int, log_files: int, log_bytes: int) -> None:
        """What the recording consists of now."""
        self._head_files.set(head_files)
        self._head_bytes.set(head_bytes)
        self._log_files.set(log_files)
        self._log_bytes.set(log_bytes)

    def gap(self, window: str, gap_ms: int) -> None:
        """For how much of a window of `GAP_WINDOWS_MS` there is no graph."""
        self._gap_s.labels(window).set(gap_ms / SECOND_MS)

    def learnt(self, *, healed: bool, refused: bool) -> None:
        """The healer asked about an instant: whether something was learnt, whether something never will be."""
        self._healed.inc(healed)
        self._unhealable.inc(refused)

    def healing_waits(self, instants: int) -> None:
        self._healing_waits.set(instants)

    def _lag_s(self) -> float:
        if self._last_success_ms is None:
            return float("nan")
        return (self._clock() - self._last_success_ms) / SECOND_MS


def _first_failure(scrape: Scrape) -> str:
    for rule in scrape.outcomes:
        if rule.outcome is not Outcome.OK:
            place = f"cluster {rule.cluster!r}, " if rule.cluster else ""
            return f"{place}rule {rule.rule!r}: {rule.outcome.value}: {rule.error}"
    return ""
