"""/timeline, /diff and /annotations."""

from __future__ import annotations

from typing import Any

import pytest
from support.scrapes import INTERVAL_MS, START_MS, mesh, scrape
from werkzeug.test import Client

import vistio_core as vistio
from serve.conftest import AFTER_GAP_MS, NEWEST_MS, Clock
from vistio_core.times import DAY_MS, HOUR_MS, MINUTE_MS, format_instant


def get(client: Client, path: str, **query: str) -> dict[str, Any]:
    response = client.get(path, query_string=query)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.get_json()
    return found


def test_a_timeline_without_a_window_is_of_the_whole_recording(client: Client) -> None:
    found = get(client, "/timeline")
    assert (found["start"], found["step_ms"]) == (format_instant(START_MS), 10_000)
    steps = found["steps"]
    assert {len(column) for column in steps.values()} == {len(steps["start_ms"])}
    assert set(steps) == {
        *("start_ms", "normal", "warning", "danger", "edges", "instants", "missing"),
        *("notices_info", "notices_warning", "notices_error"),
        *("known_normal", "known_warning", "known_danger", "unseen"),
    }
    assert steps["start_ms"][0] == START_MS
    assert steps["start_ms"][-1] <= NEWEST_MS < steps["start_ms"][-1] + found["step_ms"]
    assert (steps["normal"][:2], steps["normal"][6]) == ([13.0, 26.0], None)
    assert steps["notices_error"][0] == 1
    assert [gap["reason"].partition(":")[0] for gap in found["gaps"]] == [
        "not seen",
        "not seen",
        "not running",
    ]


@pytest.mark.parametrize(
    ("query", "normal", "edges"),
    [
        ({"level": "global"}, 10.0, 1),
        ({"cluster": "mesh"}, 3.0, 2),
        ({"cluster": "mesh", "node": "cart"}, 3.0, 2),
        ({"source": "front", "target": "cart"}, 1.0, 1),
    ],
)
def test_a_timeline_can_be_of_a_level_a_node_or_an_edge(
    client: Client, query: dict[str, str], normal: float, edges: int
) -> None:
    steps = get(client, "/timeline", end=format_instant(START_MS + INTERVAL_MS), step="10s", **query)["steps"]
    assert (steps["normal"], steps["edges"]) == ([normal], [edges])


def test_steps_begin_at_whole_steps_and_are_a_few_hundred(client: Client) -> None:
    for length_ms in (30 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS, DAY_MS, 7 * DAY_MS, 90 * DAY_MS):
        start = format_instant(NEWEST_MS - length_ms)
        found = get(client, "/timeline", start=start, end=format_instant(NEWEST_MS))
        starts = found["steps"]["start_ms"]
        assert 100 <= len(starts) <= 401
        assert {start % found["step_ms"] for start in starts} == {0}


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("start=-1m&end=-2m", "start"),
        ("step=0s", "step"),
        ("step=often", "step"),
        ("start=-7d&end=now&step=1s", "step"),
        ("level=mesh", "level"),
        ("level=global&cluster=mesh", "level"),
        ("nodes=cart", "nodes"),
    ],
)
def test_a_timeline_that_cannot_be_is_refused_with_what_would_work(
    client: Client, query: str, parameter: str
) -> None:
    response = client.get(f"/timeline?{query}")
    assert response.status_code == 400
    assert response.get_json()["parameter"] == parameter
    assert client.get("/timeline?start=x").status_code == 400


