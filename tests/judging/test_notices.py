"""Thresholds in columns are the thresholds of one value; timelines count the notices that graphs show."""

from __future__ import annotations

from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import example, given
from support.recordings import recorded
from support.scrapes import INTERVAL_MS, START_MS, mesh, scrape

from vistio_core.configuration.model import Severity, SeverityThreshold
from vistio_core.configuration.templates import severity_of
from vistio_core.events import Measurement
from vistio_core.graph.model import Notice
from vistio_core.judging.notices import severities

limits = st.sampled_from([0.0, 0.1, 0.2, 0.3])
values = st.one_of(limits, st.floats(0, 1, allow_nan=False))


@given(st.lists(values, max_size=5), limits, limits, limits)
@example([0.2], 0.1, 0.3, 0.2)
def test_severities_of_a_column_are_those_of_each_value(
    column: list[float], info: float, warning: float, error: float
) -> None:
    threshold = SeverityThreshold(info=info, warning=warning, error=error)
    expected = [severity_of(value, threshold) for value in column]
    found = severities(np.array(column, np.float64), threshold).tolist()
    assert [None if number < 0 else Severity(number) for number in found] == expected


@pytest.mark.parametrize("danger_rps", [4e-7, 1e-3])
def test_a_timeline_counts_the_notice_of_an_edge_with_hardly_any_traffic(
    danger_rps: float, tmp_path: Path
) -> None:
    recording = recorded(tmp_path, [scrape(START_MS, {"a>b 200": 9 * danger_rps, "a>b 503": danger_rps})])
    (region,) = recording.graph(at=START_MS).regions
    assert [notice.severity for notice in region.edges[0].notices] == [Severity.WARNING]
    timeline = recording.timeline(START_MS, START_MS + INTERVAL_MS, "10s")
    assert timeline["notices_warning"].to_pylist() == [1]


OF_PROMETHEUS = "http://127.0.0.1:9090/graph?g0.expr="


def _raised(place: Path, link: str = "") -> tuple[Notice, Notice]:
    """The notice of an edge and that of a node; with a ``link``, both rules have it."""
    lines = {
        "statusType: danger": f"statusType: danger\n            link: {link}",
        "query: saturation": f"query: saturation\n        link: {link}",
    }
    configuration = mesh(**lines) if link else mesh()
    full = Measurement("mesh", "saturation", "b", "", "value", 0.9, (("service", "b"),))
    seen = scrape(START_MS, {"a>b 503": 1.0}, configuration=configuration, measurements=[full])
    (region,) = recorded(place, [seen], configurations=[configuration]).graph(at=START_MS).regions
    (edge,) = region.edges
    (of_node,) = (notice for node in region.nodes for notice in node.notices)
    (of_edge,) = edge.notices
    return of_edge, of_node


def test_a_notice_leads_to_its_query_in_prometheus(tmp_path: Path) -> None:
    of_edge, of_node = _raised(tmp_path)
    assert of_edge.link == f"{OF_PROMETHEUS}http_rate"
    assert of_node.link == f"{OF_PROMETHEUS}saturation"


def test_a_notice_leads_to_where_its_rule_says(tmp_path: Path) -> None:
    link = "https://wiki.example/errors"
    assert {notice.link for notice in _raised(tmp_path, link)} == {link}


def test_what_is_measured_of_an_edge_raises_nothing_on_a_node(tmp_path: Path) -> None:
    full = Measurement("mesh", "saturation", "a", "b", "value", 0.97, (("service", "b"),))
    recording = recorded(tmp_path, [scrape(START_MS, {"a>b 200": 1.0}, measurements=[full])])
    (region,) = recording.graph(at=START_MS).regions
    assert [node.notices for node in region.nodes] == [(), ()]
    timeline = recording.timeline(START_MS, START_MS + INTERVAL_MS, "10s")
    assert timeline["notices_error"].to_pylist() == [0]
