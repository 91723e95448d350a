"""PetShop: numbers of five minutes about each node, and who calls whom. Pure.

    microservice,PetSite,PetSite,payforadoption,...
    metric,latency,requests,latency,...
    statistic,Average,Sum,p90,...
    unix_timestamp,,,,...
    1693922400.0,0.1028,1312.0,0.0351,...

What is told of five minutes is exposed at each scrape of them. Where a node has several callers, nobody knows which of
them called: each made an equal part. An incident lies months before the normal time, so it is moved to right behind it.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from incidents.stories import Harder, Question, Series, Story
from vistio_core.configuration import Configuration
from vistio_core.events import Measurement, Outcome, RuleOutcome, Sample, Scrape
from vistio_core.times import HOUR_MS, MINUTE_MS

SCRAPES_MS = MINUTE_MS
STEP_MS = 5 * MINUTE_MS
NORMAL_STEPS = 2 * HOUR_MS // STEP_MS
"""How much of the normal time stands before each incident."""
NORMAL_WINDOW_MS, NORMAL_EACH_MS = 15 * MINUTE_MS, 30 * MINUTE_MS
"""How long normal windows are, and how far apart they begin."""
_CONFIGURATION = Path(__file__).with_name("petshop.yaml")
_RULES = {
    "requests_sum": ("requests", "requests_rps", 1 / 300),
    "availability_average": ("availability", "availability_percent", 1),
    "latency_average": ("latency-mean", "latency_mean_ms", 1000),
    "latency_p50": ("latency-p50", "latency_p50_ms", 1000),
    "latency_p90": ("latency-p90", "latency_p90_ms", 1000),
    "latency_p95": ("latency-p95", "latency_p95_ms", 1000),
    "latency_p99": ("latency-p99", "latency_p99_ms", 1000),
}
"""What `petshop.yaml` makes of each metric: for `told`."""


class Row(NamedTuple):
    """One value: of a node, or where there is a source, of an edge."""

    metric: str
    node: str
    source: str | None
    value: float


Graph = Sequence[tuple[str, str]]
Steps = Mapping[int, Sequence[Row]]
"""By when they begin, in milliseconds, ascending."""


def stories(data: Path, harder: Harder) -> Iterator[Story]:
    """Each incident is one; and where nothing makes it harder, so is the whole normal time of each load."""
    for load in sorted(path for path in data.iterdir() if path.is_dir()):
        graph = read_graph((load / "graph.csv").read_text().splitlines())
        with gzip.open(load / "normal.csv.gz", "rt") as lines:
            normal = read(lines)
        kept = list(normal)[-NORMAL_STEPS:]
        for issue in sorted((load / "incidents").iterdir()):
            found = json.loads((issue / "target.json").read_text())
            symptom = found["target"]
            steps = read((issue / "metrics.csv").read_text().splitlines())
            shift_ms = kept[-1] + STEP_MS - next(iter(steps))
            both = {at: normal[at] for at in kept} | {at + shift_ms: steps[at] for at in steps}
            start_ms, end_ms = int(symptom["timestamp"] * 1000) + shift_ms, max(both) + STEP_MS
            kind = f"{load.name.partition('_')[0]} {symptom['metric']}"
            question = Question(kind, found["root_cause"]["node"], start_ms, end_ms)
            yield _story(f"{load.name}-{issue.name}", [question], graph, both, harder)
        if harder == Harder():
            yield _story(f"{load.name}-normal", _normal_windows(load.name, normal), graph, normal, harder)


def _normal_windows(load: str, normal: Steps) -> list[Question]:
    first_ms, last_ms = min(normal) + HOUR_MS, max(normal) + STEP_MS - NORMAL_WINDOW_MS
    starts = range(first_ms, last_ms, NORMAL_EACH_MS)
    return [Question(load.partition("_")[0], None, start, start + NORMAL_WINDOW_MS) for start in starts]


def _story(name: str, questions: Sequence[Question], graph: Graph, steps: Steps, harder: Harder) -> Story:
    faults_ms = [question.start_ms for question in questions]
    known = {at: [*_calls(graph, rows, harder), *rows] for at, rows in steps.items()}
    scrapes = {
        at + minute * SCRAPES_MS: rows
        for at, rows in known.items()
        for minute in range(STEP_MS // SCRAPES_MS)
        if harder.scraped(at + minute * SCRAPES_MS, faults_ms)
    }
    return Story(
        "petshop",
        name,
        _CONFIGURATION,
        SCRAPES_MS,
        (min(scrapes), max(scrapes) + 1),
        tuple(questions),
        partial(exposed, scrapes),
        partial(told, scrapes),
    )


def read_graph(lines: Iterable[str]) -> Graph:
    """Who calls whom: source and target."""
    names, *rows = csv.reader(lines)
    return [
        (row[0], name) for row in rows for name, value in zip(names[1:], row[1:], strict=True) if float(value)
    ]


def read(lines: Iterable[str]) -> Steps:
    """What was measured of nodes; a cell without a number is not there."""
    nodes, metrics, statistics, *rows = csv.reader(lines)
    heads = list(zip(nodes, metrics, statistics, strict=True))[1:]
    return {
        int(float(row[0])) * 1000: [
            Row(f"{metric}_{statistic}".lower(), node, None, float(text))
            for (node, metric, statistic), text in zip(heads, row[1:], strict=True)
            if text
        ]
        for row in rows
        if row and row[0] != "unix_timestamp"
    }


def _calls(graph: Graph, rows: Iterable[Row], harder: Harder) -> Iterator[Row]:
    for row in rows:
        if row.metric == "requests_sum":
            callers = [source for source, target in graph if target == row.node]
            for source in callers:
                if harder.sees(source, row.node):
                    yield Row("calls_sum", row.node, source, row.value / len(callers))


def exposed(scrapes: Steps) -> Iterator[Series]:
    """Gauges, and `up`."""
    yield Series("up", {"job": "cloudwatch"}, [(at_ms, 1.0) for at_ms in scrapes])
    points: dict[tuple[str, str, str | None], list[tuple[int, float]]] = defaultdict(list)
    for at_ms, rows in scrapes.items():
        for row in rows:
            points[row.metric, row.node, row.source].append((at_ms, row.value))
    for (metric, node, source), own in points.items():
        yield Series(metric, {"service": node} if source is None else {"source": source, "target": node}, own)


def told(scrapes: Steps, configuration: Configuration) -> Iterator[Scrape]:
    """Each scrape by itself."""
    outcomes = tuple(RuleOutcome(cluster, rule.id, Outcome.OK) for cluster, rule in configuration.rules())
    for at_ms, rows in scrapes.items():
        samples, measurements = [], []
        for row in rows:
            if row.source is None:
                rule, measure, factor = _RULES[row.metric]
                measurements.append(Measurement("mesh", rule, row.node, "", measure, row.value * factor))
            elif row.value:
                samples.append(Sample("mesh", "calls", row.source, row.node, "", row.value / 300))
        yield Scrape(at_ms, SCRAPES_MS, configuration.hash, outcomes, samples, tuple(measurements))
