"""Keys and moments: what one types does what it says, or it is said why not."""

from __future__ import annotations

import re

import pytest

from vistio_core.times import format_instant
from web import journey
from web.conftest import OpenUi

SHOWN = "vistio.snapshot().data.graph?.about.instantMs"


@pytest.mark.parametrize("moment", ["garbage", "2026-02-30T05:00:00Z", "25:00"])
def test_a_link_to_a_moment_that_is_none_says_so_and_never_shows_live(
    moment: str, demo: str, open_ui: OpenUi
) -> None:
    ui = open_ui(demo, f"#/eu-west?at={moment}", drawn=False)
    said = ui.page.locator(".state[data-kind='no-moment']")
    said.get_by_role("heading", name=f"There is no moment {moment}").wait_for()
    badge = ui.page.locator(".badge-live")
    ui.wait("vistio.snapshot().data.axis && vistio.snapshot().data.happened?.found")
    assert badge.text_content() == "NO SUCH MOMENT"
    assert ui.get("vistio.snapshot().data.graph") is None
    assert said.is_visible()
    assert "no such moment" in ui.page.title()
    said.get_by_role("button", name="Show what is now").click()
    ui.wait("document.querySelector('.badge-live').dataset.mode === 'live'")


def test_a_link_by_hand_becomes_the_moment_in_the_address(demo: str, open_ui: OpenUi) -> None:
    ui = open_ui(demo, "#/eu-west?at=-45m")
    at_ms = ui.state["travel"]["atMs"]
    held = ui.page.evaluate("decodeURIComponent(location.hash)")
    assert re.search(r"at=(\S+)$", held)[1][:19] == format_instant(at_ms - at_ms % 1000)[:19]  # type: ignore[index]


def test_what_is_typed_is_gone_to_or_refused_in_words(journey_url: str, open_ui: OpenUi) -> None:
    ui = open_ui(journey_url, f"#/mesh?at={journey.at(10)}")
    ui.wait("vistio.snapshot().data.axis")
    refused = ui.page.locator(".clock-refused")
    ui.page.keyboard.press("t")
    ui.page.keyboard.type("25:00")
    ui.page.keyboard.press("Enter")
    refused.get_by_text("25:00 is no moment; such are 03:35, -2h").wait_for()
    assert ui.state["travel"]["atMs"] == journey.ms(10)
    ui.page.keyboard.type(journey.at(20).replace("T05:", "T06:").replace("Z", "+01:00"))
    ui.page.keyboard.press("Enter")
    ui.wait(f"{SHOWN} === {journey.ms(20)}")
    assert refused.text_content() == ""
    ui.page.keyboard.press("t")
    ui.page.keyboard.press("Escape")
    assert ui.get("document.activeElement === document.body")
    assert ui.state["path"] == ["mesh"], "Esc left the field and nothing else"


def test_keys_work_on_after_a_control_was_clicked_and_stay_with_one_that_was_come_to_by_keyboard(
    journey_url: str, open_ui: OpenUi
) -> None:
    ui = open_ui(journey_url, f"#/mesh?at={journey.at(20)}")
    ui.wait("vistio.snapshot().data.axis")
    at = "vistio.snapshot().state.travel.atMs"
    for key, form in (("f", "Filters"), ("g", "View")):
        ui.page.keyboard.press(key)
        ui.page.get_by_role("form", name=form).wait_for()
        ui.page.keyboard.press(key)
        ui.page.get_by_role("form", name=form).wait_for(state="hidden")
    ui.page.keyboard.press("g")
    names = ui.page.get_by_role("checkbox", name="names")
    names.click()
    assert not names.is_checked()
    ui.page.keyboard.press("ArrowRight")
    ui.wait(f"{at} === {journey.ms(21)}")
    ui.page.keyboard.press("Space")
    ui.wait("vistio.snapshot().state.travel.mode === 'playing'")
    ui.page.keyboard.press("Space")
    ui.wait("vistio.snapshot().state.travel.mode === 'at'")
    assert not names.is_checked()
    layout = ui.page.get_by_label("Layout")
    layout.click()
    ui.page.keyboard.press("Escape")
    before = ui.get(at)
    ui.page.keyboard.press("ArrowLeft")
    ui.wait(f"{at} === {before} - 10000")
    assert layout.input_value() == "auto"
    # By keyboard they are what they are everywhere.
    ui.page.keyboard.press("Tab")
    while ui.get("document.activeElement.type") != "checkbox":
        ui.page.keyboard.press("Tab")
    checked = ui.get("document.activeElement.checked")
    ui.page.keyboard.press("Space")
    assert ui.get("document.activeElement.checked") is not checked
    assert ui.state["travel"]["mode"] == "at"


def test_no_key_acts_under_a_dialog_and_the_same_key_closes_it(journey_url: str, open_ui: OpenUi) -> None:
    ui = open_ui(journey_url, f"#/mesh?at={journey.at(10)}&node=cart")
    for key, name in (("?", "Help"), ("x", "Export")):
        dialog = ui.page.get_by_role("dialog", name=name)
        before = ui.state
        ui.page.keyboard.press(key)
        dialog.wait_for()
        for under in ("ArrowLeft", "l", "c", "v"):
            ui.page.keyboard.press(under)
        assert ui.state == before
        ui.page.keyboard.press(key)
        dialog.wait_for(state="hidden")
        ui.page.keyboard.press(key)
        dialog.wait_for()
        ui.page.keyboard.press("Escape")
        dialog.wait_for(state="hidden")
        assert ui.state["selection"] == {"kind": "node", "node": "cart"}, "Esc closed the dialog alone"


def test_the_tab_tells_of_error_notices(journey_url: str, open_ui: OpenUi) -> None:
    ui = open_ui(journey_url, f"#/mesh?at={journey.at(124)}")
    icon = "document.querySelector('link[rel=icon]').href"
    ui.wait(f"{icon}.endsWith('icon-error.svg')")
    assert ui.page.title() == f"(!) mesh 0 % errors · {journey.at(124)} · vistio"
    ui.page.evaluate("(hash) => { location.hash = hash }", f"#/mesh?at={journey.at(10)}")
    ui.wait(f"{icon}.endsWith('/icon.svg')")
    assert ui.page.title() == f"mesh · {journey.at(10)} · vistio"


def test_a_copied_link_holds_the_moment_that_was_shown(journey_url: str, open_ui: OpenUi) -> None:
    ui = open_ui(journey_url, f"#/mesh?at={journey.at(20)}&node=cart")
    ui.wait("vistio.snapshot().data.axis")
    ui.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ui.page.keyboard.press("x")
    export = ui.page.get_by_role("dialog", name="Export")
    export.get_by_role("button", name="Copy link").click()
    export.get_by_text("Copied.").wait_for()
    link = ui.get("navigator.clipboard.readText()")
    assert link == ui.page.get_by_label("Link to what is shown").input_value()
    other = open_ui(journey_url, link[link.index("#") :])
    assert other.state["selection"] == {"kind": "node", "node": "cart"}
    assert other.get(SHOWN) == journey.ms(20)
