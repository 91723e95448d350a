"""A mesh of 400 services: groups, the first ones, and what is said of the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from PIL import Image
from support.processes import served, wait_until
from support.scrapes import INTERVAL_MS

from vistio_core.times import format_instant, parse_instant
from web import big_mesh
from web.conftest import OpenUi
from web.ui import Ui

DRAWN = "vistio.inspect().nodes.filter((name) => name !== 'no-caller-seen')"


@pytest.fixture(scope="module")
def big(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The URL of a server of such a recording, and the fragment of its newest instant."""
    recording_dir = tmp_path_factory.mktemp("big") / "recording"
    newest_ms = big_mesh.record(recording_dir)
    with served(recording_dir) as url:
        yield url, f"at={format_instant(newest_ms)}"


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

    ui.wait("location.hash.includes('open=')")
    again = open_ui(url, ui.get("location.hash"))
    again.wait_for_level("mesh")
    again.wait(f"{DRAWN}.length === {20 + 20}")
    assert set(again.get(DRAWN)) == set(ui.get(DRAWN))
    again.page.get_by_role("button", name="Close all groups").click()
    again.wait(f"{DRAWN}.length === 21")

    # What fails is inside of groups, and they stay.
    again.page.keyboard.press("f")
    again.page.get_by_label("Errors in %, at least").fill("1")
    again.wait(f"{DRAWN}.length < 10")
    assert "group:team-07" in again.get(DRAWN)
    assert "Filters hide" in note(again)


def wait_for_size(ui: Ui) -> None:
    """A bar takes room from the picture, which follows with its next frame."""
    ui.wait("((canvas) => canvas.height === canvas.clientHeight)(document.querySelector('.traffic-canvas'))")


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
    ui.wait(f"{DRAWN}.length === 41 && !vistio.inspect().pending")
    wait_for_size(ui)
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


def test_what_changed_is_added_up_for_groups(big: tuple[str, str], open_ui: OpenUi) -> None:
    url, at = big
    first = format_instant(
        parse_instant(at.removeprefix("at="), now_ms=0) - (big_mesh.INSTANTS - 1) * INTERVAL_MS
    )
    ui = open_ui(url, f"#/mesh?{at}&baseline={first}")
    groups = ui.page.locator(".panel-compare .changes", has_text="Groups: ")
    groups.get_by_role("button", name="team-07").wait_for()
    assert groups.locator("tbody tr").first.get_attribute("data-change") in ("errors", "more")
    ui.wait("/^[!▲] team-07/.test(vistio.inspect().labels['group:team-07'])")
    ui.screenshot("comparing-groups")
    groups.get_by_role("button", name="team-07").click()
    ui.page.locator(".panel-details").get_by_role("heading", name="team-07", exact=True).wait_for()
    ui.page.locator(".timeline-note").get_by_text("A group has no timeline of its own").wait_for()


def test_latency_and_bytes_stand_in_the_panel_and_at_connections_and_the_view_can_be_taken_away(
    big: tuple[str, str], open_ui: OpenUi
) -> None:
    url, at = big
    ui = open_ui(url, f"#/mesh?{at}")
    ui.wait_for_level("mesh")
    assert ui.get("vistio.texts()") == []
    ui.page.keyboard.press("g")
    ui.page.get_by_label("At connections").select_option("latency")
    ui.wait("vistio.texts().includes('gateway--group:team-00 250 ms')")
    ui.page.get_by_label("At connections").select_option("throughput")
    ui.wait("vistio.texts().includes('gateway--group:team-00 1.52 MB/s')")
    ui.screenshot("throughput-at-connections")

    panel = ui.page.locator(".panel-details")
    panel.get_by_role("columnheader", name="latency").first.get_by_role("button").click()
    assert panel.get_by_role("columnheader", name="latency").first.get_attribute("aria-sort") == "descending"
    panel.locator("tbody .row-button", has_text="gateway").first.click()
    panel.get_by_text("Latency, median").wait_for()
    for text in ("12.5 ms", "250 ms", "1.5 MB/s", "20 kB/s"):
        assert text in (panel.text_content() or "")

    ui.page.get_by_role("button", name="Export").click()
    export = ui.page.get_by_role("dialog", name="Export")
    with ui.page.expect_download() as picture:
        export.get_by_role("button", name="Picture (PNG)").click()
    image = Image.open(picture.value.path())
    assert image.format == "PNG"
    assert image.width > 600
    assert len(image.convert("RGB").getcolors(maxcolors=1 << 24) or []) > 20, "nothing is on the picture"
    with ui.page.expect_download() as graph:
        export.get_by_role("link", name="Graph (JSON)").click()
    told = json.loads(Path(graph.value.path()).read_text())
    assert f"at={told['metadata']['vistio']['instant']}" == at
    served = requests.get(url + "openapi.json", timeout=10).json()["paths"]["/graph"]["get"]["parameters"]
    formats = next(each for each in served if each["name"] == "format")["schema"]["enum"]
    links = export.locator(".formats a")
    links.first.wait_for()
    assert links.all_text_contents() == formats
    for address in links.evaluate_all("(all) => all.map((each) => each.href)"):
        assert requests.get(address, timeout=10).status_code == 200


