"""Pan and zoom of the picture, and places that nodes were dragged to, with a real mouse and real fingers."""

from __future__ import annotations

import json
from pathlib import Path

from web.conftest import OpenUi
from web.ui import Ui

ZOOMED = "!document.querySelector('.minimap-map').hidden"


def wheel(ui: Ui, x: float, y: float, delta: float) -> None:
    ui.page.mouse.move(x, y)
    ui.page.mouse.wheel(0, delta)


def open_view(ui: Ui) -> None:
    ui.page.get_by_role("button", name="View", exact=True).click()
    ui.page.get_by_role("button", name="Save file").wait_for()
    ui.wait("!vistio.inspect().pending")


def test_the_wheel_zooms_around_the_mouse_and_the_ground_can_be_dragged(open_ui: OpenUi, demo: str) -> None:
    ui = open_ui(demo, "#/eu-west?at=-10m")
    there, before = ui.place_of("mongodb"), ui.place_of("gateway")
    wheel(ui, *there, -500)
    ui.wait(ZOOMED)
    after = ui.place_of("mongodb")
    assert abs(after[0] - there[0]) < 3
    assert abs(after[1] - there[1]) < 3
    far = (ui.place_of("gateway")[0] - after[0]) / (before[0] - there[0])
    assert 1.8 < far < 2.5, "everything else is further away"
    ui.screenshot("zoomed")
    box = ui.page.locator(".traffic-canvas").bounding_box()
    assert box is not None
    ui.page.mouse.move(box["x"] + 30, box["y"] + 30)
    ui.page.mouse.down()
    ui.page.mouse.move(box["x"] + 110, box["y"] + 60, steps=3)
    ui.page.mouse.up()
    moved = ui.place_of("mongodb")
    assert 60 < moved[0] - after[0] < 100
    assert ui.state["places"] == {}, "the ground was dragged, not a node"
    # A node is found where it is now.
    ui.click_node("mongodb")
    ui.wait("vistio.snapshot().state.selection?.node === 'mongodb'")
    ui.page.keyboard.press("z")
    ui.wait(f"!({ZOOMED})")
    assert ui.place_of("mongodb") == there


def test_keys_zoom_and_the_map_says_where_one_is(open_ui: OpenUi, demo: str) -> None:
    ui = open_ui(demo, "#/eu-west?at=-10m")
    whole = ui.place_of("gateway")
    for _ in range(3):
        ui.page.keyboard.press(".")
    ui.wait(ZOOMED)
    at = ui.state["travel"]["atMs"]
    ui.page.locator(".traffic-canvas").focus()
    before = ui.place_of("gateway")
    ui.page.keyboard.press("ArrowLeft")
    assert ui.place_of("gateway")[0] > before[0]
    assert ui.state["travel"]["atMs"] == at, "time stands still"
    map_box = ui.page.locator(".minimap-canvas").bounding_box()
    assert map_box is not None
    ui.page.mouse.click(map_box["x"] + 2, map_box["y"] + map_box["height"] / 2)
    left = ui.place_of("gateway")[0]
    ui.page.mouse.click(map_box["x"] + map_box["width"] - 2, map_box["y"] + map_box["height"] / 2)
    assert ui.place_of("gateway")[0] < left
    ui.page.locator(".traffic-canvas").focus()
    ui.page.keyboard.press("0")
    ui.wait(f"!({ZOOMED})")
    assert ui.place_of("gateway") == whole


def test_two_fingers_zoom(open_ui: OpenUi, demo: str) -> None:
    ui = open_ui(demo, "#/eu-west?at=-10m", has_touch=True)
    box = ui.page.locator(".traffic-canvas").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touch = ui.page.context.new_cdp_session(ui.page)

    def fingers(kind: str, apart: float) -> None:
        points = (
            []
            if kind == "touchEnd"
            else [{"x": x + side * apart, "y": y, "id": side + 1} for side in (-1, 1)]
        )
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    fingers("touchStart", 50)
    for apart in (70, 100, 150):
        fingers("touchMove", apart)
    fingers("touchEnd", 0)
    ui.wait(ZOOMED)


def test_a_dragged_node_stays_there_at_every_instant_and_for_whoever_gets_the_link_or_the_file(
    open_ui: OpenUi, demo: str, tmp_path: Path
) -> None:
    ui = open_ui(demo, "#/eu-west?at=-10m")
    # Its bar takes room from the picture.
    open_view(ui)
    x, y = ui.place_of("mysql")
    ui.hover(x, y)
    ui.page.mouse.down()
    ui.page.mouse.move(x - 60, y - 40, steps=4)
    ui.page.mouse.up()
    ui.wait("vistio.snapshot().state.places['eu-west']?.mysql")
    put = ui.place_of("mysql")
    assert abs(put[0] - (x - 60)) < 8
    for _ in range(3):
        ui.page.keyboard.press("Shift+ArrowLeft")
    ui.page.keyboard.press("l")
    ui.wait("document.querySelector('.badge-live').dataset.mode === 'live'")
    assert ui.place_of("mysql") == put
    ui.wait("location.hash.includes('place=')")
    again = open_ui(demo, ui.get("location.hash"))
    open_view(again)
    assert abs(again.place_of("mysql")[0] - put[0]) < 2

    with ui.page.expect_download() as saved:
        ui.page.get_by_role("button", name="Save file").click()
    file = tmp_path / "places.json"
    saved.value.save_as(file)
    assert "mysql" in json.loads(file.read_text())["places"]["eu-west"]
    ui.page.get_by_label("Name to keep places under").fill("mine")
    ui.page.get_by_role("button", name="Keep", exact=True).click()
    ui.page.get_by_text("Kept as mine.").wait_for()
    ui.page.get_by_role("button", name="Lay out again").click()
    ui.wait("!Object.keys(vistio.snapshot().state.places).length")
    assert abs(ui.place_of("mysql")[0] - x) < 2
    ui.page.get_by_label("Places that were kept").select_option("")
    ui.page.get_by_label("Places that were kept").select_option("mine")
    ui.wait("vistio.snapshot().state.places['eu-west']?.mysql")
    assert ui.place_of("mysql") == put

    again.page.get_by_role("button", name="Lay out again").click()
    again.page.locator("input[type=file]").set_input_files(file)
    again.wait("vistio.snapshot().state.places['eu-west']?.mysql")
    assert abs(again.place_of("mysql")[0] - put[0]) < 2
    again.page.locator("input[type=file]").set_input_files(
        {"name": "other.json", "mimeType": "application/json", "buffer": b"{}"}
    )
    again.page.get_by_text("This is no file of places").wait_for()
