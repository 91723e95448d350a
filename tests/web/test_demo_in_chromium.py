"""The first way through the web UI, in a real browser against the real demo."""

from __future__ import annotations

import pytest
import requests

from vistio_core.times import format_instant, parse_instant
from web.conftest import OpenUi
from web.ui import Ui, instant_of


def test_the_live_graph_is_drawn_with_nodes_and_particles(ui: Ui) -> None:
    assert set(ui.get("vistio.inspect().nodes")) == {"INTERNET", "eu-west", "us-east"}
    ui.wait_for_particles()
    ui.wait("document.querySelector('.badge-live').dataset.mode === 'live'")
    x, y = ui.place_of("eu-west")
    assert ui.colours_at(x, y, 80) > 3, "the node is not on the picture"
    assert ui.colours_at(20, 400) == 1, "nothing is drawn beside the graph"
    ui.screenshot("live-global")


def test_levels_are_entered_by_double_click_and_left_by_breadcrumb_and_escape(ui: Ui) -> None:
    ui.enter("eu-west", "eu-west")
    ui.wait_for_particles()
    assert {"gateway", "mysql", "redis"} <= set(ui.get("vistio.inspect().nodes"))
    ui.screenshot("live-cluster")

    ui.enter("mysql", "eu-west/mysql")
    assert set(ui.get("vistio.inspect().nodes")) == {"mysql", "catalogue", "details", "inventory", "payment"}
    ui.page.get_by_role("button", name="eu-west", exact=True).first.click()
    ui.wait_for_level("eu-west")
    ui.page.keyboard.press("Escape")
    ui.wait_for_level("")
    ui.wait_for_particles()


def test_leaving_a_level_while_still_entering_it_ends_with_a_picture(ui: Ui) -> None:
    ui.double_click_node("eu-west")
    ui.wait("vistio.inspect().level === 'eu-west'")
    ui.page.keyboard.press("Escape")
    ui.wait_for_level("")
    x, y = ui.place_of("eu-west")
    assert ui.colours_at(x, y, 80) > 3


def test_a_click_selects_and_the_panel_tells_about_it(ui: Ui) -> None:
    ui.enter("eu-west", "eu-west")
    # A machine without a GPU may draw a single frame between press and release.
    ui.click_node("gateway", held_ms=600)
    ui.wait("vistio.snapshot().state.selection?.node === 'gateway'")
    panel = ui.page.locator(".panel-details")
    panel.get_by_role("heading", name="gateway").wait_for()
    panel.get_by_role("heading", name="Incoming (1)").wait_for()
    panel.get_by_role("columnheader", name="req/s").nth(1).get_by_role("button").click()
    assert panel.get_by_role("columnheader", name="req/s").nth(1).get_attribute("aria-sort") == "descending"
    ui.screenshot("selected-node")

    panel.locator("tbody .row-button", has_text="productpage").click()
    panel.get_by_role("heading", name="gateway → productpage").wait_for()
    assert ui.state["selection"] == {"kind": "edge", "source": "gateway", "target": "productpage"}


def test_a_cluster_can_be_selected_without_entering_it(ui: Ui) -> None:
    ui.click_node("us-east")
    ui.wait("vistio.snapshot().state.selection?.node === 'us-east'")
    assert ui.level == ""
    ui.page.get_by_role("button", name="Enter cluster").click()
    ui.wait_for_level("us-east")


