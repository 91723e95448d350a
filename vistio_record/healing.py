"""Healing: what the recorder missed is asked for later, in the background.

Prometheus keeps its own history, so after an outage of the network, of the recorder or of
Prometheus' query API, most of what was missed can still be had. The healer keeps a work list:

- *missing* instants, of which the log has nothing: the recorder was not running, the clock jumped,
  the disk was full;
- *unanswered* rules of instants in the log: a scrape that failed, in part or whole, or was skipped.

Newest first, because the operator looks at the incident just past. A rule is asked only while
its live scrapes are answered, and less and less often when it cannot be reached all the same.
What Prometheus has no data of stays a gap with that reason, which is written down, and is not
asked again. Everything waits at the `Gate` for live scrapes.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import attrs
import pyarrow as pa

from vistio_core.errors import VistioError
from vistio_core.events import RuleKey, Scrape
from vistio_core.times import align, format_instant, system_now_ms
from vistio_record.gate import Gate, Stopped
from vistio_record.past import PastLog, Piece, SameRules, learn, missing_runs
from vistio_record.sources.base import NO_DATA, AnswersRanges, HasGaps, Source
from vistio_record.worklist import Backoff, Todo, Worklist

if TYPE_CHECKING:
    from vistio_core.recording.recording import Recording
    from vistio_record.metrics import Metrics

log = logging.getLogger(__name__)

PERIOD_S = 60.0
"""How often the healer looks for work; a live scrape that is answered again wakes it at once."""


class HealedLog(PastLog, Protocol):
    """What the healer needs of a recording's writer (`vistio_core.Writer`)."""

    @property
    def name(self) -> str: ...

    @property
    def first_instant_ms(self) -> int | None: ...


class Live(Protocol):
    """What the healer needs of the recorder: its source, which a reload may replace."""

    @property
    def source(self) -> Source: ...


@attrs.frozen
class HealingOptions:
    """How far back, and when an instant is due."""

    heal_ms: int
    """How old an instant may be."""
    interval_ms: int
    delay_ms: int
    timeout_s: float


