"""The loop: at each due instant evaluate, then commit; whatever happens, go on.

A scrape that fails is committed too, with the reason for each rule. A commit that fails is logged
with what to do, and the next instant is tried as usual: a full disk or a vanished mount costs the
instants until it is back, not the recorder. Then the log is told why they are missing.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

import attrs

from vistio_core.configuration.model import Configuration
from vistio_core.errors import AlreadyRecordedError, NotARecordingError, UsageError, VistioError
from vistio_core.events import Outcome, RuleOutcome, Scrape
from vistio_core.times import format_instant
from vistio_record.metrics import Metrics
from vistio_record.rule_log import RuleLog
from vistio_record.schedule import Scheduled, Stop
from vistio_record.sources.base import Source

log = logging.getLogger(__name__)

# A stop lets the running scrape finish for so long; most take a few hundredths of it.
_GRACE_S = 2.0

SKIP_REASON = "the scrape before was still running when this one was due"

MAX_UNWRITTEN = 360
"""Instants whose refused commit is explained later, the newest ones; older ones stay a gap without reason."""
# With each commit that succeeds, so that a long outage of the disk does not delay the scrapes after it.
_EXPLAINED_AT_ONCE = 10


class Log(Protocol):
    """What the recorder needs of a recording's writer (`vistio_core.recording.Writer`)."""

    def put_configuration(self, configuration: Configuration) -> str: ...

    def commit(self, scrape: Scrape) -> None: ...


@attrs.define
class Recorder:
    """Records one source into one writer."""

    source: Source
    writer: Log
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
    _unwritten: dict[int, tuple[Scrape, Configuration]] = attrs.field(init=False, factory=dict)

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
        """Evaluate and commit one instant; whether it is in the log now. Never raises `VistioError`."""
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
        except (VistioError, OSError) as error:
            self.metrics.lost(str(error))
            self._unwritten[scrape.instant_ms] = unwritten(scrape, error), self.source.configuration
            if len(self._unwritten) > MAX_UNWRITTEN:
                del self._unwritten[next(iter(self._unwritten))]
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
        self._explain_unwritten()
        return True

    def _explain_unwritten(self) -> None:
        """Record why earlier instants are missing, now that there is a disk again. Oldest first."""
        for instant_ms in sorted(self._unwritten)[:_EXPLAINED_AT_ONCE]:
            scrape, configuration = self._unwritten[instant_ms]
            try:
                # A reload may have come between: then this one was never written either.
                self.writer.put_configuration(configuration)
                self.writer.commit(scrape)
            except AlreadyRecordedError:
                pass  # somebody filled it in
            except (VistioError, OSError):
                return  # told when the next scrape's own commit is refused
            else:
                log.info("instant.explained", extra={"instant": format_instant(instant_ms)})
            del self._unwritten[instant_ms]


def unwritten(scrape: Scrape, error: Exception) -> Scrape:
    """What is told later of a scrape whose commit was refused: no samples, and why; small enough to keep.

    Whoever reads a recording need not know the recorder's machine: paths stay in its log.
    """
    if isinstance(error, NotARecordingError):
        why = "the recording's directory or its mount had gone"
    else:
        code = getattr(error, "code", None) or getattr(error, "errno", None)
        why = os.strerror(code) if code else "the recorder's log has the reason"
    text = f"answered, but the recording could not be written: {why}"
    outcomes = tuple(
        RuleOutcome(rule.cluster, rule.rule, Outcome.FAILED, text) if rule.outcome is Outcome.OK else rule
        for rule in scrape.outcomes
    )
    return attrs.evolve(scrape, outcomes=outcomes, samples=(), measurements=())


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
