"""Find and hide by expression; no pattern that somebody types holds up the page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.processes import served
from support.scrapes import edges, mesh, scrape

import vistio_core as vistio
from web import journey
from web.conftest import OpenUi
from web.ui import Ui

# Of a few dozen of these the browser's own engine makes a minute, each.
FREEZES = "^((x+)+)+Y"
LONG = [f"{'x' * 40}-{number}" for number in range(40)]
# From a key to the next picture; generous, for a machine that others use as well.
FROZEN_MS = 15_000


@pytest.fixture(scope="module")
def long_names(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    recording_dir = tmp_path_factory.mktemp("long") / "recording"
    configuration = mesh()
    calls = {f"front>{name} 200": 10.0 for name in LONG}
    samples = [
        *edges({"INTERNET>mesh 200": 10.0}, "ingress", ""),
        *edges({"INTERNET>front 200": 400.0, **calls}),
    ]
    with vistio.Recording.open(recording_dir, create=True).writer() as writer:
        writer.put_configuration(configuration)
        writer.commit(scrape(journey.ms(0), samples, configuration=configuration))
    with served(recording_dir) as url:
        yield url


def drawn(ui: Ui) -> set[str]:
    return set(ui.get("vistio.inspect().nodes"))


def test_a_pattern_that_froze_the_page_groups_and_finds_at_once(long_names: str, open_ui: OpenUi) -> None:
    ui = open_ui(long_names, f"#/mesh?at={journey.at(0)}&show=groups&by=class")
    ui.page.set_default_timeout(FROZEN_MS)
    ui.page.keyboard.press("g")
    ui.page.get_by_label("grouped by").select_option("own pattern")
    pattern = ui.page.get_by_role("textbox", name="Pattern")
    pattern.fill(FREEZES)
    pattern.press("Enter")
    ui.wait("vistio.snapshot().state.crowd.by === '^((x+)+)+Y' && vistio.snapshot().data.patterns")
    ui.wait("vistio.inspect().nodes.length > 40")
    pattern.fill("^(x+)-1")
    pattern.press("Enter")
    ui.wait(f"vistio.inspect().nodes.includes('group:{'x' * 40}')")
    ui.page.keyboard.press("Escape")
    ui.page.keyboard.press("/")
    ui.page.keyboard.type(f"name ~ {FREEZES}")
    ui.page.locator(".found").get_by_text("0 found").wait_for()
    ui.page.keyboard.type(" or not name ~ x")
    ui.page.locator(".found").get_by_text("2 found").wait_for()
    pattern.fill("^(x")
    pattern.press("Enter")
    ui.page.locator(".refused").get_by_text("missing closing )").wait_for()
    # In a link, too.
    ui.load(f"#/mesh?at={journey.at(0)}&show=groups&by={FREEZES.replace('+', '%2B')}")
    ui.wait("window.vistio?.snapshot().data.patterns && vistio.inspect()?.nodes.length > 40")


def test_nodes_are_found_by_what_is_known_of_them_with_help_and_errors_in_words(
    journey_url: str, open_ui: OpenUi
) -> None:
    ui = open_ui(journey_url, f"#/mesh?at={journey.at(124)}")
    ui.wait("vistio.snapshot().data.axis")
    offered = ui.page.get_by_role("listbox", name="Completions")
    found = ui.page.locator(".found").get_by_text("found")
    ui.page.keyboard.press("/")
    ui.page.keyboard.type("err")
    offered.get_by_role("option", name="errors").wait_for()
    ui.page.keyboard.press("ArrowDown")
    ui.page.keyboard.press("Tab")
    assert ui.get("document.activeElement.value") == "errors "
    ui.page.keyboard.type(">")
    ui.page.locator(".refused").get_by_text("after errors > comes a number").wait_for()
    assert not found.is_visible()
    ui.page.keyboard.type(" 1% and class = ")
    offered.get_by_role("option", name="default").wait_for()
    ui.page.keyboard.press("Escape")
    offered.wait_for(state="hidden")
    assert ui.get("document.activeElement.className") == "locator", "Esc closed the list alone"
    ui.page.keyboard.press("Control+a")
    ui.page.keyboard.type("errors > 1% or name ~ ^can")
    found.get_by_text("2 found").wait_for()
    ui.wait("decodeURIComponent(location.hash).includes('find=errors+>+1%+or+name+~+^can')")
    ui.screenshot("expression")
    ui.load(ui.page.url[ui.page.url.index("#") :])
    found.get_by_text("2 found").wait_for()


def test_what_is_hidden_is_said_listed_and_in_the_link(journey_url: str, open_ui: OpenUi) -> None:
    ui = open_ui(journey_url, f"#/mesh?at={journey.at(124)}")
    assert {"legacy", "canary"} <= drawn(ui)
    ui.page.keyboard.press("f")
    ui.page.get_by_role("combobox", name="Hide nodes").fill(
        "name ~ ^(leg|can) or name = front and rps > 100000"
    )
    ui.wait("!vistio.inspect().nodes.includes('canary')")
    assert "legacy" not in drawn(ui), "nor is it drawn at rest"
    assert {"front", "cart", "db"} <= drawn(ui)
    filters = ui.page.get_by_role("form", name="Filters")
    filters.get_by_text("1 node and 1 connection are hidden").wait_for()
    filters.get_by_text("Which nodes").click()
    filters.get_by_role("button", name="canary").click()
    assert ui.state["selection"] == {"kind": "node", "node": "canary"}
    ui.page.get_by_label("unhealthy only").check()
    ui.wait("!vistio.inspect().nodes.includes('INTERNET')")
    assert drawn(ui) == {"cart", "db"}
    ui.wait("location.hash.includes('only=unhealthy')")
    other = open_ui(journey_url, ui.page.url[ui.page.url.index("#") :])
    assert drawn(other) == {"cart", "db"}
    other.page.evaluate("(hash) => { location.hash = hash }", f"#/mesh?at={journey.at(10)}&only=unhealthy")
    other.page.get_by_role("heading", name="Nothing here is unhealthy at this instant").wait_for()
