"""A mesh of 400 services: groups, the first ones, and what is said of the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from support.processes import RunningProcess, console_script

from vistio_core.times import format_instant
from web import big_mesh
from web.conftest import OpenUi
from web.ui import Ui

pytestmark = pytest.mark.timeout(180)

DRAWN = "vistio.inspect().nodes.filter((name) => name !== 'no-caller-seen')"


@pytest.fixture(scope="module")
def big(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The URL of a server of such a recording, and the fragment of its newest instant."""
    recording_dir = tmp_path_factory.mktemp("big") / "recording"
    newest_ms = big_mesh.record(recording_dir)
    process = RunningProcess(
        [console_script("vistio-serve"), "--port", "0", "--recording", str(recording_dir)]
    )
    try:
        yield process.wait_for_line(r"open (http://\S+)").group(1), f"at={format_instant(newest_ms)}"
        process.terminate()
    finally:
        process.kill()


def note(ui: Ui) -> str:
    return ui.page.locator(".crowd-note p").text_content() or ""


def test_a_big_mesh_is_drawn_in_groups_that_can_be_opened_searched_and_filtered(
    big: tuple[str, str], open_ui: OpenUi
) -> None:
    url, at = big
    ui = open_ui(url, f"#/mesh?{at}")
    ui.wait_for_level("mesh")
    ui.wait_for_particles()
    groups = [f"group:team-{number:02}" for number in range(big_mesh.NAMESPACES)]
    assert sorted(ui.get(DRAWN)) == ["gateway", *groups]
    assert note(ui).startswith("401 nodes, 400 of them in 20 groups by namespace. ")
    assert "requests stay inside of groups" in note(ui)
    ui.screenshot("big-mesh-groups")

    ui.page.keyboard.press("/")
    ui.page.keyboard.type("svc-10")
    ui.page.get_by_text("10 found, in 10 groups").wait_for()
    ui.page.keyboard.press("Escape")

    panel = ui.page.locator(".panel-details")
    panel.locator("tbody .row-button", has_text="team-07").first.click()
    panel.get_by_role("heading", name="team-07", exact=True).wait_for()
    panel.get_by_role("heading", name="Nodes (20)").wait_for()
    panel.get_by_role("button", name="Open group").click()
    ui.wait(f"{DRAWN}.length === {20 + 20}")
    assert big_mesh.FAILING in ui.get(DRAWN)

    again = open_ui(url, ui.get("location.hash"))
    again.wait_for_level("mesh")
    assert set(again.get(DRAWN)) == set(ui.get(DRAWN))
    again.page.get_by_role("button", name="Close all groups").click()
    again.wait(f"{DRAWN}.length === 21")

    # What fails is inside of groups, and they stay.
    again.page.keyboard.press("f")
    again.page.get_by_label("Errors in %, at least").fill("1")
    again.wait(f"{DRAWN}.length < 10")
    assert "group:team-07" in again.get(DRAWN)
    assert "Filters hide" in note(again)


def test_the_first_nodes_by_errors_are_shown_and_all_others_are_one(
    big: tuple[str, str], open_ui: OpenUi
) -> None:
    url, at = big
    ui = open_ui(url, f"#/mesh?{at}&show=top&top=20&rank=errors")
    ui.wait_for_level("mesh")
    drawn = ui.get(DRAWN)
    assert {big_mesh.FAILING, "group:*"} <= set(drawn)
    assert len(drawn) == 21
    assert "The 381 others are one node; " in note(ui)
    ui.screenshot("big-mesh-first")
    ui.page.keyboard.press("g")
    ui.page.get_by_label("How many").fill("40")
    ui.page.get_by_label("How many").press("Enter")
    ui.wait(f"{DRAWN}.length === 41")
    before = {name: ui.place_of(name) for name in ("gateway", big_mesh.FAILING)}
    ui.page.get_by_label("Layout").select_option("circle")
    ui.wait(f"JSON.stringify(vistio.placeOf('gateway')) !== {_json(before['gateway'])!r}")
    ui.page.get_by_label("Layout").select_option("auto")
    ui.wait(f"JSON.stringify(vistio.placeOf('gateway')) === {_json(before['gateway'])!r}")


def _json(place: tuple[float, float]) -> str:
    return json.dumps({"x": place[0], "y": place[1]}, separators=(",", ":"))


def test_a_node_inside_of_a_closed_group_has_its_own_view_and_the_way_back(
    big: tuple[str, str], open_ui: OpenUi
) -> None:
    url, at = big
    ui = open_ui(url, f"#/mesh/{big_mesh.FAILING}?{at}")
    ui.wait_for_level(f"mesh/{big_mesh.FAILING}")
    assert set(ui.get(DRAWN)) >= {big_mesh.FAILING, "svc-035.team-15", "svc-087.team-07"}
    ui.page.keyboard.press("Escape")
    ui.wait_for_level("mesh")
    ui.wait(f"{DRAWN}.length === 21")
