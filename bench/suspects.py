"""Is the cause of incidents that others published among the first suspects, and is nobody suspected where nothing was?

    python bench/suspects.py DIRECTORY [--quick]

The directory has ``nezha-train-ticket`` and ``petshop``, as their README says. Each becomes a recording by way of a
`Writer`: what a Prometheus' rules would answer, without a Prometheus. Asked is `Recording.suspects` as it is, from the
moment that the data set says on, with the hour before as normal. ``--quick`` leaves out what makes things harder.

Printed are the shares of incidents whose cause is among the first 1, 3 and 5 (AS@k), the mean over k = 1 to 5, and the
mean reciprocal rank; by kind of fault, and for either half of the incidents, which tells how much chance there is.
"""

from __future__ import annotations

import csv
import gzip
import json
import sys
import tempfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import attrs

from vistio_core import Configuration, Recording, loads
from vistio_core.events import Measurement, Outcome, RuleOutcome, Sample, Scrape
from vistio_core.times import HOUR_MS, MINUTE_MS

_ASKED = "query: q, prometheusURL: 'http://127.0.0.1:9090'"
_ENDS = "source: {label: source, class: service}, target: {label: target, class: service}"
_NODE = "service: {label: service, class: service}"
_STATISTICS = {"Average": "mean", "p50": "p50", "p90": "p90", "p95": "p95", "p99": "p99"}
_LATENCIES = "".join(
    f"      - {{name: latency-{each}, measure: latency_{each}_ms, {_ASKED}, {_NODE}}}\n"
    for each in _STATISTICS.values()
)
_TAIL = "globalLevel: {}\nclasses: [{name: service, color: blue}]\n"
NEZHA = loads(f"""\
clusterLevel:
  - cluster: mesh
    serviceConnections:
      - {{name: sent, {_ASKED}, witness: caller, {_ENDS}}}
      - {{name: received, {_ASKED}, witness: called, {_ENDS}}}
    serviceMeasurements:
      - {{name: mean-sent, measure: latency_mean_ms, {_ASKED}, witness: caller, {_ENDS}}}
      - {{name: mean-received, measure: latency_mean_ms, {_ASKED}, witness: called, {_ENDS}}}
{_TAIL}""")
PETSHOP = loads(f"""\
clusterLevel:
  - cluster: mesh
    serviceConnections:
      - {{name: calls, {_ASKED}, {_ENDS}}}
    serviceMeasurements:
      - {{name: requests, measure: requests_rps, {_ASKED}, {_NODE}}}
      - {{name: availability, measure: availability_percent, {_ASKED}, {_NODE}}}
{_LATENCIES}{_TAIL}""")
_NORMAL_HOURS = 2
"""Of PetShop's normal time: how much stands before each incident."""
_SIDES = (("sent", "mean-sent", "caller"), ("received", "mean-received", "callee"))
Values = dict[str, dict[tuple[str, str], float]]
"""Of a node, by metric and statistic."""


@attrs.frozen
class Case:
    """One incident, and where it is recorded."""

    dataset: str
    kind: str
    cause: str
    start_ms: int
    end_ms: int
    place: Path


@attrs.frozen
class Harder:
    """What makes it harder: scrapes that are missing, digits that are, edges that nobody saw."""

    gap_ms: int = 0
    significant_digits: int | None = None
    unseen_share: float = 0.0

    def sees(self, source: str, target: str) -> bool:
        """Whether an edge is seen; which ones are not is always the same."""
        return zlib.crc32(f"{source}>{target}".encode()) % 1000 >= self.unseen_share * 1000


def write(place: Path, configuration: Configuration, scrapes: Iterable[Scrape], harder: Harder) -> None:
    """A recording of some scrapes."""
    recording = Recording.open(place, create=True)
    with recording.writer(significant_digits=harder.significant_digits) as writer:
        writer.put_configuration(configuration)
        for scrape in scrapes:
            writer.commit(scrape)


def scrape_of(
    configuration: Configuration,
    instant_ms: int,
    interval_ms: int,
    samples: list[Sample],
    measurements: list[Measurement],
) -> Scrape:
    outcomes = tuple(RuleOutcome(cluster, rule.id, Outcome.OK) for cluster, rule in configuration.rules())
    return Scrape(instant_ms, interval_ms, configuration.hash, outcomes, samples, tuple(measurements))


def without_gaps(scrapes: Iterable[Scrape], starts_ms: Sequence[int], harder: Harder) -> list[Scrape]:
    """Those that are not in a gap, which begins half a minute after each of some moments."""
    return [
        scrape
        for scrape in scrapes
        if not any(0 <= scrape.instant_ms - start_ms - 30_000 < harder.gap_ms for start_ms in starts_ms)
    ]


