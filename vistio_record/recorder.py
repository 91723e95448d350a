"""The loop: at each due instant evaluate, then commit; whatever happens, go on.

A scrape that fails is committed too, with the reason for each rule. A commit that fails is logged
with what to do, and the next instant is tried as usual: a full disk or a vanished mount costs the
instants until it is back, not the recorder. Then the log is told why they are missing.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

import attrs

from vistio_core.configuration.model import Configuration
from vistio_core.errors import AlreadyRecordedError, UsageError, VistioError, WriterLockedError
from vistio_core.events import Outcome, RuleOutcome, Scrape
from vistio_core.times import format_instant
from vistio_record.metrics import Metrics
from vistio_record.rule_log import RuleLog
from vistio_record.schedule import Scheduled, Stop
from vistio_record.sources.base import Source
from vistio_record.unwritten import Unwritten

log = logging.getLogger(__name__)

# A stop lets the running scrape finish for so long; most take a few hundredths of it.
_GRACE_S = 2.0

SKIP_REASON = "the scrape before was still running when this one was due"


class LiveLog(Protocol):
    """What the recorder needs of a recording's writer (`vistio_core.Writer`)."""

    def put_configuration(self, configuration: Configuration) -> str: ...

    def commit(self, scrape: Scrape) -> None: ...


