"""`bench/suspects.py` on a small data set of the published shapes: by way of a real Prometheus, and without one.

Three stretches of three minutes. In the last of them the storage of a shop is slow: the cause that must be named.
"""

from __future__ import annotations

import csv
import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support import prometheus as real_prometheus

if TYPE_CHECKING:
    from collections.abc import Iterator

BENCH = Path(__file__).parents[2] / "bench" / "suspects.py"
START_S, BUCKET_S, STRETCH_S = 1_675_000_000, 10, 180
STRETCHES_S = (START_S, START_S + 300, START_S + 600)
FAULT_S = STRETCHES_S[-1] + 60
EDGES = (("INTERNET", "shop", 40), ("shop", "storage", 20), ("shop", "mail", 30))
"""Source, target, and how many milliseconds a request takes."""


def rows() -> Iterator[dict[str, object]]:
    for stretch_s in STRETCHES_S:
        for bucket_s in range(stretch_s, stretch_s + STRETCH_S, BUCKET_S):
            slow_ms = 500 if bucket_s >= FAULT_S else 0
            for number, (source, target, ms) in enumerate(EDGES):
                requests = 20 + (bucket_s // BUCKET_S + number) % 3
                takes_ms = ms if target == "mail" else ms + slow_ms
                yield {
                    "bucket_s": bucket_s,
                    "source": source,
                    "target": target,
                    "requests": requests,
                    "callee_us_sum": requests * takes_ms * 1000,
                    "caller_us_sum": requests * (takes_ms + 2) * 1000,
                }


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / "nezha-train-ticket"
    folder.mkdir(parents=True)
    every = list(rows())
    with gzip.open(folder / "edges-2023-01-29.csv.gz", "wt") as file:
        writer = csv.DictWriter(file, every[0].keys())
        writer.writeheader()
        writer.writerows(every)
    fault = {"at_s": FAULT_S, "service": "storage", "type": "cpu_contention"}
    (folder / "faults.json").write_text(json.dumps([fault]))
    return tmp_path / "data"


def printed(data: Path, *options: str) -> list[str]:
    """What the command prints of suspects: without its progress."""
    command = [sys.executable, str(BENCH), str(data), "--quick", "--one-by-one", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=140, check=False)
    assert done.returncode == 0, done.stderr
    ours = ("| nezha | suspects |", "| nezha | before a fault |", "nezha ")
    return [line for line in done.stdout.splitlines() if line.startswith(ours)]


@pytest.mark.slow
@pytest.mark.skipif(not real_prometheus.installed(), reason=real_prometheus.WITHOUT_BINARY)
def test_the_cause_is_found_by_way_of_a_real_prometheus_as_without_one(data: Path) -> None:
    by_the_road = printed(data)
    assert by_the_road == [
        "| nezha | suspects | 100 | 100 | 100 | 100 | 1.00 |",
        "| nezha | before a fault | 1 of 1, 100 % |",
        "nezha edges-2023-01-29 cpu_contention: storage at 1; first storage",
    ]
    assert by_the_road == printed(data, "--directly")