def test_a_node_can_be_dragged_and_put_back(big: tuple[str, str], open_ui: OpenUi) -> None:
    url, at = big
    ui = open_ui(url, f"#/mesh?{at}")
    ui.wait_for_level("mesh")
    ui.page.keyboard.press("g")
    wait_for_size(ui)
    ui.wait_for_particles()
    place = "JSON.stringify(vistio.placeOf('gateway'))"
    before = ui.get(place)
    x, y = ui.place_of("gateway")
    ui.hover(x, y)
    ui.page.mouse.down()
    for step in range(1, 6):
        ui.page.mouse.move(x + 10 * step, y + 20 * step)
    ui.page.mouse.up()
    ui.wait(f"{place} !== {before!r}")
    ui.page.get_by_role("button", name="Lay out again").click()
    ui.wait(f"{place} === {before!r}")


def test_what_is_near_a_node_can_be_drawn_alone_by_hops_and_all_the_way(
    big: tuple[str, str], open_ui: OpenUi
) -> None:
    url, at = big
    near = open_ui(url, f"#/mesh?{at}&node={big_mesh.FAILING}")
    near.wait_for_level("mesh")
    # Whoever presses a key sees at once that it was heard: the picture follows when that has been painted.
    assert near.get("""(() => {
        const before = vistio.inspect().nodes.length;
        document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "w", bubbles: true}));
        return [vistio.snapshot().state.crowd.around.node, vistio.inspect().nodes.length === before];
    })()""") == [big_mesh.FAILING, True]
    near.wait(f"{DRAWN}.length < 12 && {DRAWN}.includes({big_mesh.FAILING!r})")
    one_hop = set(near.get(DRAWN))
    near.page.get_by_label("Hops up, to callers").select_option("all the way")
    near.wait(f"{DRAWN}.includes('gateway')")
    assert one_hop <= set(near.get(DRAWN))
    near.screenshot("near-a-node")
    near.wait("location.hash.includes('hops=all')")
    again = open_ui(url, near.get("location.hash"))
    again.wait_for_level("mesh")
    wait_until(
        lambda: set(again.get(DRAWN)) == set(near.get(DRAWN)), what="the same nodes by the link", timeout_s=60
    )
    near.page.get_by_role("button", name="Everything").click()
    near.wait(f"{DRAWN}.length > 20")


def test_many_connections_of_groups_are_laid_out_by_forces_on_another_thread(
    big: tuple[str, str], open_ui: OpenUi
) -> None:
    url, at = big
    ui = open_ui(url, f"#/mesh?{at}")
    ui.wait_for_level("mesh")
    before = ui.place_of("group:team-03")
    ui.page.keyboard.press("g")
    ui.page.get_by_label("Layout").select_option("who calls whom much, near")
    ui.wait("performance.getEntriesByType('resource').some((entry) => entry.name.includes('forcing'))")
    ui.wait("!vistio.inspect().pending")
    assert ui.place_of("group:team-03") != before
