"""Phones, low windows and pages that are zoomed in: everything can be reached, and the badge is always in sight."""

from __future__ import annotations

from pathlib import Path

import pytest

from web import journey
from web.conftest import OpenUi
from web.ui import Ui

COVERED = (Path(__file__).parent / "covered.js").read_text()
SHOWN = "vistio.snapshot().data.graph?.about.instantMs"
SIZES = {
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
    "phone on its side": {"viewport": {"width": 844, "height": 390}, "has_touch": True, "is_mobile": True},
    # A browser that is zoomed in has fewer pixels of the page's own.
    "1280x800 at 200 %": {"viewport": {"width": 640, "height": 400}, "device_scale_factor": 2},
    "1280x800 at 300 %": {"viewport": {"width": 427, "height": 267}, "device_scale_factor": 3},
    "desk": {"viewport": {"width": 1280, "height": 800}},
}
SCHEMES = {"phone": "dark", "1280x800 at 200 %": "dark"}


@pytest.fixture(params=SIZES)
def small(request: pytest.FixtureRequest, open_ui: OpenUi, journey_url: str) -> Ui:
    name: str = request.param
    ui = open_ui(
        journey_url,
        f"#/mesh?at={journey.at(124)}&baseline={journey.at(20)}",
        color_scheme=SCHEMES.get(name, "light"),
        **SIZES[name],
    )
    ui.wait("vistio.snapshot().data.happened?.found && vistio.snapshot().data.diff")
    ui.screenshot(f"small {name}")
    return ui


def badge_in_sight(ui: Ui) -> bool:
    found: bool = ui.get(
        "(() => { const badge = document.querySelector('.badge-live'); const box = badge.getBoundingClientRect();"
        "return box.left >= 0 && box.right <= innerWidth && box.top >= 0 && box.bottom <= innerHeight &&"
        "badge.contains(document.elementFromPoint((box.left + box.right) / 2, (box.top + box.bottom) / 2)); })()"
    )
    return found


def test_no_control_is_covered_and_the_badge_is_in_sight_wherever_one_scrolls(small: Ui) -> None:
    assert small.get(COVERED) == []
    small.page.get_by_role("button", name="Filters").click()
    small.page.get_by_role("button", name="View", exact=True).click()
    assert small.get(COVERED) == [], "with filters and view"
    for share in (0, 0.5, 1):
        small.page.evaluate(
            "(share) => scrollTo(0, share * (document.documentElement.scrollHeight - innerHeight))", share
        )
        assert badge_in_sight(small), share
    assert small.get("document.documentElement.scrollWidth <= innerWidth"), "nothing is wider than the page"


def test_no_name_lies_below_the_buttons_of_the_zoom(small: Ui) -> None:
    if small.page.viewport_size == SIZES["desk"]["viewport"]:
        return
    canvas = small.page.locator(".traffic-canvas").bounding_box()
    buttons = small.page.locator(".minimap-buttons").bounding_box()
    assert canvas
    assert buttons
    assert buttons["y"] >= canvas["y"] + canvas["height"] or buttons["x"] + buttons["width"] <= canvas["x"]
    assert canvas["width"] > 300
    assert canvas["height"] > 120


def test_a_dialog_fits(small: Ui) -> None:
    small.page.keyboard.press("?")
    dialog = small.page.get_by_role("dialog", name="Help")
    box = dialog.bounding_box()
    size = small.page.viewport_size
    assert box
    assert size
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= size["width"]
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= size["height"]
    dialog.evaluate("(dialog) => dialog.scrollTo(0, dialog.scrollHeight)")
    dialog.get_by_role("button", name="Close").click()
    dialog.wait_for(state="hidden")


def test_the_sheet_is_pulled_up_and_leaves_the_badge(small: Ui) -> None:
    handle = small.page.locator(".sheet-handle")
    if not handle.is_visible():
        assert small.page.viewport_size == SIZES["desk"]["viewport"], "there the column has its place"
        return
    panels = small.page.locator(".panels")
    before = panels.bounding_box()
    handle.click()
    after = panels.bounding_box()
    assert before
    assert after
    assert after["height"] > before["height"]
    assert badge_in_sight(small)
    small.screenshot(f"sheet {small.page.viewport_size}")
    small.page.keyboard.press("Escape")
    closed = panels.bounding_box()
    assert closed
    assert closed["height"] == before["height"]
    assert small.state["path"] == ["mesh"], "Esc closed the sheet and nothing else"


def test_a_tap_enters_a_cluster_and_selects_a_node(journey_url: str, open_ui: OpenUi) -> None:
    ui = open_ui(journey_url, f"#/?at={journey.at(124)}", **SIZES["phone"])
    x, y = ui.place_of("mesh")
    ui.page.touchscreen.tap(x, y)
    ui.wait_for_level("mesh")
    x, y = ui.place_of("cart")
    ui.page.touchscreen.tap(x, y)
    ui.wait("vistio.snapshot().state.selection?.node === 'cart'")
    assert ui.state["path"] == ["mesh"]
    ui.page.locator(".sheet-handle").tap()
    ui.page.get_by_role("button", name="Focus").tap()
    ui.wait("vistio.snapshot().state.path.length === 2")
