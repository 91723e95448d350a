"""`vistio-record run`, put together: source, recording, schedule, housekeeping, metrics, stop."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import attrs

from vistio_core.access.guard import Guard
from vistio_core.access.web_access import WebAccess
from vistio_core.recording.recording import Recording
from vistio_core.storage.writer import Writer
from vistio_core.times import SECOND_MS, align, format_duration, format_instant, system_now_ms
from vistio_record.annotating import AnnotationRoute
from vistio_record.application import Application
from vistio_record.gate import Gate
from vistio_record.healing import Healer, HealingOptions
from vistio_record.housekeeping import Housekeeper, keep_house
from vistio_record.http_server import HttpServer
from vistio_record.measuring import Known, measure_gaps, measure_sizes
from vistio_record.memory import keep_small
from vistio_record.metrics import Metrics
from vistio_record.recorder import Recorder
from vistio_record.reload import Recipe, Reloader, Watch
from vistio_record.schedule import Schedule, Scheduled, due
from vistio_record.sources.base import Source
from vistio_record.stop import StopRequest

log = logging.getLogger(__name__)

LINGER = "60s"
"""Merged and sealed files stay for as long: a query of someone else may be about to read them."""
QUIET = "15m"
"""An hour that heals is sealed when nothing came for as long, so that it makes one file, not one a minute."""
FOOTERS_BYTES = 16 * 1024 * 1024
"""What a recorder keeps of files that it opened: those of the head, for what is sealed it hardly opens again."""


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
    retention_bytes: int
    """0 is without limit."""
    heal_ms: int
    """How far back missed instants are healed; 0 does not."""
    host: str
    port: int
    significant_digits: int | None
    """How many of each rate are kept; None keeps all."""
    token_file: Path | None
    """Who shows its token may annotate over HTTP; None: nobody, unless ``web_config`` says so."""
    web_config: Path | None = None
    """Who may ask the port, and by which TLS; None: everybody, by plain HTTP."""


# A loop that hangs in the storage is told as not healthy after this time, and one scrape's.
_STALLED_AFTER_S = 120.0


def run(
    options: RunOptions, source: Source, recipe: Recipe, stop: StopRequest, hangup: threading.Event
) -> None:
    """Record until ``stop`` is requested. ``source`` and its successors are closed then.

    Everything that can be wrong from the start is found before the first scrape: the port, the
    recording, its lock, the configuration.

    Args:
        options: what was asked for.
        source: the first one.
        recipe: how ``source`` was made, for a reload.
        stop: ends the run.
        hangup: when it is set, the configuration is read again.

    Raises:
        VistioError: something of that is wrong.
    """
    keep_small()
    with ExitStack() as stack:
        metrics = Metrics(system_now_ms)
        metrics.interval(options.interval_ms)
        access = None if options.web_config is None else WebAccess(options.web_config)
        guard = Guard(access, token_file=options.token_file)
        # The port first: when it is taken, nothing was made on the disk yet.
        server = HttpServer(options.host, options.port, access)
        stack.callback(server.close)
        recording, writer = _open(options, stack)
        gate = Gate(options.interval_ms, options.delay_ms)
        recorder = Recorder(
            source, writer, options.interval_ms, options.timeout_ms / SECOND_MS, metrics, gate.live
        )
        stack.callback(recorder.close)
        recorder.start()
        reloader = Reloader(recipe, recorder.replace, metrics)
        annotate = AnnotationRoute(recording, system_now_ms)
        stalled_after_s = options.timeout_ms / SECOND_MS + _STALLED_AFTER_S
        server.serve(Application(metrics, reloader.reload, stalled_after_s, annotate, guard))
        if access is not None:
            stack.callback(access.watch().close)
        stack.callback(Watch(reloader, hangup).close)
        _log_start(options, source, writer, server.url)
        scheduled = _due(options, writer, metrics, stop)
        healer = _healer(options, recording, writer, recorder, gate, metrics)
        housekeeper = Housekeeper(_tidying(options, recording, writer, metrics))
        try:
            recorder.run(scheduled, stop)
        finally:
            healed = healer.close()
            settled = housekeeper.close() and healed
        log.info("recorder.stopped", extra={"newest": _instant_or_none(writer.last_instant_ms)})
        if not settled:
            # A thread inside Arrow must not meet a dying interpreter. What it was writing is not
            # visible yet, and the operating system lets go of the lock.
            logging.shutdown()
            os._exit(0)


def _log_start(options: RunOptions, source: Source, writer: Writer, url: str) -> None:
    log.info(
        "recorder.started",
        extra={
            "recording": str(options.recording),
            "writer": options.writer,
            "interval": format_duration(options.interval_ms),
            "rules": sum(1 for _ in source.configuration.rules()),
            "newest": _instant_or_none(writer.last_instant_ms),
            "metrics": f"{url}/metrics",
        },
    )


def _open(options: RunOptions, stack: ExitStack) -> tuple[Recording, Writer]:
    """The recording, made where there is none, and the right to write to it until ``stack`` ends."""
    recording = Recording.open(options.recording, create=True, footer_memory_bytes=FOOTERS_BYTES)
    writer = recording.writer(
        options.writer, linger=LINGER, quiet=QUIET, significant_digits=options.significant_digits
    )
    return recording, stack.enter_context(writer)


def _healer(
    options: RunOptions,
    recording: Recording,
    writer: Writer,
    recorder: Recorder,
    gate: Gate,
    metrics: Metrics,
) -> Healer:
    """Who asks for what was missed; at work already, if it is to be."""
    timeout_s = options.timeout_ms / SECOND_MS
    healing = HealingOptions(options.heal_ms, options.interval_ms, options.delay_ms, timeout_s)
    healer = Healer(recording, writer, recorder, gate, metrics, healing)
    if options.heal_ms:
        recorder.observe = healer.scraped
        healer.start()
    return healer


def _due(options: RunOptions, writer: Writer, metrics: Metrics, stop: StopRequest) -> Iterator[Scheduled]:
    """The instants of the schedule, each when it is due."""

    def clock() -> int:
        metrics.alive()  # the schedule reads the clock every second, and around each scrape
        return system_now_ms()

    schedule = Schedule(
        interval_ms=options.interval_ms, delay_ms=options.delay_ms, recorded_ms=writer.last_instant_ms
    )
    return due(schedule, stop, clock=clock, monotonic=_monotonic_ms)


def _tidying(
    options: RunOptions, recording: Recording, writer: Writer, metrics: Metrics
) -> Callable[[], None]:
    """What housekeeping does each time."""
    known = Known(
        running_from_ms=system_now_ms() if writer.last_instant_ms is None else writer.last_instant_ms,
        retention_ms=options.retention_ms,
        retention_bytes=options.retention_bytes,
    )

    def tidy_up() -> None:
        keep_house(
            writer,
            now_ms=system_now_ms(),
            retention_ms=options.retention_ms,
            retention_bytes=options.retention_bytes,
            pruned=metrics.pruned,
            measure=measure,
        )

    def measure() -> None:
        measure_sizes(recording, metrics)
        # An instant is late when its scrape, and the one after it, could be over.
        on_their_way_ms = options.delay_ms + 2 * options.interval_ms
        until_ms = align(system_now_ms() - on_their_way_ms, options.interval_ms)
        measure_gaps(recording, metrics, options.writer, known, until_ms)

    return tidy_up


def _monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000


def _instant_or_none(instant_ms: int | None) -> str:
    return "none" if instant_ms is None else format_instant(instant_ms)
