"""A past for a real Prometheus: minutes of counters without waiting for them.

A test writes an exposition as a scrape would return it, but with each counter's growth per second
in place of its value. `promtool` makes blocks of it, as users do who import old data.
"""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

STEP_S = 15
"""Between two scrapes: Prometheus' own default is a minute, most meshes' is this."""

_SAMPLE = re.compile(r"(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(?P<labels>.*)\})?[ ]+(?P<rate>[0-9.e+-]+)")
_JOB = re.compile(r'(^|,)job="')
_INSTANCE = re.compile(r'(^|,)instance="')
_TARGET = 'job="mesh"'


def open_metrics(
    exposition: str, *, end_ms: int, duration_s: int, target: str = _TARGET, step_s: int = STEP_S
) -> str:
    """The samples of ``duration_s`` seconds up to ``end_ms``, each series growing as ``exposition`` says.

    Every series gets ``instance`` and the labels of ``target``, unless it has an instance or a job already, as
    scraping adds them. There is ``up``, too: without it, and once Prometheus has tried to scrape something
    today, nothing says that it was collecting then.
    """
    ages_s = range(duration_s, -1, -step_s)
    lines = [f"up{{{target}}} 1 {end_ms / 1000 - age_s:.3f}" for age_s in ages_s]
    for line in exposition.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        sample = _SAMPLE.fullmatch(line)
        assert sample is not None, f"not a line of an exposition: {line}"
        labels = sample["labels"] or ""
        if not _JOB.search(labels):
            labels += f"{',' if labels else ''}{target}"
        if not _INSTANCE.search(labels):
            labels += ',instance="10.0.0.1:15020"'
        # Of a series all samples come together, or promtool refuses them.
        for age_s in ages_s:
            value = float(sample["rate"]) * (duration_s - age_s) + 1000
            lines.append(f"{sample['name']}{{{labels}}} {value!r} {end_ms / 1000 - age_s:.3f}")
    return "\n".join([*lines, "# EOF\n"])


def growth(before: str, after: str, seconds: float) -> str:
    """Two scrapes, ``seconds`` apart, as one exposition with each counter's growth per second."""
    then = dict(
        line.rsplit(" ", 1) for line in before.splitlines() if line.strip() and not line.startswith("#")
    )
    lines = []
    for line in after.splitlines():
        if line.strip() and not line.startswith("#"):
            series, value = line.rsplit(" ", 1)
            lines.append(f"{series} {(float(value) - float(then[series])) / seconds!r}")
    return "\n".join(lines)


def write_blocks(samples: str, directory: Path) -> None:
    """Makes ``directory`` a data directory of Prometheus that holds ``samples`` (OpenMetrics)."""
    directory.mkdir(parents=True, exist_ok=True)
    file = directory.parent / "history.txt"
    file.write_text(samples)
    done = subprocess.run(
        ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(file), str(directory)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
