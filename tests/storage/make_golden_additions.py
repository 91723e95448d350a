"""Makes the sample of what was added to format version 1 later: supplements and annotations. Once.

    PYTHONPATH=tests python tests/storage/make_golden_additions.py

Like `make_golden.py`, it is never run again: the test reads what was written when these were new.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from support.scrapes import INTERVAL_MS, START_MS, all_failed, edges, mesh, outcomes, scrape

from vistio_core import Annotation, Recording
from vistio_core.events import Scrape
from vistio_core.times import HOUR_MS, MINUTE_MS

ADDITIONS = Path(__file__).parent / "golden_additions" / "version-1"


def supplement(instant_ms: int, answered: str, **by_rule: str) -> Scrape:
    rows = edges({"front>cart 200": 4.5, "front>cart 503": 0.5}) if answered == "http" else ()
    told = tuple(each for each in outcomes(**by_rule) if each.rule in {answered, *by_rule})
    return Scrape(instant_ms, INTERVAL_MS, mesh().hash, told, tuple(rows), backfilled=True)


def main() -> None:
    if ADDITIONS.exists():
        sys.exit("golden_additions is there already, and is never made again")
    recording = Recording.open(ADDITIONS, create=True, clock=lambda: START_MS)
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        for index in range(3):
            writer.commit(scrape(START_MS + index * INTERVAL_MS, **all_failed()))
        writer.supplement(supplement(START_MS, "http", ingress="failed"))
        writer.supplement(supplement(START_MS, "ingress"))
        writer.supplement(supplement(START_MS + INTERVAL_MS, "http"))
        writer.seal(START_MS + HOUR_MS)
        for index in range(2):
            later_ms = START_MS + HOUR_MS + index * INTERVAL_MS
            writer.commit(scrape(later_ms, http="failed"))
            writer.supplement(supplement(later_ms, "http"))
        writer.merge(START_MS + HOUR_MS + 5 * MINUTE_MS)
    recording.annotate(
        Annotation(START_MS, "cart 1.4.2", kind="deployment", node="cart", tags={"version": "1.4.2"})
    )
    recording.annotate(Annotation(START_MS, "Prometheus is away", "incident", START_MS + MINUTE_MS))
    shutil.rmtree(ADDITIONS / "locks")


if __name__ == "__main__":
    main()
