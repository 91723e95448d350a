"""Half an hour with something to find: a gap, a deployment that brings one node and takes another, errors.

==============  =================================================================
instant 30      an annotation: ``canary out``
instants 60-65  a gap
instant 90      ``canary`` is new, ``legacy`` is gone
120-129         ``cart`` fails to reach ``db``: notices of severity error
==============  =================================================================
"""

from __future__ import annotations

from pathlib import Path

from support.scrapes import INTERVAL_MS, START_MS, edges, mesh, scrape

import vistio_core as vistio
from vistio_core.times import format_instant

INSTANTS = 180
MISSING = range(60, 66)
SWITCHED = 90
FAILING = range(120, 130)
ANNOTATED = 30


def ms(number: int) -> int:
    """The instant with a number, as epoch milliseconds."""
    return START_MS + number * INTERVAL_MS


def at(number: int) -> str:
    """The instant with a number, as links write it."""
    return format_instant(ms(number))


def record(directory: Path) -> None:
    """Writes the half hour."""
    configuration = mesh()
    recording = vistio.Recording.open(directory, create=True)
    with recording.writer() as writer:
        writer.put_configuration(configuration)
        for number in range(INSTANTS):
            if number not in MISSING:
                samples = [*edges({"INTERNET>mesh 200": 10.0}, "ingress", ""), *edges(_rates(number))]
                writer.commit(scrape(ms(number), samples, configuration=configuration))
    recording.annotate(
        vistio.Annotation(ms(ANNOTATED), "canary <b>out</b>", kind="deployment", cluster="mesh")
    )


def _rates(number: int) -> dict[str, float]:
    rates = {"INTERNET>front 200": 100.0 + number % 3, "front>cart 200": 40.0, "cart>db 200": 20.0}
    rates["front>canary 200" if number >= SWITCHED else "front>legacy 200"] = 15.0
    if number in FAILING:
        rates["cart>db 500"] = 10.0
    return rates