def test_a_timeline_is_revalidated_and_changes_with_a_commit(client: Client) -> None:
    first = client.get("/timeline")
    assert first.headers["Cache-Control"] == "no-cache"
    again = client.get("/timeline", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304


def test_diff_ranks_what_changed_between_two_instants(client: Client) -> None:
    before, after = format_instant(START_MS), format_instant(AFTER_GAP_MS)
    found = get(client, "/diff", before=before, after=after)
    assert found["before"] == {"start": before, "end": before, "instants": 1, "significant_digits": None}
    assert [(each["cluster"], each["source"], each["target"]) for each in found["edges"]] == [
        ("", "INTERNET", "mesh"),
        ("mesh", "cart", "database"),
        ("mesh", "front", "cart"),
    ]
    assert found["edges"][0]["before"] == {"normal": 10.0, "warning": 0.0, "danger": 1.0}
    assert found["edges"][0]["change_rps"] == 209.0
    assert (found["changed_edges"], found["changed_nodes"]) == (3, 5)
    assert len(get(client, "/diff", before=before, after=after, limit="1")["nodes"]) == 1


def test_diff_says_of_what_was_not_seen_that_it_was_not_seen(client: Client) -> None:
    later = format_instant(START_MS + 70_000)  # the rule of the inside was not answered
    found = get(client, "/diff", before=format_instant(START_MS), after=later)
    unseen = [each for each in found["edges"] if each["change"] == "unseen"]
    assert [(each["source"], each["after"]) for each in unseen] == [("cart", None), ("front", None)]
    assert {tuple(each["after_unseen"]) for each in unseen} == {("mesh/http",)}
    assert not [each for each in found["edges"] if each["change"] in ("new", "gone")]
    back = get(client, "/diff", before=later, after=format_instant(START_MS))
    assert {each["change"] for each in back["nodes"] if each["cluster"] == "mesh"} == {"unseen"}
    assert {each["before"] for each in back["nodes"] if each["cluster"] == "mesh"} == {None}


def test_diff_says_to_how_many_digits_a_side_was_rounded(client: Client, recorded: vistio.Recording) -> None:
    before, after = format_instant(START_MS), format_instant(NEWEST_MS + INTERVAL_MS)
    with recorded.writer(significant_digits=3) as writer:
        writer.put_configuration(mesh())
        writer.commit(scrape(NEWEST_MS + INTERVAL_MS, {"a>b 200": 1234.5}))
    found = get(client, "/diff", before=before, after=after)
    assert (found["before"]["significant_digits"], found["after"]["significant_digits"]) == (None, 3)


def test_diff_takes_windows_and_relative_ones(client: Client) -> None:
    window = f"{format_instant(START_MS)}/{format_instant(START_MS + MINUTE_MS)}"
    found = get(client, "/diff", before=window, after="-20s/now")
    assert (found["before"]["instants"], found["after"]["instants"]) == (6, 2)
    assert found["edges"][0]["before"]["normal"] == 35.0
    assert found["edges"][0]["after"]["normal"] == 205.0


@pytest.mark.parametrize(
    "query", ["before=x", "before=a/b/c", "after=-1m/", "before=-1m/-2m", "limit=0", "limit=ten"]
)
def test_a_diff_that_cannot_be_is_refused(client: Client, query: str) -> None:
    response = client.get(f"/diff?{query}")
    assert response.status_code == 400
    assert response.content_type == "application/problem+json"


def test_a_diff_of_nothing_names_the_nearest_instants(client: Client) -> None:
    response = client.get("/diff?before=2026-11-23T04:00:00Z&after=now")
    assert response.status_code == 404
    assert response.get_json()["after"] == format_instant(START_MS)
    assert client.get("/diff?before=-11h/-10h").status_code == 404


def test_only_a_diff_of_settled_instants_may_be_kept(client: Client, clock: Clock) -> None:
    fixed = f"/diff?before={format_instant(START_MS)}&after={format_instant(START_MS + INTERVAL_MS)}"
    failed = f"/diff?before={format_instant(START_MS)}&after={format_instant(START_MS + 70_000)}"
    assert client.get(fixed).headers["Cache-Control"] == "no-cache"
    clock.now_ms += 2 * HOUR_MS
    assert client.get(failed).headers["Cache-Control"] == "no-cache"


def test_a_settled_diff_may_be_kept(client: Client, clock: Clock) -> None:
    clock.now_ms += 2 * HOUR_MS
    fixed = f"/diff?before={format_instant(START_MS)}&after={format_instant(START_MS + INTERVAL_MS)}"
    assert client.get(fixed).headers["Cache-Control"] == "public, max-age=86400"


def test_annotations_of_a_window(client: Client, recorded: vistio.Recording) -> None:
    mark = vistio.Annotation(
        START_MS, "cart 2.1", "deployment", cluster="mesh", node="cart", tags={"by": "ci"}
    )
    id = recorded.annotate(mark)
    recorded.annotate(vistio.Annotation(NEWEST_MS, "later"))
    window = {"start": format_instant(START_MS), "end": format_instant(START_MS + 1000)}
    assert get(client, "/annotations", **window)["annotations"] == [
        {
            "id": id,
            "start": format_instant(START_MS),
            "end": None,
            "kind": "deployment",
            "text": "cart 2.1",
            "cluster": "mesh",
            "node": "cart",
            "link": "",
            "tags": {"by": "ci"},
        }
    ]
    assert [each["text"] for each in get(client, "/annotations")["annotations"]] == ["cart 2.1", "later"]
    assert client.get("/annotations?start=-1m&end=-2m").status_code == 400
