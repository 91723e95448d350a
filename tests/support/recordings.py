"""Recordings of a few scrapes, for tests that ask what comes out of the front door."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from support.scrapes import mesh
from vistio_core import Configuration, Recording
from vistio_core.events import Scrape
from vistio_core.times import HOUR_MS


def recorded(
    place: Path, *scrapes_of_writers: Sequence[Scrape], configurations: Sequence[Configuration] = ()
) -> Recording:
    """A recording of what writers ``a``, ``b``, ... committed; its clock stands an hour after the newest scrape."""
    now_ms = HOUR_MS + max(scrape.instant_ms for scrapes in scrapes_of_writers for scrape in scrapes)
    recording = Recording.open(place, create=True, clock=lambda: now_ms)
    for number, scrapes in enumerate(scrapes_of_writers):
        with recording.writer(chr(ord("a") + number)) as writer:
            for configuration in configurations or [mesh()]:
                writer.put_configuration(configuration)
            for scrape in scrapes:
                writer.commit(scrape)
    return recording