def test_a_click_on_the_timeline_goes_there_and_the_link_shows_a_colleague_the_same(
    ui: Ui, open_ui: OpenUi, demo: str
) -> None:
    ui.enter("eu-west", "eu-west")
    ui.click_node("mysql")
    ui.wait("vistio.snapshot().state.selection?.node === 'mysql'")
    ui.click_timeline(0.55)
    ui.wait("vistio.snapshot().state.travel.mode === 'at'")
    ui.wait("document.querySelector('.badge-live').dataset.mode === 'past'")
    ui.wait("location.hash.includes('at=')")
    ui.wait(
        "Math.abs(vistio.snapshot().data.graph.about.instantMs - vistio.snapshot().state.travel.atMs) <= 10000"
    )
    fragment = ui.get("location.hash")
    shown = ui.get("vistio.snapshot().data.graph")
    places = [ui.place_of(name) for name in ("gateway", "mysql", "ratings")]
    ui.wait("vistio.snapshot().data.followed?.subject.node === 'mysql'")
    ui.wait("document.querySelector('.trend-rate').getAttribute('d')")
    ui.screenshot("past-cluster")
    axis = ui.get("vistio.snapshot().data.axis")
    wanted_ms = axis["firstMs"] + 0.55 * (axis["lastMs"] - axis["firstMs"])
    assert abs(parse_instant(instant_of(fragment), now_ms=0) - wanted_ms) < 60_000

    other = open_ui(demo, fragment, color_scheme="dark")
    other.wait(f"vistio.snapshot().data.graph.about.instantMs === {shown['about']['instantMs']}")
    other.wait_for_level("eu-west")
    assert other.state == ui.state
    assert other.get("vistio.snapshot().data.graph") == shown
    found = [other.place_of(name) for name in ("gateway", "mysql", "ratings")]
    assert found == [pytest.approx(place, abs=1) for place in places]


def test_back_and_forward_go_through_what_was_looked_at(ui: Ui) -> None:
    ui.enter("us-east", "us-east")
    ui.click_node("gateway")
    ui.wait("location.hash.includes('node=gateway')")
    ui.page.go_back()
    ui.wait("vistio.snapshot().state.selection === null")
    ui.page.go_back()
    ui.wait_for_level("")
    ui.page.go_forward()
    ui.wait_for_level("us-east")


def test_time_steps_plays_backwards_pauses_and_returns_to_live(ui: Ui) -> None:
    newest_ms = ui.get("vistio.snapshot().data.axis.lastMs")
    ui.page.keyboard.press("ArrowLeft")
    ui.wait(f"vistio.snapshot().data.graph.about.instantMs < {newest_ms}")
    ui.page.get_by_role("button", name="Play backwards").click()
    ui.page.keyboard.press("+")
    ui.wait(f"vistio.snapshot().data.graph.about.instantMs < {newest_ms - 60_000}")
    ui.page.get_by_role("button", name="Pause").click()
    stood_ms = ui.get("vistio.snapshot().state.travel.atMs")
    assert stood_ms % 10_000 == 0
    ui.page.get_by_role("button", name="Play (space)").click()
    ui.wait(f"vistio.snapshot().data.graph.about.instantMs > {stood_ms}")
    ui.page.keyboard.press("l")
    ui.wait(f"vistio.snapshot().data.graph.about.instantMs >= {newest_ms}")
    assert ui.state["travel"]["mode"] == "live"


def test_nodes_keep_their_places_while_time_moves(ui: Ui, demo: str) -> None:
    ui.enter("eu-west", "eu-west")
    names = ui.get("vistio.inspect().nodes")
    before = {name: ui.place_of(name) for name in names}
    first_ms = ui.get("vistio.snapshot().data.axis.firstMs")
    for share in (0.2, 0.5, 0.8):
        ui.click_timeline(share)
        ui.wait("vistio.snapshot().data.graph.about.askedMs - vistio.snapshot().state.travel.atMs <= 10000")
        assert ui.get("vistio.snapshot().data.graph.about.instantMs") >= first_ms
    after = {name: ui.place_of(name) for name in names}
    grown = set(ui.get("vistio.inspect().nodes")) - set(names)
    # Without a topology of the whole window, a node that was never seen before makes places anew, once.
    assert grown or after == {name: pytest.approx(place, abs=1) for name, place in before.items()}


