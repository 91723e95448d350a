"""How does the cost of a question grow with the number of edges, and with the length of history? Two plots.

    python bench/growth.py --plots docs

Beside each other, as limits: reading the same hour's bytes from the disk's cache, and DuckDB's bare sum of its rates.
Recordings are made as in `timeline.py`. Medians; logarithmic axes, where a straight line of slope one is "twice as
much, twice as long" and a flat one is "whatever there is".
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import click
import matplotlib as mpl
from matplotlib.figure import Figure
from timeline import replicate, timed, write_hour
from workload import START_MS, Mesh

from vistio_core import Recording
from vistio_core.storage.local_store import LocalStore
from vistio_core.times import HOUR_MS, format_instant

mpl.use("svg")
# The same numbers give the same file.
mpl.rcParams.update(
    {"svg.hashsalt": "vistio", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9}
)
STYLES = {"read the bytes": ":", "DuckDB's bare sum": "--"}
"""Of the limits; answers are drawn solid."""


class Scene:
    """A recording of so many edges and hours; its length may grow."""

    def __init__(self, place: Path, edges: int) -> None:
        self._place = place
        self.mesh = Mesh(edges)
        self.hours = 1
        self._recording = Recording.open(place, create=True, clock=lambda: START_MS + 1000 * HOUR_MS)
        self._store = LocalStore(place)
        self._first = write_hour(self._store, self.mesh)
        with self._recording.writer() as writer:
            writer.put_configuration(self.mesh.configuration)
            writer.seal(START_MS + HOUR_MS)

    def grow(self, hours: int) -> None:
        replicate(self._place, self._store, self._first, hours, start=self.hours)
        self.hours = hours

    def measure(self, rounds: int) -> dict[str, float]:
        """What is asked, and limits, to milliseconds."""
        end_ms = START_MS + self.hours * HOUR_MS
        step = f"{max(10, self.hours * 12 // 60 * 60)}s"
        # Hours after the first are only listed, and known by their rollups: instants are those of the first.
        instant_ms = START_MS + 600_000
        source, target, _ = self.mesh.edges[len(self.mesh.edges) // 2]
        edge = {"cluster": "mesh", "source": source, "target": target}
        moments = format_instant(instant_ms), format_instant(instant_ms + 600_000)
        file, session = self._place / self._first.text, self._recording._session
        found = {
            "graph of an instant": timed(lambda: self._recording.graph(instant_ms), rounds),
            "timeline of all": timed(lambda: self._recording.timeline(START_MS, end_ms, step), rounds),
            "comparison": timed(lambda: self._recording.compare(*moments), rounds),
            "read the bytes": timed(file.read_bytes, rounds),
            "DuckDB's bare sum": timed(
                lambda: session.table("select sum(rate) from samples", [str(file)]), rounds
            ),
        }
        if not self.hours % 24:
            found["timeline of one edge"] = timed(
                lambda: self._recording.timeline(START_MS, end_ms, step, **edge), rounds
            )
        return found


def draw(path: Path, title: str, label: str, measured: dict[int, dict[str, float]]) -> None:
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.subplots()
    for name in sorted({name for found in measured.values() for name in found}):
        points = [(at, found[name]) for at, found in measured.items() if name in found]
        axes.plot(*zip(*points, strict=True), STYLES.get(name, "-"), marker=".", label=name)
    axes.set(xscale="log", yscale="log", title=title, xlabel=label, ylabel="median, ms")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7, frameon=False)
    figure.savefig(path, format="svg", metadata={"Date": None})


@click.command()
@click.option("--plots", type=click.Path(path_type=Path), help="Folder for the two plots.")
@click.option("--rounds", default=5, show_default=True, help="Timed calls of each kind.")
def main(plots: Path | None, rounds: int) -> None:
    by_edges: dict[int, dict[str, float]] = {}
    by_hours: dict[int, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(dir=os.environ.get("VISTIO_BENCH_DIR")) as folder:
        for edges in (100, 1_000, 10_000):
            by_edges[edges] = Scene(Path(folder) / str(edges), edges).measure(rounds)
        scene = Scene(Path(folder) / "history", 1_000)
        for hours in (1, 24, 72, 168):
            scene.grow(hours)
            by_hours[hours] = scene.measure(rounds)
    for measured, of in ((by_edges, "edges, one hour of them"), (by_hours, "hours of 1,000 edges")):
        for number, found in measured.items():
            print(f"{number:,} {of}: " + ", ".join(f"{name} {ms:.1f} ms" for name, ms in found.items()))
    if plots is not None:
        draw(plots / "growth-edges.svg", "One hour, three statuses an edge, 10 s", "edges", by_edges)
        draw(
            plots / "growth-history.svg", "1,000 edges, limits are of one hour", "hours of history", by_hours
        )


if __name__ == "__main__":
    main()
