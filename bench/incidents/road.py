"""The product's own road: from an exposition to a recording, by way of a real Prometheus and `vistio-record backfill`.

    Series > OpenMetrics > promtool > blocks > prometheus > vistio-record backfill > recording

What was scraped becomes blocks of a data directory, as users do who import old data; a Prometheus on the loopback
serves them, and the recorder asks it for every instant. All but the recording goes away afterwards.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from incidents.stories import Harder, Series, Story

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from support.ports import free_port
from support.processes import RunningProcess, console_script

MISSING = [name for name in ("prometheus", "promtool") if shutil.which(name) is None]
"""What this needs and is not installed."""
_PATIENCE_S = 1_800.0
"""For each of its steps: the longest, two days of PetShop, takes a minute where nothing else runs."""


def record(story: Story, into: Path, harder: Harder) -> Path:
    """The recording of a story, made in ``into``.

    Raises:
        RuntimeError: promtool or `vistio-record` refused; with what it said.
    """
    place = into / story.name
    with tempfile.TemporaryDirectory(dir=into) as name:
        work = Path(name)
        text = work / "exposition.om"
        with text.open("w") as file:
            file.writelines(open_metrics(story.exposed()))
        # Without the longer blocks promtool reads the text once for each two hours.
        _run(
            "promtool", "tsdb", "create-blocks-from", "--max-block-duration=64h",
            "openmetrics", str(text), str(work / "data"),
        )  # fmt: skip
        text.unlink()
        with _prometheus(work, story.interval_ms) as url:
            digits = harder.significant_digits
            _run(
                console_script("vistio-record"), "backfill", "--config", str(story.configuration),
                "--prometheus", url, "--recording", str(place), "--interval", f"{story.interval_ms}ms",
                "--start", str(story.span_ms[0]), "--end", str(story.span_ms[1]),
                *(() if digits is None else ("--significant-digits", str(digits))),
            )  # fmt: skip
    return place


def open_metrics(all_series: Iterable[Series]) -> Iterator[str]:
    """OpenMetrics text with time stamps, all samples of a series together."""
    for series in all_series:
        labels = ",".join(f'{name}="{_escaped(value)}"' for name, value in series.labels.items())
        for at_ms, value in series.points:
            yield f"{series.metric}{{{labels}}} {value!r} {at_ms / 1000:.3f}\n"
    yield "# EOF\n"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


@contextmanager
def _prometheus(work: Path, interval_ms: int) -> Iterator[str]:
    """Its address, while it serves the blocks in ``work``."""
    configuration = work / "prometheus.yml"
    configuration.write_text("{}\n")
    url = f"http://127.0.0.1:{free_port()}"
    process = RunningProcess(
        [
            "prometheus",
            f"--config.file={configuration}",
            f"--storage.tsdb.path={work / 'data'}",
            "--storage.tsdb.retention.time=100y",
            # A series that ends is marked so where Prometheus scrapes it, and in no block that promtool makes: a
            # value must not be seen for longer than until the next scrape.
            f"--query.lookback-delta={interval_ms - 1}ms",
            f"--web.listen-address={url.removeprefix('http://')}",
        ]
    )
    try:
        process.wait_for_url(f"{url}/-/ready")
        yield url
    finally:
        process.kill()


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_S, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}{done.stdout}")
