"""Search everywhere: one key, a few letters, Enter, and one is there."""

from __future__ import annotations

from web import journey
from web.conftest import OpenUi
from web.ui import Ui


def search(ui: Ui, text: str) -> None:
    ui.page.keyboard.press("Control+k")
    ui.page.get_by_role("dialog", name="Search everywhere").wait_for()
    ui.page.keyboard.type(text)


def chosen(ui: Ui) -> str:
    """The line that Enter takes, as a screen reader has it."""
    return str(
        ui.get(
            "document.getElementById(document.activeElement.getAttribute('aria-activedescendant')).innerText"
        )
    )


def test_a_node_of_another_cluster_is_gone_to_from_anywhere(demo: str, open_ui: OpenUi) -> None:
    ui = open_ui(demo, "#/eu-west")
    search(ui, "rvws")
    ui.page.get_by_role("option", name="reviews-v2 in us-east").wait_for()
    names = ui.page.locator(".search-list").get_by_role("option").all_inner_texts()
    assert [name.split()[-1] for name in names][:3] == ["eu-west"] * 3, "this level's first"
    assert chosen(ui) == names[0]
    ui.page.keyboard.press("ArrowDown")
    assert chosen(ui) == names[1]
    ui.page.keyboard.press("Control+k")
    ui.page.get_by_role("dialog").wait_for(state="hidden")
    search(ui, "reviews-v2 us-east")
    assert chosen(ui).split() == ["reviews-v2", "in", "us-east"]
    ui.screenshot("search")
    ui.page.keyboard.press("Enter")
    ui.page.get_by_role("dialog").wait_for(state="hidden")
    ui.wait_for_level("us-east")
    assert (ui.state["path"], ui.state["selection"]) == (["us-east"], {"kind": "node", "node": "reviews-v2"})


def test_it_is_told_in_words_where_to_go_and_what_to_do(journey_url: str, open_ui: OpenUi) -> None:
    ui = open_ui(journey_url, f"#/mesh?at={journey.at(120)}")
    ui.wait("vistio.snapshot().data.axis")
    search(ui, f"go to {journey.at(90)[:16].replace('T', ' ')}")
    ui.page.keyboard.press("Enter")
    ui.wait(f"vistio.snapshot().data.graph?.about.instantMs === {journey.ms(90)}")
    search(ui, "compare with 2 minutes ago")
    ui.page.keyboard.press("Enter")
    ui.wait(f"vistio.snapshot().state.baselineMs === {journey.ms(78)}")
    search(ui, "compare with a day ago")
    ui.page.get_by_role("option", name="before the recording").wait_for()
    ui.page.keyboard.press("Enter")
    assert ui.page.get_by_role("dialog").is_visible(), "what cannot be done does nothing"
    ui.page.keyboard.press("Escape")
    search(ui, "tables in place")
    ui.page.keyboard.press("Enter")
    ui.page.locator(".level-table").get_by_role("button", name="cart", exact=True).wait_for()


def test_escape_closes_the_search_alone_and_the_mouse_does_it_all_as_well(
    journey_url: str, open_ui: OpenUi
) -> None:
    ui = open_ui(journey_url, f"#/mesh?at={journey.at(10)}&node=cart")
    search(ui, "db")
    ui.page.keyboard.press("Escape")
    ui.page.get_by_role("dialog").wait_for(state="hidden")
    assert ui.state["selection"] == {"kind": "node", "node": "cart"}
    ui.page.get_by_role("button", name="Search everywhere").click()
    ui.page.get_by_role("option", name="db in mesh").click()
    ui.wait("vistio.snapshot().state.selection?.node === 'db'")
    assert ui.page.get_by_role("dialog").count() == 0


def test_a_search_that_cannot_be_loaded_says_so_and_is_tried_again(journey_url: str, open_ui: OpenUi) -> None:
    ui = open_ui(journey_url, f"#/mesh?at={journey.at(10)}", expected=("Failed to load", "net::ERR"))
    ui.page.route("**/dialogs-*.js", lambda route: route.abort())
    ui.page.keyboard.press("Control+k")
    ui.page.get_by_role("heading", name="A part of this page could not be loaded").wait_for()
    ui.page.unroute("**/dialogs-*.js")
    search(ui, "db")
    assert chosen(ui).split() == ["db", "in", "mesh"]
    ui.page.keyboard.press("Enter")
    ui.page.get_by_role("heading", name="A part of this page could not be loaded").wait_for(state="hidden")
