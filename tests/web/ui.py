"""The web UI in a real browser, as a user drives it: with a mouse, keys and an address."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Page

from vistio_serve.routes import ROUTES

SCREENSHOTS = Path(__file__).parents[2] / "artifacts" / "screenshots"
TIMEOUT_MS = 60_000
_POLL_MS = 100
FRAMES = "async () => { for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame); }"
_UNION_ANSWERED = (
    "performance.getEntriesByType('resource').some("
    "(entry) => entry.name.includes('stable=') && entry.responseEnd > 0)"
)


class Ui:
    """A page of the web UI.

    Attributes:
        errors: what the browser's console and the page's scripts complained of.
        expected: parts of complaints that a test brings about itself, such as ``status of 503``.
    """

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.errors: list[str] = []
        self.expected: tuple[str, ...] = ()
        page.set_default_timeout(TIMEOUT_MS)
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.errors.append(f"uncaught: {error}"))

    def open(self, fragment: str = "") -> None:
        """Loads the page as somebody does who was sent this link, and waits for its picture, in its final places."""
        self.load(fragment)
        self.wait(
            # In another language than English the page waits for its texts.
            "window.vistio && vistio.snapshot().data.graph && vistio.inspect().nodes.length"
            " && !vistio.inspect().zooming"
        )
        # Places are made anew once, when the page learns what else was there in its window.
        self.wait(f"{_UNION_ANSWERED} && !vistio.inspect().pending")

    def load(self, fragment: str = "") -> None:
        """Loads the page, whatever it shows."""
        # A fragment alone would only navigate within the page that is there.
        self.page.goto("about:blank")
        self.page.goto(self.url + fragment)

    def wait(self, condition: str) -> None:
        """Returns once a JavaScript expression is true."""
        self.page.wait_for_function(f"() => {condition}", polling=_POLL_MS)

    def get(self, expression: str) -> Any:
        return self.page.evaluate(expression)

    @property
    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = self.get("vistio.snapshot().state")
        return state

    @property
    def level(self) -> str:
        return str(self.get("vistio.inspect().level"))

    def place_of(self, node: str) -> tuple[float, float]:
        """Where a node is on the page, once it is there and stays: a bar that opens takes room from the picture."""
        self.page.wait_for_function("(node) => vistio.placeOf(node)", arg=node, polling=_POLL_MS)
        place = None
        for _ in range(20):
            before, place = place, self.page.evaluate("(node) => vistio.placeOf(node)", node)
            if place == before:
                break
            self.page.wait_for_timeout(100)
        return place["x"], place["y"]

    def hover(self, x: float, y: float) -> None:
        """Moves the mouse onto a node, and waits until the picture has noticed: a click means nothing before."""
        self.page.mouse.move(x, y)
        # What is under the mouse is found out while a frame is drawn, and a busy machine draws few.
        self.page.evaluate(FRAMES)
        self.wait("document.querySelector('.traffic-canvas').style.cursor === 'pointer'")

    def click_node(self, node: str, *, held_ms: float = 0) -> None:
        x, y = self.place_of(node)
        self.hover(x, y)
        self.page.mouse.click(x, y, delay=held_ms)

    def double_click_node(self, node: str) -> None:
        x, y = self.place_of(node)
        self.hover(x, y)
        self.page.mouse.dblclick(x, y)

    def enter(self, node: str, level: str) -> None:
        """Double-clicks a node and waits until its level is drawn and stands still."""
        self.double_click_node(node)
        self.wait_for_level(level)

    def wait_for_level(self, level: str) -> None:
        self.wait(
            f"vistio.inspect().level === {level!r} && vistio.inspect().nodes.length && !vistio.inspect().zooming"
        )

    def wait_for_particles(self) -> None:
        self.wait("vistio.inspect().particles > 10")

    def timeline_box(self) -> dict[str, float]:
        box = self.page.locator(".timeline .u-over").bounding_box()
        assert box is not None
        return dict(box)

    def click_timeline(self, share: float, *, trembling_px: float = 0) -> None:
        """Clicks the timeline at a share of its width, with a hand that moves the mouse meanwhile."""
        box = self.timeline_box()
        x, y = box["x"] + share * box["width"], box["y"] + box["height"] / 2
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + trembling_px, y)
        self.page.mouse.up()

    def screenshot(self, name: str) -> None:
        """Kept as an artefact of the test run, in a folder that git ignores."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")

    def colours_at(self, x: float, y: float, size: int = 24) -> int:
        """How many different colours a square around a place has: one where nothing is drawn."""
        clip = {"x": x - size / 2, "y": y - size / 2, "width": size, "height": size}
        png = self.page.screenshot(clip=clip)  # type: ignore[arg-type]  # a TypedDict of the same keys
        return len(_pixels(png))

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type != "error":
            return
        address = urlsplit(message.location.get("url", ""))
        asked = "/" + address.path.rpartition("/")[2]
        known = {route.path: route.known for route in ROUTES}
        # The page asks more than this server answers yet, and says so on the page.
        if "status of 404" in message.text and asked not in known:
            return
        # A cluster or a node that was never recorded: the page says so.
        if "status of 404" in message.text and asked == "/timeline":
            return
        if "status of 400" in message.text and "stable=" in address.query and "stable" not in known[asked]:
            return
        if not any(part in message.text for part in self.expected):
            self.errors.append(f"{message.text} ({message.location})")


def _pixels(png: bytes) -> set[tuple[int, ...]]:
    import io

    from PIL import Image

    image = Image.open(io.BytesIO(png)).convert("RGB")
    found = image.getcolors(maxcolors=image.width * image.height) or []
    return {colour for _, colour in found if isinstance(colour, tuple)}


def instant_of(fragment: str) -> str:
    """The instant in a link of the page."""
    found = re.search(r"at=([^&]+)", fragment)
    assert found, fragment
    return found[1].replace("%3A", ":")