def test_a_gap_says_why_and_offers_the_nearest_instants(open_ui: OpenUi, demo: str) -> None:
    first = requests.get(demo + "instants", timeout=5).json()["recording"]["first"]
    long_before = format_instant(parse_instant(first, now_ms=0) - 3_600_000)
    ui = open_ui(demo)
    ui.page.evaluate("(hash) => { location.hash = hash }", f"#/?at={long_before}")
    cover = ui.page.locator(".state[data-kind='nothing-recorded']")
    cover.wait_for()
    ui.screenshot("nothing-recorded")
    cover.get_by_role("button", name="First after").click()
    cover.wait_for(state="detached")
    assert ui.get("vistio.snapshot().data.graph.about.instantMs") == parse_instant(first, now_ms=0)
    ui.errors = [error for error in ui.errors if "status of 404" not in error]


def test_filters_hide_and_say_what_they_hide(ui: Ui) -> None:
    ui.enter("eu-west", "eu-west")
    edges = len(ui.get("vistio.inspect().edges"))
    ui.page.keyboard.press("f")
    ui.page.get_by_label("Requests/s, at least").fill("100")
    ui.wait(f"vistio.inspect().edges.length < {edges}")
    hidden = ui.page.locator(".filter-hidden")
    assert "connections are hidden" in (hidden.text_content() or "")
    ui.page.get_by_role("button", name="Show all").click()
    ui.wait(f"vistio.inspect().edges.length >= {edges}")
    ui.page.get_by_label("database").uncheck()
    ui.wait("!vistio.inspect().nodes.includes('mysql') && location.hash.includes('hide=database')")


def test_names_can_be_taken_off_the_picture(open_ui: OpenUi, demo: str) -> None:
    ui = open_ui(demo, "#/eu-west")
    ui.wait("vistio.inspect().labels.gateway === 'gateway'")
    ui.page.keyboard.press("g")
    ui.page.get_by_label("names", exact=True).uncheck()
    ui.wait("Object.values(vistio.inspect().labels).every((label) => label === '')")
    ui.page.get_by_label("names", exact=True).check()
    ui.wait("vistio.inspect().labels.gateway === 'gateway'")


def test_the_locator_finds_and_escape_forgets(ui: Ui) -> None:
    ui.enter("eu-west", "eu-west")
    ui.page.keyboard.press("/")
    ui.page.keyboard.type("reviews")
    ui.page.get_by_text("3 found").wait_for()
    ui.page.keyboard.press("Escape")
    ui.wait("vistio.snapshot().state.find === ''")
    assert ui.level == "eu-west"


def test_light_and_dark_are_drawn_in_their_own_colours(open_ui: OpenUi, demo: str) -> None:
    ui = open_ui(demo, "#/eu-west", color_scheme="light")
    ui.wait_for_level("eu-west")
    ui.wait_for_particles()
    ui.screenshot("light-cluster")
    ui.page.get_by_role("button", name="Theme: auto").click()
    ui.page.get_by_role("button", name="Theme: light").click()
    ui.wait("document.documentElement.dataset.theme === 'dark'")
    ui.wait_for_particles()
    assert set(ui.get("vistio.inspect().nodes")) > {"gateway"}
    ui.page.reload()
    ui.wait("document.documentElement.dataset.theme === 'dark'")


def test_who_wants_less_motion_gets_particles_that_stand(open_ui: OpenUi, demo: str) -> None:
    ui = open_ui(demo, "#/eu-west", reduced_motion="reduce")
    ui.wait_for_level("eu-west")
    ui.wait_for_particles()
    ui.page.keyboard.press("ArrowLeft")
    ui.wait("vistio.snapshot().state.travel.mode === 'at'")
    ui.wait("vistio.snapshot().data.graph.about.askedMs === vistio.snapshot().state.travel.atMs")
    ui.wait("!vistio.inspect().pending")
    drawn = ui.page.locator("canvas.traffic-canvas").screenshot()
    ui.page.wait_for_timeout(500)
    assert ui.page.locator("canvas.traffic-canvas").screenshot() == drawn
