"""Read by a screen reader, driven by a keyboard, seen from the back of a room."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from web import journey
from web.conftest import OpenUi
from web.ui import Ui

# What a user can reach, as far as it is to be seen.
CONTROLS = "button, a[href], input, select, summary"


@pytest.fixture(scope="module")
def axe(node_modules: Path) -> str:
    """The source of axe-core."""
    return (node_modules / "axe-core" / "axe.min.js").read_text()


def violations(ui: Ui, axe: str) -> list[str]:
    """What axe-core finds, each with the elements that it is about."""
    ui.page.evaluate(axe)
    found: list[dict[str, Any]] = ui.page.evaluate(
        "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"
    )
    return [
        f"{each['id']}: {[node['html'][:160] for node in each['nodes']][:5]} {each['nodes'][0]['failureSummary']}"
        for each in found
    ]


def test_axe_finds_nothing_in_the_dark(open_ui: OpenUi, demo: str, axe: str) -> None:
    ui = open_ui(demo, "#/eu-west", color_scheme="dark")
    assert violations(ui, axe) == [], "a cluster, live"
    ui.page.keyboard.press("ArrowLeft")
    ui.wait("document.querySelector('.badge-live').dataset.mode === 'past'")
    ui.page.keyboard.press("?")
    assert violations(ui, axe) == [], "the past, with the help"


def test_axe_finds_nothing_in_the_light(open_ui: OpenUi, demo: str, axe: str) -> None:
    ui = open_ui(demo, "#/eu-west?node=mysql", color_scheme="light")
    ui.page.keyboard.press("f")
    ui.page.get_by_role("button", name="View", exact=True).click()
    ui.page.get_by_role("checkbox", name="tables").check()
    ui.page.locator(".level-table").get_by_role("button", name="mysql", exact=True).wait_for()
    assert violations(ui, axe) == [], "filters, view, tables, a selected node and its trend"
    ui.page.get_by_role("checkbox", name="for a projector").check()
    assert violations(ui, axe) == [], "for a projector"


def test_axe_finds_nothing_in_chinese(open_ui: OpenUi, demo: str, axe: str) -> None:
    ui = open_ui(demo, "#/eu-west?node=mysql", locale="zh-CN")
    ui.page.keyboard.press("g")
    assert violations(ui, axe) == []


def test_axe_finds_nothing_on_the_heat_map(open_ui: OpenUi, demo: str, axe: str) -> None:
    ui = open_ui(demo, "#/?heat=errors", drawn=False)
    ui.page.locator(".heat-names button").first.wait_for()
    assert violations(ui, axe) == []


def test_axe_finds_nothing_where_something_is_missing(open_ui: OpenUi, demo: str, axe: str) -> None:
    ui = open_ui(demo, "#/elsewhere", drawn=False)
    ui.page.locator(".state[data-kind='no-level']").wait_for()
    assert violations(ui, axe) == []


def test_axe_finds_nothing_in_dialogs_and_in_what_fields_offer(
    open_ui: OpenUi, journey_url: str, axe: str
) -> None:
    ui = open_ui(journey_url, f"#/mesh?at={journey.at(124)}&baseline={journey.at(10)}")
    assert violations(ui, axe) == [], "compared"
    ui.page.keyboard.press("Control+k")
    ui.page.get_by_role("dialog", name="Search everywhere").wait_for()
    ui.page.keyboard.type("cart")
    ui.page.get_by_role("option", name="cart in mesh").wait_for()
    assert violations(ui, axe) == [], "search"
    ui.page.keyboard.press("Escape")
    ui.page.get_by_role("dialog").wait_for(state="hidden")
    ui.page.keyboard.press("x")
    ui.page.get_by_role("dialog", name="Export").get_by_role("link", name="mermaid").wait_for()
    assert violations(ui, axe) == [], "export"
    ui.page.keyboard.press("Escape")
    ui.page.get_by_role("dialog").wait_for(state="hidden")
    ui.page.keyboard.press("f")
    hide = ui.page.get_by_role("combobox", name="Hide nodes")
    hide.press_sequentially("errors > 1% and n")
    ui.page.locator(".offered").get_by_role("option", name="notice").wait_for()
    assert violations(ui, axe) == [], "what can come next"
    hide.fill("errors >")
    assert violations(ui, axe) == [], "refused"
    hide.fill("name = cart")
    ui.page.get_by_text("Which nodes").click()
    assert violations(ui, axe) == [], "who is hidden"


@pytest.mark.parametrize(
    ("fragment", "shown"),
    [
        ("#/mesh?at={at}&show=groups&by=^(.)", ".panel-details"),
        ("#/mesh?at={at}&only=unhealthy", ".state[data-kind='all-well']"),
        ("#/mesh?at=garbage", ".state[data-kind='no-moment']"),
        ("#/mesh?at=2020-01-01T00:00:00Z", ".state[data-kind='nothing-recorded']"),
        ("#/mesh?at={gap}", ".state[data-kind='gap']"),
    ],
)
def test_axe_finds_nothing_in_groups_and_where_something_is_wrong(
    open_ui: OpenUi, journey_url: str, axe: str, fragment: str, shown: str
) -> None:
    ui = open_ui(journey_url, fragment.format(at=journey.at(10), gap=journey.at(65)), drawn=False)
    ui.expected = ("status of 404",)
    ui.page.locator(shown).wait_for()
    assert violations(ui, axe) == []


def test_axe_finds_nothing_on_a_narrow_screen_and_without_a_server(
    open_ui: OpenUi, journey_url: str, axe: str
) -> None:
    ui = open_ui(journey_url, f"#/mesh?at={journey.at(10)}", viewport={"width": 390, "height": 844})
    assert violations(ui, axe) == [], "narrow"
    ui.expected = ("Failed to load", "net::ERR")
    ui.page.route("**/graph*", lambda route: route.abort())
    ui.page.keyboard.press("l")
    ui.page.locator(".state[data-kind='unreachable']").wait_for()
    assert violations(ui, axe) == [], "no answer"


def test_tab_reaches_every_control_and_shows_where_it_is(ui: Ui) -> None:
    ui.page.keyboard.press("f")
    ui.page.evaluate("document.activeElement.blur()")
    # By their words: rows are made anew when there are news.
    ui.page.evaluate(
        """(controls) => {
            window.wordsOf = (each) => each.title || each.ariaLabel || (each.closest("label") ?? each).textContent;
            const all = [...document.querySelectorAll(controls)].filter((each) => each.checkVisibility());
            window.missed = new Set(all.map(wordsOf));
        }""",
        CONTROLS,
    )
    count = ui.get("window.missed.size")
    assert count > 20
    unseen = []
    for _ in range(2 * count):
        ui.page.keyboard.press("Tab")
        words, is_shown = ui.page.evaluate("""() => {
            const at = document.activeElement, style = getComputedStyle(at);
            window.missed.delete(wordsOf(at));
            const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
            return [wordsOf(at), at === document.body || (outlined && at.getBoundingClientRect().width > 1)];
        }""")
        if not is_shown:
            unseen.append(words)
        if ui.get("window.missed.size") == 0:
            break
    assert ui.get("[...window.missed]") == []
    assert unseen == []


def test_the_graph_is_read_and_entered_without_a_mouse(ui: Ui) -> None:
    ui.page.keyboard.press("Tab")
    ui.page.keyboard.press("Enter")
    tables = ui.page.locator(".level-table")
    tables.get_by_role("row").filter(has_text="us-east").first.wait_for()
    assert ui.get("document.activeElement.className") == "level-table"
    while ui.get("document.activeElement.textContent") != "eu-west":
        ui.page.keyboard.press("Tab")
    ui.page.keyboard.press("Tab")
    ui.page.keyboard.press("Enter")
    ui.wait("vistio.snapshot().state.path[0] === 'eu-west'")
    tables.get_by_role("row").filter(has_text="gateway").first.wait_for()
    assert ui.page.locator(".level-table caption").first.text_content() == "Nodes (21)"
    ui.page.keyboard.press("v")
    tables.wait_for(state="hidden")
    ui.wait_for_level("eu-west")


def test_projection_is_larger_with_more_contrast_and_remembered(ui: Ui) -> None:
    def size() -> float:
        return float(ui.get("parseFloat(getComputedStyle(document.body).fontSize)"))

    normal = size()
    ui.page.keyboard.press("h")
    ui.wait("document.documentElement.dataset.projection !== undefined")
    assert size() == pytest.approx(1.25 * normal)
    assert ui.get("getComputedStyle(document.body).backgroundColor") == "rgb(0, 0, 0)"
    ui.wait_for_particles()
    ui.screenshot("projection-global")
    ui.page.reload()
    ui.wait("window.vistio && vistio.snapshot().state.display.projection")
    assert size() == pytest.approx(1.25 * normal)
