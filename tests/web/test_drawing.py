"""The picture is drawn where it would look different, and only there; it looks as it always did."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from web.conftest import OpenUi
from web.ui import FRAMES, TIMEOUT_MS, Ui

# A frame is one in which something was drawn with WebGL; the page may do other things in a frame.
COUNTING = """
(() => {
  window.drawn = {frames: 0, at: -1};
  for (const name of ['drawArrays', 'drawElements']) {
    const draw = WebGLRenderingContext.prototype[name];
    WebGLRenderingContext.prototype[name] = function (...given) {
      const now = document.timeline.currentTime;
      if (drawn.at !== now) Object.assign(drawn, {frames: drawn.frames + 1, at: now});
      return draw.apply(this, given);
    };
  }
})()
"""
STILL = """
if (location.protocol === 'http:') localStorage.setItem('vistio.display', JSON.stringify({particles: false}));
"""
# Five seconds of the page's own frames, in none of which anything is drawn.
IDLE = """async () => {
  const before = drawn.frames, since = performance.now();
  while (performance.now() - since < 5000) await new Promise(requestAnimationFrame);
  return drawn.frames - before;
}"""
AT = "at=-10m"

Opened = Callable[..., Ui]


@pytest.fixture
def open_counted(open_ui: OpenUi, demo: str) -> Opened:
    """The demo's page, with its frames counted from then on."""

    def open_(fragment: str, *scripts: str, **options: object) -> Ui:
        ui = open_ui("about:blank", drawn=False, **options)
        for script in (COUNTING, *scripts):
            ui.page.add_init_script(script)
        ui.url = demo
        ui.open(fragment)
        return ui

    return open_


def rest(ui: Ui) -> None:
    """Waits until nothing was drawn for more than half a second, and so many of the page's frames."""
    ui.page.wait_for_function(
        """async () => {
          const before = drawn.frames, since = performance.now();
          for (let frame = 0; frame < 20 || performance.now() - since < 600; frame++)
            await new Promise(requestAnimationFrame);
          return drawn.frames === before;
        }""",
        timeout=TIMEOUT_MS,
    )


def frames(ui: Ui) -> int:
    return int(ui.get("drawn.frames"))


def picture(ui: Ui) -> Image.Image:
    return Image.open(io.BytesIO(ui.page.locator(".traffic-canvas").screenshot())).convert("RGB")


def colours(image: Image.Image) -> int:
    return len(image.getcolors(maxcolors=1 << 24) or [])


def test_a_past_without_particles_draws_no_frame_and_is_seen_all_the_time(open_counted: Opened) -> None:
    ui = open_counted(f"#/eu-west?{AT}", STILL)
    rest(ui)
    before = picture(ui)
    assert ui.page.evaluate(IDLE) == 0
    after = picture(ui)
    assert colours(after) > 50
    assert after.tobytes() == before.tobytes()


def test_reduced_motion_draws_no_frame(open_counted: Opened) -> None:
    ui = open_counted(f"#/eu-west?{AT}", reduced_motion="reduce")
    rest(ui)
    assert colours(picture(ui)) > 50


def test_particles_move_until_something_lies_over_the_picture(open_counted: Opened) -> None:
    ui = open_counted(f"#/eu-west?{AT}")
    ui.wait_for_particles()
    for key in ("?", "v", "m"):
        before = frames(ui)
        ui.wait(f"drawn.frames > {before + 5}")
        ui.page.keyboard.press(key)
        rest(ui)
        ui.page.keyboard.press("Escape" if key != "v" else key)
    before = frames(ui)
    ui.wait(f"drawn.frames > {before + 5}")


