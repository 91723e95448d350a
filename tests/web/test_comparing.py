"""A pinned moment in a real browser: what changed since is ranked, coloured and marked."""

from __future__ import annotations

import pytest

from web import journey
from web.conftest import OpenUi


def test_what_is_new_gone_and_failing_is_ranked_and_marked(journey_url: str, open_ui: OpenUi) -> None:
    ui = open_ui(journey_url, f"#/mesh?at={journey.at(80)}", color_scheme="dark")
    ui.page.keyboard.press("c")
    panel = ui.page.locator(".panel-compare")
    panel.get_by_text("This is the pinned moment itself").wait_for()

    ui.page.evaluate(f"location.hash = location.hash.replace('{_coded(80)}', '{_coded(125)}')")
    panel.get_by_text("Connections: 1 new, 1 gone, 1 changed").wait_for()
    rows = panel.locator(".changes", has_text="Connections: ").locator("tbody tr")
    assert {rows.nth(index).get_attribute("data-change") for index in range(3)} == {"new", "gone", "more"}
    marks = "vistio.inspect().labels"
    ui.wait(f"{marks}.canary === '+ canary' && {marks}.legacy === '× legacy' && {marks}.db === '▲ db'")
    assert ui.get(f"{marks}.front") == "front"
    place = ui.place_of("legacy")
    ui.screenshot("comparing")

    panel.get_by_role("button", name="front → canary").click()
    ui.page.locator(".panel-details").get_by_role("heading", name="front → canary").wait_for()
    other = open_ui(journey_url, ui.get("location.hash"), color_scheme="light")
    other.page.locator(".panel-compare").get_by_text("1 new, 1 gone, 1 changed").first.wait_for()
    assert other.state["baselineMs"] == journey.ms(80)
    other.screenshot("comparing-light")

    panel.get_by_role("button", name="Swap").click()
    panel.get_by_role("heading", name=journey.at(125).replace("T", " ").replace("Z", "")).wait_for()
    ui.wait(f"{marks}.legacy === '+ legacy' && {marks}.canary === '× canary'")
    assert ui.place_of("legacy") == pytest.approx(place, abs=1), "what is gone keeps its place"
    ui.page.keyboard.press("c")
    panel.wait_for(state="hidden")
    ui.wait(f"{marks}.legacy === 'legacy'")


def test_the_global_level_lists_the_changes_of_all_clusters(journey_url: str, open_ui: OpenUi) -> None:
    ui = open_ui(journey_url, f"#/?at={journey.at(125)}&baseline={journey.at(80)}")
    ui.page.locator(".panel-compare").get_by_role("button", name="mesh: front → legacy").click()
    ui.wait_for_level("mesh")
    assert ui.state["selection"] == {"kind": "edge", "source": "front", "target": "legacy"}


def _coded(number: int) -> str:
    return "at=" + journey.at(number).replace(":", "%3A")