def nezha_scrapes(path: Path, harder: Harder) -> Iterator[Scrape]:
    rows = defaultdict(list)
    with gzip.open(path, "rt") as lines:
        for row in csv.DictReader(lines):
            rows[int(row["bucket_s"])].append(row)
    for bucket_s, own in sorted(rows.items()):
        samples, measurements = [], []
        for row in own:
            ends = row["source"], row["target"]
            for rule, mean, side in _SIDES if harder.sees(*ends) else ():
                requests = int(row["requests"])
                mean_ms = float(row[f"{side}_us_sum"]) / requests / 1000
                samples.append(Sample("mesh", rule, *ends, "", requests / 10))
                measurements.append(Measurement("mesh", mean, *ends, "latency_mean_ms", mean_ms))
        yield scrape_of(NEZHA, (bucket_s + 10) * 1000, 10_000, samples, measurements)


def nezha(data: Path, into: Path, harder: Harder) -> list[Case]:
    """Each day is one recording."""
    cases = []
    faults = json.loads((data / "faults.json").read_text())
    for path in sorted(data.glob("edges-*.csv.gz")):
        place = into / path.name.partition(".")[0]
        scrapes = list(nezha_scrapes(path, harder))
        own = []
        for fault in faults:
            at_ms = fault["at_s"] * 1000
            inside = [
                each.instant_ms for each in scrapes if at_ms <= each.instant_ms <= at_ms + 4 * MINUTE_MS
            ]
            if inside:
                own.append(Case("nezha", fault["type"], fault["service"], at_ms, max(inside) + 1, place))
        write(place, NEZHA, without_gaps(scrapes, [case.start_ms for case in own], harder), harder)
        cases += own
    return cases


def petshop_rows(lines: Iterable[str]) -> Iterator[tuple[float, Values]]:
    nodes, metrics, statistics, *rows = csv.reader(lines)
    for row in rows:
        if row and row[0] != "unix_timestamp":
            found: Values = defaultdict(dict)
            columns = list(zip(nodes, metrics, statistics, row, strict=True))
            for node, metric, statistic, text in columns[1:]:
                if text:
                    found[node][metric, statistic] = float(text)
            yield float(row[0]), found


