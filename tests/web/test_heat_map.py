"""The heat map in a real browser, of the demo's hour: who failed first stands above, and a click goes there."""

from __future__ import annotations

import re

import pytest

from web.conftest import OpenUi
from web.ui import Ui

ROWS = ".heat-names button"
FIRST = re.compile(r"^mongodb \(eu-west\): first error (\d\d:\d\d:\d\d), worst \d+\.?\d* % at")
# A column is an instant, however long the demo has been recording meanwhile.
BY_INSTANTS = "#/?window=-59m/now"


def open_map(ui: Ui) -> None:
    ui.page.keyboard.press("m")
    ui.page.locator(ROWS).first.wait_for()
    ui.wait("document.activeElement.closest('.heat-names')")


def test_the_first_row_is_who_failed_first_and_enter_goes_to_its_first_error(
    open_ui: OpenUi, demo: str
) -> None:
    ui = open_ui(demo, BY_INSTANTS)
    open_map(ui)
    first = ui.page.locator(ROWS).first
    found = FIRST.match(first.get_attribute("aria-label") or "")
    assert found, first.get_attribute("aria-label")
    says = ui.page.locator(".heat-says")
    assert re.match(
        r"mongodb \(eu-west\), \d\d:\d\d:\d\d: \d+ requests/s, [\d.]+ % errors", says.inner_text()
    )
    ui.page.keyboard.press("ArrowDown")
    ui.wait("document.querySelector('.heat-says').textContent.startsWith('ratings (eu-west)')")
    ui.screenshot("heat-map")
    ui.page.keyboard.press("ArrowUp")
    ui.page.keyboard.press("Escape")
    ui.wait("vistio.snapshot().state.heat === null")
    open_map(ui)
    ui.page.keyboard.press("Enter")
    ui.wait_for_level("eu-west")
    state = ui.state
    assert (state["selection"], state["heat"]) == ({"kind": "node", "node": "mongodb"}, None)
    at = ui.page.evaluate("new Date(vistio.snapshot().state.travel.atMs).toISOString().slice(11, 19)")
    assert at == found[1]


def test_a_click_on_a_cell_says_what_the_panel_then_says(open_ui: OpenUi, demo: str) -> None:
    ui = open_ui(demo, BY_INSTANTS)
    open_map(ui)
    box = ui.page.locator(".heat-plot").bounding_box()
    assert box is not None
    # The third row, two thirds through the hour: in the demo's incident or after it.
    x, y = box["x"] + box["width"] * 0.66, box["y"] + 2.5 * 16
    ui.page.mouse.move(x, y)
    ui.wait("document.querySelector('.heat-says').textContent.includes('requests/s')")
    said = ui.page.locator(".heat-says").inner_text()
    found = re.match(r"(\S+) \((\S+)\), (\S+): ([\d.k]+) requests/s, ([\d.<> ]+ %) errors", said)
    assert found, said
    ui.page.mouse.click(x, y)
    ui.wait_for_level(found[2])
    panel = ui.page.locator(".panel-details")
    panel.get_by_role("heading", name=found[1], exact=True).wait_for()
    ui.wait(f"document.querySelector('.badge-live').textContent.endsWith({found[3]!r})")
    receives = panel.inner_text()
    assert [each for each in (found[4], found[5]) if each not in receives] == [], (said, receives)


def test_the_link_shows_the_same_map_of_one_cluster(open_ui: OpenUi, demo: str) -> None:
    ui = open_ui(demo, "#/us-east?heat=change", drawn=False)
    ui.page.locator(ROWS).first.wait_for()
    names = ui.page.locator(ROWS).all_inner_texts()
    assert "gateway" in names
    assert not any("(" in name for name in names)
    assert (
        ui.page.get_by_role("button", name="change of requests", exact=True).get_attribute("aria-pressed")
        == "true"
    )
    ui.page.get_by_role("button", name="latency", exact=True).click()
    ui.wait("location.hash.includes('heat=latency')")
    assert ui.page.locator(ROWS).count() > 0


@pytest.mark.parametrize("size", [(1280, 800), (640, 400), (390, 844)])
def test_no_time_above_the_map_lies_on_another_or_is_cut_off(
    open_ui: OpenUi, demo: str, size: tuple[int, int]
) -> None:
    viewport = {"width": size[0], "height": size[1]}
    ui = open_ui(demo, f"{BY_INSTANTS}&heat=errors", viewport=viewport, drawn=False)
    ui.page.locator(ROWS).first.wait_for()
    ticks = [
        box for box in (each.bounding_box() for each in ui.page.locator(".heat-ticks span").all()) if box
    ]
    ends = [each["x"] + each["width"] for each in ticks]
    assert len(ticks) >= 2
    assert all(end <= after["x"] for end, after in zip(ends, ticks[1:], strict=False))
    assert ends[-1] <= size[0]
