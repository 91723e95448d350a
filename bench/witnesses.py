"""What does the second witness of each request cost: a commit, bytes, a graph?

    python bench/witnesses.py                              # 1,000 and 10,000 edges, two hours
    python bench/witnesses.py --edges 1000 --hours 1 --rounds 20

The same mesh three times. *One*: one report of each request, by a rule without `witness`. *Alike*: both ends report
it, and agree to the last digit. *Apart*: both ends are scraped at different moments, so that their rates differ by up
to 5 %. Three statuses an edge, a 10 s interval. A commit is durable (fsync); a graph is of a random instant, as
Vizceral JSON bytes, of a recording that is open. Bytes are those of a commit in the head, and those an instant in
sealed hours. Behind each median is its ratio to the one of *one*, of the same run.
"""

from __future__ import annotations

import random
import statistics
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import click
from log_and_graph import milliseconds, prepare_collector
from workload import CONFIGURATION, START_MS, Mesh, instants, record

from vistio_core import Recording, frontends, loads
from vistio_core.events import RuleOutcome, Sample, Scrape

_RULE = "      - name: http\n"
_HTTP = CONFIGURATION[CONFIGURATION.index(_RULE) :]
_SENT = "http-caller"
TWO = CONFIGURATION.replace(_RULE, f"{_RULE}        witness: called\n") + _HTTP.replace(
    _RULE, f"      - name: {_SENT}\n        witness: caller\n"
)


class Witnessed(Mesh):
    """A mesh of which both ends report each request."""

    def __init__(self, edges: int, apart: float) -> None:
        """As `Mesh`; what the callers say differs by up to ``apart``, a share."""
        super().__init__(edges)
        self.configuration = loads(TWO)
        self._apart = apart

    def scrape(self, instant_ms: int) -> Scrape:
        one = super().scrape(instant_ms)
        vary = random.Random(instant_ms + 1)
        sent = [
            Sample("mesh", _SENT, each.source, each.target, each.status, each.rate * self._differs(vary))
            for each in one.samples
            if each.rule == "http"
        ]
        outcomes = *one.outcomes, RuleOutcome("mesh", _SENT, "ok", series=len(sent), duration_ms=40.0)
        return Scrape(instant_ms, one.interval_ms, one.configuration, outcomes, (*one.samples, *sent))

    def _differs(self, vary: random.Random) -> float:
        return vary.uniform(1 - self._apart, 1 + self._apart) if self._apart else 1.0


Measured = dict[str, float]


def measure(mesh: Mesh, folder: Path, hours: int, rounds: int) -> Measured:
    """Medians in milliseconds, and bytes."""
    scrapes = [mesh.scrape(START_MS + index * 10_000) for index in range(rounds)]
    with Recording.open(folder / "commits", create=True).writer() as writer:
        writer.put_configuration(mesh.configuration)
        committed = milliseconds((lambda s=s: writer.commit(s)) for s in scrapes)
    head = [file.stat().st_size for file in (folder / "commits" / "head").iterdir()]
    recording = record(folder / "recording", mesh, hours)
    asked = random.Random(1).sample(list(instants(hours)), rounds)
    vizceral = frontends.get("vizceral")
    prepare_collector()
    graphs: Iterable[Callable[[], object]] = (
        (lambda t=t: vizceral.render(recording.graph(t), {})) for t in asked
    )
    return {
        "commit, ms": statistics.median(committed),
        "bytes a commit": statistics.median(head),
        "bytes an instant, sealed": recording.info().log_bytes / len(instants(hours)),
        "graph to JSON, ms": statistics.median(milliseconds(graphs)),
    }


@click.command()
@click.option("--edges", multiple=True, type=int, default=(1_000, 10_000), show_default=True)
@click.option("--hours", default=2, show_default=True, help="Length of each recording.")
@click.option(
    "--rounds", default=50, show_default=True, help="Timed calls of each kind; at most 360 an hour."
)
def main(edges: tuple[int, ...], hours: int, rounds: int) -> None:
    prepare_collector()
    for count in edges:
        meshes = {"one": Mesh(count), "alike": Witnessed(count, 0.0), "apart": Witnessed(count, 0.05)}
        print(f"{count:,} edges, {3 * count:,} samples an instant and witness, {hours} h", flush=True)
        found: dict[str, Measured] = {}
        for name, mesh in meshes.items():
            with tempfile.TemporaryDirectory() as folder:
                found[name] = measure(mesh, Path(folder), hours, rounds)
        for what, one in found["one"].items():
            others = "".join(
                f"   {name} {found[name][what]:>11,.2f} ({found[name][what] / one:4.2f})"
                for name in ("alike", "apart")
            )
            print(f"  {what:<26} one {one:>11,.2f}{others}", flush=True)


if __name__ == "__main__":
    main()
