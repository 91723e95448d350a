"""`vistio-record run`, put together: source, recording, schedule, housekeeping, metrics, stop."""

from __future__ import annotations

import gc
import logging
import os
import time
from contextlib import ExitStack
from pathlib import Path

import attrs

from vistio_core.recording.recording import Recording
from vistio_core.times import SECOND_MS, format_duration, format_instant, system_now_ms
from vistio_record.housekeeping import Housekeeper, keep_house
from vistio_record.metrics import Metrics, MetricsServer
from vistio_record.recorder import Recorder
from vistio_record.schedule import Schedule, due
from vistio_record.sources.base import Source
from vistio_record.stop import StopRequest

log = logging.getLogger(__name__)

LINGER = "60s"
"""Merged and sealed files stay for as long: a query of someone else may be about to read them."""
QUIET = "15m"
"""An hour that heals is sealed when nothing came for as long, so that it makes one file, not one a minute."""


@attrs.frozen(kw_only=True)
class RunOptions:
    """What ``run`` was asked for."""

    recording: Path
    writer: str
    interval_ms: int
    timeout_ms: int
    delay_ms: int
    retention_ms: int
    """0 keeps everything."""
    host: str
    port: int


def run(options: RunOptions, source: Source, stop: StopRequest) -> None:
    """Record until ``stop`` is requested.

    Everything that can be wrong from the start is found before the first scrape: the port, the
    recording, its lock, the configuration.

    Raises:
        VistioError: one of these.
    """
    # A scrape makes a hundred thousand small tuples at once and no cycles. With Python's own
    # threshold of 700 the collector looks at them again and again, for a third of a scrape's time.
    gc.set_threshold(100_000, 10, 10)
    with ExitStack() as stack:
        metrics = Metrics(system_now_ms)
        server = MetricsServer(metrics, options.host, options.port)
        stack.callback(server.close)
        recording = Recording.open(options.recording, create=True)
        writer = stack.enter_context(recording.writer(options.writer, linger=LINGER, quiet=QUIET))
        recorder = Recorder(source, writer, options.interval_ms, options.timeout_ms / SECOND_MS, metrics)
        recorder.start()
        log.info(
            "recorder.started",
            extra={
                "recording": recording.place,
                "writer": options.writer,
                "interval": format_duration(options.interval_ms),
                "rules": sum(1 for _ in source.configuration.rules()),
                "newest": _instant_or_none(writer.last_instant_ms),
                "metrics": server.url,
            },
        )

        def tidy_up() -> None:
            keep_house(writer, now_ms=system_now_ms(), retention_ms=options.retention_ms, measure=measure)

        def measure() -> None:
            info = recording.info()
            metrics.head_bytes.set(info.head_bytes)
            metrics.log_bytes.set(info.log_bytes)

        schedule = Schedule(
            interval_ms=options.interval_ms, delay_ms=options.delay_ms, recorded_ms=writer.last_instant_ms
        )
        housekeeper = Housekeeper(tidy_up)
        try:
            recorder.run(due(schedule, stop, clock=system_now_ms, monotonic=_monotonic_ms), stop)
        finally:
            settled = housekeeper.close()
        log.info("recorder.stopped", extra={"newest": _instant_or_none(writer.last_instant_ms)})
        if not settled:
            # A thread inside Arrow must not meet a dying interpreter. What it was writing is not
            # visible yet, and the operating system lets go of the lock.
            logging.shutdown()
            os._exit(0)


def _monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000


def _instant_or_none(instant_ms: int | None) -> str:
    return "none" if instant_ms is None else format_instant(instant_ms)