def test_what_changes_is_drawn_on_a_picture_that_stands_still(open_counted: Opened) -> None:
    ui = open_counted(f"#/eu-west?{AT}", STILL)
    rest(ui)

    def changed_by(action: Callable[[], None]) -> bool:
        before, seen = frames(ui), picture(ui)
        action()
        ui.wait(f"drawn.frames > {before}")
        rest(ui)
        return picture(ui).tobytes() != seen.tobytes()

    x, y = ui.place_of("productpage")
    box = ui.page.locator(".traffic-canvas").bounding_box()
    assert box
    assert changed_by(lambda: ui.hover(x, y)), "what the mouse is on"
    assert changed_by(lambda: ui.page.mouse.move(box["x"] + 3, box["y"] + 3)), "and is no longer on"
    assert changed_by(lambda: ui.hover(x, y))
    assert changed_by(lambda: ui.page.mouse.move(box["x"] + 100, 2)), (
        "nor where the mouse has left the picture"
    )
    assert changed_by(lambda: ui.page.mouse.click(x, y)), "what was selected"
    assert changed_by(lambda: ui.page.keyboard.press("Escape")), "and no longer is"
    for key in (".", "z", "Shift+ArrowLeft", "h"):
        assert changed_by(partial(ui.page.keyboard.press, key)), key
    assert changed_by(lambda: ui.page.set_viewport_size({"width": 1000, "height": 700})), "another size"
    instant = ui.get("vistio.snapshot().data.graph.about.instantMs")
    ui.page.keyboard.press("Shift+ArrowLeft")
    ui.wait(f"vistio.snapshot().data.graph.about.instantMs < {instant} && !vistio.inspect().pending")


def test_colours_and_motion_of_the_system_are_followed_at_once(open_counted: Opened) -> None:
    ui = open_counted(f"#/eu-west?{AT}", color_scheme="dark")
    ui.wait("drawn.frames > 5")
    ui.page.emulate_media(reduced_motion="reduce")
    rest(ui)
    dark = picture(ui)
    ui.page.emulate_media(color_scheme="light")
    ui.wait("document.documentElement.dataset.theme === 'light'")
    rest(ui)
    assert picture(ui).tobytes() != dark.tobytes()
    before = frames(ui)
    ui.page.emulate_media(reduced_motion="no-preference")
    ui.wait(f"drawn.frames > {before + 5}")


def test_a_node_is_dragged_on_a_picture_that_stands_still(open_counted: Opened) -> None:
    ui = open_counted(f"#/eu-west?{AT}", STILL)
    rest(ui)
    seen = picture(ui)
    x, y = ui.place_of("productpage")
    ui.hover(x, y)
    ui.page.mouse.down()
    for step in range(1, 6):
        ui.page.mouse.move(x, y + 20 * step)
        ui.page.evaluate(FRAMES)
    ui.page.mouse.up()
    rest(ui)
    assert ui.place_of("productpage")[1] > y + 50
    assert picture(ui).tobytes() != seen.tobytes()


def test_a_level_is_entered_and_left_on_a_picture_that_stands_still(open_counted: Opened) -> None:
    ui = open_counted(f"#/?{AT}", STILL)
    rest(ui)
    ui.enter("eu-west", "eu-west")
    rest(ui)
    assert "productpage" in ui.get("vistio.inspect().nodes")
    assert colours(picture(ui)) > 50
    ui.page.keyboard.press("Escape")
    ui.wait_for_level("")
    rest(ui)
    assert colours(picture(ui)) > 50


def test_a_picture_that_stood_still_can_be_taken_away(open_counted: Opened) -> None:
    ui = open_counted(f"#/eu-west?{AT}", STILL)
    rest(ui)
    ui.page.keyboard.press("x")
    with ui.page.expect_download() as taken:
        ui.page.get_by_role("dialog", name="Export").get_by_role("button", name="Picture (PNG)").click()
    image = Image.open(Path(taken.value.path())).convert("RGB")
    canvas = ui.page.locator(".traffic-canvas").bounding_box()
    assert canvas
    drawn = image.crop((0, 0, int(2 * canvas["width"]), int(canvas["height"])))
    assert colours(drawn) > 50