def petshop_scrapes(
    graph: Sequence[tuple[str, str]], rows: Iterable[tuple[float, Values]], harder: Harder
) -> list[Scrape]:
    """One each minute: what comes each five minutes is what a Prometheus answers until the next one comes."""
    found = []
    for at_s, values in rows:
        first = _petshop_scrape(graph, int(at_s) // 10 * 10_000, values, harder)
        found += [
            attrs.evolve(first, instant_ms=first.instant_ms + minute * MINUTE_MS) for minute in range(5)
        ]
    return found


def _petshop_scrape(
    graph: Sequence[tuple[str, str]], instant_ms: int, found: Values, harder: Harder
) -> Scrape:
    """Where a node has several callers, nobody knows which of them called: each made an equal part."""
    samples, measurements = [], []
    for node, values in found.items():
        for (metric, statistic), value in values.items():
            if metric == "requests":
                callers = [source for source, target in graph if target == node]
                samples += [
                    Sample("mesh", "calls", source, node, "", value / 300 / len(callers))
                    for source in callers
                    if value and harder.sees(source, node)
                ]
                told = "requests", "requests_rps", value / 300
            elif metric == "availability":
                told = "availability", "availability_percent", value
            else:
                name = _STATISTICS[statistic]
                told = f"latency-{name}", f"latency_{name}_ms", value * 1000
            measurements.append(Measurement("mesh", told[0], node, "", *told[1:]))
    return scrape_of(PETSHOP, instant_ms, MINUTE_MS, samples, measurements)


def petshop_load(load: Path) -> tuple[list[tuple[str, str]], list[tuple[float, Values]]]:
    """Who calls whom, and the normal time."""
    names, *rows = csv.reader((load / "graph.csv").read_text().splitlines())
    graph = [
        (row[0], name) for row in rows for name, value in zip(names[1:], row[1:], strict=True) if float(value)
    ]
    with gzip.open(load / "normal.csv.gz", "rt") as lines:
        return graph, list(petshop_rows(lines))


def petshop(data: Path, into: Path, harder: Harder) -> list[Case]:
    """Each incident is a recording of its own, moved to right after the normal time."""
    cases = []
    for load in sorted(path for path in data.iterdir() if path.is_dir()):
        graph, normal = petshop_load(load)
        for issue in sorted((load / "incidents").iterdir()):
            steps = list(petshop_rows((issue / "metrics.csv").read_text().splitlines()))
            told = json.loads((issue / "target.json").read_text())
            shift_s = normal[-1][0] + 300 - steps[0][0]
            rows = [*normal[-12 * _NORMAL_HOURS :], *((at_s + shift_s, found) for at_s, found in steps)]
            scrapes = petshop_scrapes(graph, rows, harder)
            place = into / f"{load.name}-{issue.name}"
            start_ms = int((told["target"]["timestamp"] + shift_s) * 1000)
            write(place, PETSHOP, without_gaps(scrapes, [start_ms], harder), harder)
            kind = f"{load.name.partition('_')[0]} {told['target']['metric']}"
            last_ms = scrapes[-1].instant_ms
            cases.append(Case("petshop", kind, told["root_cause"]["node"], start_ms, last_ms + 1, place))
    return cases


Ranking = Callable[[Recording, int, int], list[str]]


def suspects(recording: Recording, start_ms: int, end_ms: int) -> list[str]:
    return recording.suspects(start_ms / 1000, end_ms / 1000).nodes()


def largest_change(recording: Recording, start_ms: int, end_ms: int) -> list[str]:
    before = (start_ms - HOUR_MS) / 1000, start_ms / 1000
    found: list[str] = recording.compare(before, (start_ms / 1000, end_ms / 1000)).nodes["node"].to_pylist()
    return found


def ranks(cases: Sequence[Case], ranking: Ranking, shift_ms: int = 0) -> list[float]:
    """The place of each cause; infinite where it is not named."""
    found = []
    for case in cases:
        nodes = ranking(Recording.open(case.place), case.start_ms + shift_ms, case.end_ms)
        found.append(nodes.index(case.cause) + 1.0 if case.cause in nodes else float("inf"))
    return found


def line(places: Sequence[float]) -> str:
    share = [sum(place <= k for place in places) / len(places) for k in range(1, 6)]
    reciprocal = sum(1 / place for place in places) / len(places)
    return (
        f"{100 * share[0]:4.0f}{100 * share[2]:4.0f}{100 * share[4]:4.0f}"
        f"   Avg@5 {100 * sum(share) / 5:3.0f}   MRR {reciprocal:.2f}"
    )


def show(what: str, cases: Sequence[Case], places: Sequence[float]) -> None:
    for dataset in ("nezha", "petshop"):
        own = [place for case, place in zip(cases, places, strict=True) if case.dataset == dataset]
        print(f"{dataset:8} {what:24} {line(own)}")


def show_kinds(cases: Sequence[Case], places: Sequence[float]) -> None:
    for dataset, kind in sorted({(case.dataset, case.kind) for case in cases}):
        own = [
            p for case, p in zip(cases, places, strict=True) if (case.dataset, case.kind) == (dataset, kind)
        ]
        print(f"{dataset:8}   {kind + f' ({len(own)})':22} {line(own)}")


def show_normal(data: Path, into: Path) -> None:
    """Windows of 15 minutes of PetShop's normal time, each half an hour; and how often nobody is suspected."""
    for load in sorted(path for path in data.iterdir() if path.is_dir()):
        graph, normal = petshop_load(load)
        scrapes = petshop_scrapes(graph, normal, Harder())
        place = into / f"{load.name}-normal"
        write(place, PETSHOP, scrapes, Harder())
        recording = Recording.open(place)
        starts_ms = range(
            scrapes[0].instant_ms + HOUR_MS, scrapes[-1].instant_ms - 15 * MINUTE_MS, 30 * MINUTE_MS
        )
        nobody = [not suspects(recording, start_ms, start_ms + 15 * MINUTE_MS) for start_ms in starts_ms]
        print(f"{load.name}: nobody suspected in {sum(nobody)} of {len(nobody)} normal windows")


def recorded(data: Path, into: Path, harder: Harder) -> list[Case]:
    into.mkdir()
    return [
        *nezha(data / "nezha-train-ticket", into, harder),
        *petshop(data / "petshop", into, harder),
    ]


def main(data: Path, *, quick: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        into = Path(name)
        cases = recorded(data, into / "plain", Harder())
        places = ranks(cases, suspects)
        print("share of causes, %, among the first  1   3   5")
        show("suspects", cases, places)
        show_kinds(cases, places)
        show("every other one", cases[::2], places[::2])
        show("the others", cases[1::2], places[1::2])
        show("largest change first", cases, ranks(cases, largest_change))
        for dataset in ("nezha", "petshop"):
            own = next(case for case in cases if case.dataset == dataset)
            seen = Recording.open(own.place).topology((own.start_ms - HOUR_MS) / 1000, own.end_ms / 1000)
            nodes = len(seen["mesh"].classes)
            print(f"{dataset:8} random order            ", *(f"{100 * k / nodes:.0f}" for k in (1, 3, 5)))
        show_normal(data / "petshop", into)
        if quick:
            return
        show("a minute late", cases, ranks(cases, suspects, 60_000))
        show("a minute early", cases, ranks(cases, suspects, -60_000))
        for what, harder in (
            ("a gap of two minutes", Harder(gap_ms=2 * MINUTE_MS)),
            ("three digits", Harder(significant_digits=3)),
            ("a tenth of edges unseen", Harder(unseen_share=0.1)),
        ):
            other = recorded(data, into / what.replace(" ", "-"), harder)
            show(what, other, ranks(other, suspects))


if __name__ == "__main__":
    main(Path(sys.argv[1]), quick="--quick" in sys.argv)
