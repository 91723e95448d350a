"""Does a recorder's memory grow over hours of recording?

    python bench/recorder_memory.py                   # 12 hours of 1,000 edges, in minutes
    python bench/recorder_memory.py --hours 48

Commits a scrape each 10 s of a clock that is set, and keeps house each minute as `vistio-record
run` does (merge, seal, prune, measure), so hours pass in minutes. `soak.py` sees a real process, but
for minutes only; a leak of a few kB a commit shows here. The exit code is 1 when the least of the last quarter
is more than a tenth above that of the second one: the first is warm-up, in which caches fill.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import click
from workload import INTERVAL_MS, START_MS, Mesh

from vistio_core import Recording
from vistio_core.commandline.starting import keep_pandas_out
from vistio_core.times import HOUR_MS, MINUTE_MS
from vistio_record.housekeeping import keep_house
from vistio_record.measuring import Known, measure_gaps, measure_sizes
from vistio_record.memory import keep_small
from vistio_record.metrics import Metrics
from vistio_record.running import LINGER, QUIET


def resident_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def hourly(place: Path, hours: int, edges: int, retention_ms: int) -> list[float]:
    """The least resident memory of each hour."""
    now_ms, found = START_MS, list[float]()
    mesh = Mesh(edges)
    recording = Recording.open(place, create=True, clock=lambda: now_ms)
    metrics = Metrics(lambda: now_ms)
    known = Known(running_from_ms=now_ms, retention_ms=retention_ms, retention_bytes=0)

    def measure() -> None:
        measure_sizes(recording, metrics)
        measure_gaps(recording, metrics, "main", known, now_ms - 2 * INTERVAL_MS)

    with recording.writer(linger=LINGER, quiet=QUIET) as writer:
        writer.put_configuration(mesh.configuration)
        for hour in range(hours):
            least_mb = float("inf")
            for now_ms in range(START_MS + hour * HOUR_MS, START_MS + (hour + 1) * HOUR_MS, INTERVAL_MS):
                writer.commit(mesh.scrape(now_ms))
                if now_ms % MINUTE_MS == 0:
                    keep_house(writer, now_ms=now_ms, retention_ms=retention_ms, measure=measure)
                    least_mb = min(least_mb, resident_mb())
            found.append(least_mb)
            print(f"hour {hour + 1}: {least_mb:.0f} MB", file=sys.stderr, flush=True)
    return found


@click.command()
@click.option("--hours", default=12, show_default=True, type=click.IntRange(4))
@click.option("--edges", default=1_000, show_default=True)
@click.option("--retention", default=6, show_default=True, help="Hours that are kept.")
def main(hours: int, edges: int, retention: int) -> None:
    keep_pandas_out()
    keep_small()
    with tempfile.TemporaryDirectory() as folder:
        found = hourly(Path(folder) / "recording", hours, edges, retention * HOUR_MS)
    print(f"{edges:,} edges, a 10 s interval, {retention} hours kept; least resident memory in each hour:\n")
    print("| hour | " + " | ".join(str(hour + 1) for hour in range(hours)) + " |")
    print("|---|" + "---|" * hours)
    print("| MB | " + " | ".join(f"{mb:.0f}" for mb in found) + " |")
    quarter = hours // 4
    flat = min(found[-quarter:]) <= 1.1 * min(found[quarter : 2 * quarter])
    print(f"\n{'flat' if flat else '**NOT FLAT**'}: the last quarter against the second one")
    sys.exit(0 if flat else 1)


if __name__ == "__main__":
    main()