class Healer:
    """Finds what is missing or unanswered, and heals it in a thread of its own."""

    def __init__(
        self,
        recording: Recording,
        writer: HealedLog,
        live: Live,
        gate: Gate,
        metrics: Metrics,
        options: HealingOptions,
        *,
        clock: Callable[[], int] = system_now_ms,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._recording = recording
        self._writer = writer
        self._live = live
        self._gate = gate
        self._metrics = metrics
        self._options = options
        self._clock = clock
        self._todo = Worklist()
        self._backoff = Backoff(monotonic_s)
        self._configuration = ""
        self._same_rules: SameRules | None = None
        self._looked_ms = 0
        # The last instant that was due before `_looked_ms`, with its interval.
        self._anchor: tuple[int, int] | None = None
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, daemon=True, name="healing")

    def start(self) -> None:
        """Begin; nothing is asked before the first live scrape is answered."""
        if not isinstance(self._live.source, AnswersRanges):
            log.info("healing.off", extra={"reason": "this source cannot be asked about ranges of the past"})
            return
        self._thread.start()

    def scraped(self, scrape: Scrape) -> None:
        """To be told of every live scrape; returns at once."""
        if self._backoff.scraped(scrape):
            self._wake.set()

    def close(self, timeout_s: float = 2.0) -> bool:
        """End; whether it ended in time. What was not written by then is not there."""
        self._stopping = True
        self._gate.stop()
        self._wake.set()
        if self._thread.ident is None:
            return True
        self._thread.join(timeout_s / 4)
        if self._thread.is_alive():
            self._live.source.close()  # cuts a question off that is still waited for
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def heal(self) -> None:
        """One round: look for work and do what can be done now.

        Raises:
            Stopped: it was asked to end.
            VistioError: the recording refused.
        """
        source = self._live.source
        self._look(source)
        while piece := self._todo.newest(source.configuration, self._backoff.ready):
            self._do(source, piece)
            source = self._live.source
            if source.configuration.hash != self._configuration:
                self._look(source)

    def _run(self) -> None:
        wait_s: float | None = None
        while True:
            recovered = self._wake.wait(wait_s)
            self._wake.clear()
            if self._stopping:
                return
            try:
                self.heal()
            except Stopped:
                return
            except (VistioError, OSError) as error:
                log.error(
                    "healing.failed", extra={"error": str(error), "next": "tried again within a minute"}
                )
            except Exception:  # the thread must live as long as the recorder
                log.exception("healing.crashed")
            self._metrics.healing_waits(len(self._todo))
            # What went wrong last has not settled yet when the first good scrape wakes us.
            wait_s = min(PERIOD_S, self._backoff.next_s, self._settle_ms / 1000 if recovered else PERIOD_S)

    @property
    def _settle_ms(self) -> int:
        """After this time nobody else will record an instant that was due."""
        return round(self._options.timeout_s * 1000) + 3 * self._options.interval_ms

    def _look(self, source: Source) -> None:
        """Put what is to be done, and not known yet, on the list."""
        configuration = source.configuration
        if self._same_rules is None or configuration.hash != self._configuration:
            # Other rules: what was given up may be possible, what was planned may not.
            self._todo.clear()
            self._configuration, self._looked_ms, self._anchor = configuration.hash, 0, None
            self._same_rules = SameRules(self._recording, configuration)
        first_ms = self._writer.first_instant_ms
        if first_ms is None:
            return
        due_ms = self._clock() - self._options.delay_ms
        start_ms = max(first_ms, due_ms - self._options.heal_ms)
        self._todo.forget_before(start_ms)
        from_ms = max(start_ms, self._looked_ms)
        settled_ms = due_ms - self._settle_ms
        if from_ms < due_ms:
            self._look_for_unanswered(self._same_rules, from_ms, due_ms)
        if from_ms < settled_ms:
            self._look_for_missing(source, first_ms, from_ms, settled_ms)
            self._looked_ms = settled_ms
        self._metrics.healing_waits(len(self._todo))

    def _look_for_unanswered(self, same_rules: SameRules, from_ms: int, until_ms: int) -> None:
        for unanswered in self._recording.unanswered(from_ms, until_ms, self._writer.name):
            found = same_rules.of(unanswered)
            if found is None:
                continue
            configuration, rules = found
            errors = {
                (rule.cluster, rule.rule): rule.error
                for rule in unanswered.rules
                if (rule.cluster, rule.rule) in rules and not rule.error.startswith(NO_DATA)
            }
            if errors:
                self._todo.add(unanswered.instant_ms, Todo(unanswered.interval_ms, configuration, errors))

    def _look_for_missing(self, source: Source, first_ms: int, from_ms: int, until_ms: int) -> None:
        table = self._recording.presence(from_ms, until_ms)
        columns = (table["instant"].cast(pa.int64()), table["writer"], table["interval_ms"])
        present = [
            (instant_ms, interval_ms)
            for instant_ms, writer, interval_ms in zip(*(c.to_pylist() for c in columns), strict=True)
            if writer == self._writer.name
        ]
        if self._anchor is None and first_ms < from_ms:
            # Older instants are too old to heal; what is due since then is not.
            interval_ms = present[0][1] if present else self._options.interval_ms
            self._anchor = (align(from_ms - 1, interval_ms), interval_ms)
        known = [self._anchor, *present] if self._anchor is not None else present
        for run in missing_runs(known, until_ms):
            for instant_ms in run:
                if not isinstance(source, HasGaps) or source.was_running(instant_ms):
                    self._todo.add(instant_ms, Todo(run.step))
        if known:
            last_ms, interval_ms = known[-1]
            due = range(last_ms, until_ms, interval_ms)
            self._anchor = (due[-1] if due else last_ms, interval_ms)

    def _do(self, source: Source, piece: Piece) -> None:
        first, last = (format_instant(piece.instants[index]) for index in (0, -1))
        log.info("healing.started", extra={"first": first, "last": last, "instants": len(piece.instants)})
        every = tuple((cluster, rule.id) for cluster, rule in piece.configuration.rules())
        unasked = (
            {}
            if piece.in_log
            else {rule: self._backoff.why(rule) for rule in every if rule not in piece.rules}
        )

        def is_news(instant_ms: int, rule: RuleKey, error: str) -> bool:
            return not piece.in_log or self._todo[instant_ms].errors.get(rule) != error

        healed = samples = 0
        refused: dict[str, int] = {}
        unreached: dict[RuleKey, str] = {}
        for learnt in learn(
            source,
            self._writer,
            piece,
            self._options.timeout_s,
            unasked=unasked,
            keep_refusals=is_news,
            pause=self._gate.wait,
        ):
            self._todo.done(piece, learnt)
            self._metrics.learnt(healed=learnt.kept and bool(learnt.answered), refused=bool(learnt.refused))
            healed += learnt.kept and bool(learnt.answered)
            samples += learnt.samples
            for error in {*learnt.refused.values()}:
                refused[error] = refused.get(error, 0) + 1
            self._backoff.reached((*learnt.answered, *learnt.refused))
            unreached |= {rule: error for rule, error in learnt.unreached.items() if rule not in unasked}
        if healed:
            log.info(
                "gap.healed", extra={"first": first, "last": last, "instants": healed, "samples": samples}
            )
        for error, instants in sorted(refused.items()):
            log.info("gap.stays", extra={"first": first, "last": last, "instants": instants, "reason": error})
        if unreached:
            pause_s = self._backoff.unreached(unreached)
            log.warning(
                "healing.postponed",
                extra={
                    "first": first,
                    "last": last,
                    "rules": len(unreached),
                    "error": next(iter(unreached.values())),
                    "next": f"tried again after {pause_s:g} s",
                },
            )
        self._metrics.healing_waits(len(self._todo))