@attrs.define
class Recorder:
    """Records one source into one writer."""

    source: Source
    writer: LiveLog
    interval_ms: int
    timeout_s: float
    metrics: Metrics
    live: Callable[[], AbstractContextManager[None]] = nullcontext
    """A context for a scrape with its commit: who wants to keep out of its way is told by it."""
    observe: Callable[[Scrape], None] = lambda scrape: None
    """Called after each scrape's commit."""
    _configuration: str = attrs.field(init=False, default="")
    _rules: tuple[tuple[str, str], ...] = attrs.field(init=False, default=())
    _rule_log: RuleLog = attrs.field(init=False, factory=RuleLog)
    _successor: Source | None = attrs.field(init=False, default=None)
    _lock: threading.Lock = attrs.field(init=False, factory=threading.Lock, repr=False, eq=False)
    _unwritten: Unwritten = attrs.field(init=False, factory=Unwritten)

    def start(self) -> None:
        """Keep the configuration in the recording, and warn of what its file has that is ignored.

        Raises:
            UsageError: the configuration has no rules.
            RecordingError: the recording cannot be written to.
        """
        note_warnings(self.source.configuration)
        self._follow(self.source)
        self.writer.put_configuration(self.source.configuration)

    def replace(self, source: Source) -> None:
        """Let ``source`` take over between two scrapes. It is closed here, as the one before it.

        For any thread. One that waits for its turn already is closed without having had it.
        """
        with self._lock:
            waiting, self._successor = self._successor, source
        if waiting is not None:
            waiting.close()

    def close(self) -> None:
        """Close the source, and the one that waits to take over."""
        with self._lock:
            waiting, self._successor = self._successor, None
        for source in (self.source, waiting):
            if source is not None:
                source.close()

    def run(self, due: Iterable[Scheduled], stop: Stop) -> None:
        """Record every instant that ``due`` gives, until it ends or a stop is requested.

        A stop waits a moment for the running scrape; after that the source is closed, and the
        scrape is abandoned uncommitted: what it would say about the rules is not true.

        Raises:
            WriterLockedError: as `record`.
        """
        finished = threading.Event()
        watch = threading.Thread(
            target=self._close_when_stopped, args=(stop, finished), daemon=True, name="stop"
        )
        watch.start()
        try:
            for scheduled in due:
                if scheduled.clock_step_ms:
                    log.warning("clock.stepped", extra={"ms": scheduled.clock_step_ms})
                with self.live():
                    self._record_skipped(
                        scheduled.skipped
                    )  # they were the source's that is in force until here
                    self._change_over()
                    self.record(scheduled.instant_ms, stop)
        finally:
            finished.set()

    def record(self, instant_ms: int, stop: Stop | None = None) -> bool:
        """Evaluate and commit one instant; whether it is in the log now.

        Raises:
            WriterLockedError: another process has the writer's name now. Nothing else.
        """
        started_s = time.perf_counter()
        scrape = self.scrape(instant_ms)
        seconds = time.perf_counter() - started_s
        if stop is not None and stop.requested and not all_answered(scrape):
            log.info("scrape.abandoned", extra={"instant": format_instant(instant_ms)})
            return False
        self.metrics.evaluated(seconds)
        self._rule_log.tell(scrape)
        committed = self._commit(scrape, seconds)
        self.observe(scrape)
        return committed

    def scrape(self, instant_ms: int) -> Scrape:
        """What the source sees at ``instant_ms``. A fault of the source is the outcome of every rule."""
        try:
            seen = self.source.evaluate(instant_ms, self.timeout_s)
            return Scrape(
                instant_ms,
                self.interval_ms,
                self._configuration,
                seen.outcomes,
                seen.samples,
                seen.measurements,
            )
        except Exception as error:  # a source may come from anyone; the recorder outlives its faults
            log.exception("source.crashed", extra={"instant": format_instant(instant_ms)})
            self.metrics.crashed()
            why = f"the source went wrong: {type(error).__name__}; the recorder's log has the details"
            outcomes = tuple(RuleOutcome(cluster, rule, Outcome.FAILED, why) for cluster, rule in self._rules)
            return Scrape(instant_ms, self.interval_ms, self._configuration, outcomes)

    def _follow(self, source: Source) -> None:
        self._rules = rules_of(source.configuration)
        self._configuration = source.configuration.hash
        self.source = source
        self.metrics.configured(self._configuration, len(self._rules))

    def _change_over(self) -> None:
        with self._lock:
            successor, self._successor = self._successor, None
        if successor is not None:
            before = self.source
            self._follow(successor)
            try:
                before.close()
            except Exception:  # a source may come from anyone; the next scrape does not wait for it
                log.exception("source.close_crashed")

    def _close_when_stopped(self, stop: Stop, finished: threading.Event) -> None:
        while not finished.is_set() and not stop.wait(1.0):
            pass
        if stop.requested:
            log.info("stop.requested")
        if not finished.wait(_GRACE_S):
            self.source.close()

    def _record_skipped(self, instants: tuple[int, ...]) -> None:
        for instant_ms in instants:
            outcomes = tuple(
                RuleOutcome(cluster, rule, Outcome.SKIPPED, SKIP_REASON) for cluster, rule in self._rules
            )
            log.warning(
                "scrape.skipped", extra={"instant": format_instant(instant_ms), "reason": SKIP_REASON}
            )
            self._commit(Scrape(instant_ms, self.interval_ms, self._configuration, outcomes), 0.0)

    def _commit(self, scrape: Scrape, seconds: float) -> bool:
        instant = format_instant(scrape.instant_ms)
        started_s = time.perf_counter()
        try:
            # Cheap, and the recording may be another one since the last scrape: an unmounted
            # volume that is back without the newest files.
            self.writer.put_configuration(self.source.configuration)
            self.writer.commit(scrape)
        except AlreadyRecordedError:
            log.info("instant.present", extra={"instant": instant})
            return True
        except WriterLockedError:
            raise  # someone deleted the lock's file, and another recorder writes here now
        except (VistioError, OSError) as error:
            self.metrics.lost(str(error))
            self._unwritten.remember(scrape, error)
            log.error(
                "commit.failed",
                extra={"instant": instant, "error": str(error), "next": "the next instant is tried"},
            )
            return False
        commit_s = time.perf_counter() - started_s
        self.metrics.committed(scrape, commit_s)
        log.info(
            "scrape.committed",
            extra={
                "instant": instant,
                "samples": len(scrape.samples),
                "rules": len(scrape.outcomes),
                "failed": sum(rule.outcome is not Outcome.OK for rule in scrape.outcomes),
                "scrape_ms": round(seconds * 1000, 1),
                "commit_ms": round(commit_s * 1000, 1),
            },
        )
        self._unwritten.explain(self.writer)
        return True


def rules_of(configuration: Configuration) -> tuple[tuple[str, str], ...]:
    """Cluster and id of every rule, in file order.

    Raises:
        UsageError: there are none.
    """
    rules = tuple((cluster, rule.id) for cluster, rule in configuration.rules())
    if not rules:
        raise UsageError("the configuration has no rules, so there is nothing to record; add a connection")
    return rules


def note_warnings(configuration: Configuration) -> None:
    """Log what the configuration's file has that is ignored, or looks wrong."""
    for problem in configuration.warnings:
        log.warning(
            "configuration.noted",
            # "message" is taken: it is the log record's own.
            extra={"path": problem.path, "line": problem.line, "problem": problem.message},
        )


def all_answered(scrape: Scrape) -> bool:
    """Whether every rule of ``scrape`` was answered."""
    return all(rule.outcome is Outcome.OK for rule in scrape.outcomes)
