"""The minutes of an hour's subjects: the sums of their rates, and the most that one instant had of the rest."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from support.rows import Row, judged
from support.scrapes import START_MS, mesh

from vistio_core.judging import minutes
from vistio_core.judging.minutes import MINUTES, HourOfMinutes, SubjectKey, Whose, totals_by_minute
from vistio_core.judging.subject import Subject
from vistio_core.judging.totals import TOTALS
from vistio_core.times import MINUTE_MS


def http(at_s: int, source: str, target: str, rate: float, status: str = "200", rule: str = "http") -> Row:
    return START_MS + at_s * 1000, "mesh", rule, source, target, status, rate


SAMPLES = {
    "west": [
        http(0, "cart", "db", 0.25, rule="grpc"),
        http(0, "cart", "db", 5.0),
        http(10, "cart", "db", 7.0),
        http(10, "cart", "db", 1.0, "503"),
        http(60, "cart", "web", 0.5),
        http(70, "cart", "db", 1.0),
        http(70, "cart", "web", 0.5),
        http(70, "db", "db", 2.0, "404"),
        (START_MS + 3_599_000, "", "ingress", "INTERNET", "mesh", "200", 3.0),
    ],
    "east": [http(120, "cart", "web", 9.0)],
}
MEASURED = {
    "west": [
        (START_MS, "db", 0.96),
        (START_MS + 10_000, "cart", 0.99),
        (START_MS + 10_000, "db", 0.85),
        (START_MS + 180_000, "idle", 0.8),
    ]
}
Values = dict[int, list[int]]
"""By minute: normal, warning and danger in thousandths, then edges, and notices by severity."""
CART_DB: Values = {0: [12_250, 0, 1000, 1, 0, 1, 0], 1: [1000, 0, 0, 1, 0, 0, 0]}
DB_DB: Values = {1: [0, 2000, 0, 1, 0, 0, 0]}
CART_WEB: Values = {1: [1000, 0, 0, 1, 0, 0, 0]}
FROM_CART: Values = {0: CART_DB[0], 1: [2000, 0, 0, 2, 0, 0, 0]}
INGRESS: Values = {59: [3000, 0, 0, 1, 0, 0, 0]}
EAST: Values = {2: [9000, 0, 0, 1, 0, 0, 0]}
TO_DB: Values = {0: CART_DB[0], 1: [1000, 2000, 0, 2, 0, 0, 0]}
EXPECTED: dict[tuple[str, ...], Values] = {
    ("edge", "INTERNET", "mesh", "", "west"): INGRESS,
    ("edge", "cart", "db", "mesh", "west"): CART_DB,
    ("edge", "cart", "web", "mesh", "east"): EAST,
    ("edge", "cart", "web", "mesh", "west"): CART_WEB,
    ("edge", "db", "db", "mesh", "west"): DB_DB,
    ("from", "INTERNET", "", "", "west"): INGRESS,
    ("from", "cart", "", "mesh", "east"): EAST,
    ("from", "cart", "", "mesh", "west"): FROM_CART,
    ("from", "db", "", "mesh", "west"): DB_DB,
    ("node", "INTERNET", "", "", "west"): INGRESS,
    ("node", "cart", "", "mesh", "east"): EAST,
    # Notices of edges and of the node itself; the most of each that one instant had.
    ("node", "cart", "", "mesh", "west"): {0: [12_250, 0, 1000, 1, 0, 1, 1], 1: FROM_CART[1]},
    # Its edge to itself counts once.
    ("node", "db", "", "mesh", "west"): {0: [12_250, 0, 1000, 1, 0, 2, 1], 1: TO_DB[1]},
    ("node", "idle", "", "mesh", "west"): {3: [0, 0, 0, 0, 0, 1, 0]},
    ("node", "mesh", "", "", "west"): INGRESS,
    ("node", "web", "", "mesh", "east"): EAST,
    ("node", "web", "", "mesh", "west"): CART_WEB,
    ("to", "", "db", "mesh", "west"): TO_DB,
    ("to", "", "mesh", "", "west"): INGRESS,
    ("to", "", "web", "mesh", "east"): EAST,
    ("to", "", "web", "mesh", "west"): CART_WEB,
}


@pytest.mark.parametrize("at_once", [1, 2, 512])
@pytest.mark.parametrize("piece_minutes", [1, 2, 60])
def test_a_subject_has_its_sums_and_the_most_of_its_counts_by_minute(
    at_once: int, piece_minutes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(minutes, "_AT_ONCE", at_once)
    judge, edges, notices = judged(mesh(), SAMPLES, MEASURED)
    hour = HourOfMinutes(judge, START_MS)
    for start_ms in range(START_MS, START_MS + 60 * MINUTE_MS, piece_minutes * MINUTE_MS):
        end_ms = start_ms + piece_minutes * MINUTE_MS
        own = [(start_ms <= part.instant_ms) & (part.instant_ms < end_ms) for part in (edges, notices)]
        hour.add(edges.where(own[0]), notices.where(own[1]))
    found = list(hour.subjects())
    assert [(key.kind, key.source, key.target, key.cluster, key.writer) for key, _ in found] == list(EXPECTED)
    for (_, values), expected in zip(found, EXPECTED.values(), strict=True):
        assert values.shape == (7, MINUTES)
        assert values.dtype == np.int64
        seen = np.flatnonzero(values.any(axis=0)).tolist()
        assert {minute: _told(values[:, minute]) for minute in seen} == expected


def _told(values: Any) -> list[int]:
    return [*(values[:3] // 1000).tolist(), *values[3:].tolist()]


def test_minutes_are_totals_at_their_starts() -> None:
    values = np.arange(7 * MINUTES).reshape(7, MINUTES)
    found = totals_by_minute(START_MS, Whose("mesh", "west"), values, np.array([0, 2]))
    assert found.schema == TOTALS
    assert [tuple(row.values()) for row in found.to_pylist()] == [
        (
            START_MS + minute * MINUTE_MS,
            "west",
            "mesh",
            *(Decimal(minute + MINUTES * kind).scaleb(-6) for kind in range(3)),
            *(minute + MINUTES * kind for kind in range(3, 7)),
        )
        for minute in (0, 2)
    ]


@pytest.mark.parametrize(
    ("subject", "key"),
    [
        (Subject(node="a"), SubjectKey("node", "a", "")),
        (Subject(node="a", cluster="mesh"), SubjectKey("node", "a", "")),
        (Subject(source="a", target="b"), SubjectKey("edge", "a", "b")),
        (Subject(source="a"), SubjectKey("from", "a", "")),
        (Subject(target="b"), SubjectKey("to", "", "b")),
        (Subject(node="a", source="a"), None),
        (Subject(node="a", target="b"), None),
        (Subject(cluster="mesh"), None),
    ],
)
def test_an_edge_a_node_and_all_from_or_to_a_node_have_minutes(
    subject: Subject, key: SubjectKey | None
) -> None:
    assert SubjectKey.of(subject) == key
