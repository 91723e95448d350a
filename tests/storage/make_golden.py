"""Makes the sample recording of the current format version: once, when the version is new.

    PYTHONPATH=tests python tests/storage/make_golden.py

It is never made again: what `test_golden.py` reads must be what an old vistio wrote.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from support.scrapes import INTERVAL_MS, START_MS, all_failed, edges, mesh, scrape

from vistio_core import Recording
from vistio_core.events import Measurement, Sample
from vistio_core.storage.format import FORMAT_VERSION
from vistio_core.times import HOUR_MS, MINUTE_MS

GOLDEN = Path(__file__).parent / "golden"


def main() -> None:
    place = GOLDEN / f"version-{FORMAT_VERSION}"
    if place.exists():
        sys.exit(f"{place.name} is there already; raise FORMAT_VERSION first")
    recording = Recording.open(place, create=True, clock=lambda: START_MS)
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        for index in range(3):
            rates = {"front>cart 200": 10.5 + index, "front>cart 503": 0.25, "cart>db 404": 1 / 3}
            samples = [*edges(rates), Sample("", "ingress", "INTERNET", "mesh", "200", 100.0)]
            saturation = Measurement("mesh", "saturation", "db", "", "value", 0.97, (("service", "db"),))
            writer.commit(scrape(START_MS + index * INTERVAL_MS, samples, measurements=[saturation]))
        writer.commit(scrape(START_MS + 4 * INTERVAL_MS, **all_failed()))
        writer.commit(scrape(START_MS + 5 * INTERVAL_MS, {"ü>db 200": 1.0}, backfilled=True))
        writer.seal(START_MS + HOUR_MS)
        for index in range(2):
            writer.commit(scrape(START_MS + HOUR_MS + index * INTERVAL_MS, {"front>cart 200": 7.0}))
        writer.merge(START_MS + HOUR_MS + 5 * MINUTE_MS)
        writer.commit(scrape(START_MS + HOUR_MS + 5 * MINUTE_MS, {"front>cart 200": 8.0}, http="timeout"))
    shutil.rmtree(place / "locks")


if __name__ == "__main__":
    main()
