"""Marks made, edited and removed from the page, in Chromium, by who may; and only looked at by who may not."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser
from support.processes import RunningProcess, RunProcess
from support.web_config import ALICE, BOB, CI_TOKEN, basic, write

from vistio_core import Recording
from web import journey
from web.ui import Ui

MAY = "vistio.snapshot().data.access"


@pytest.fixture(scope="module")
def half_hour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("marks") / "recording"
    journey.record(place)
    return place


@pytest.fixture
def recording(half_hour: Path, recording_dir: Path) -> Recording:
    shutil.copytree(half_hour, recording_dir)
    found = Recording.open(recording_dir)
    for row in found.annotations().to_pylist():
        found.remove_annotation(row["id"])
    return found


Serve = Callable[..., str]


@pytest.fixture
def serve(run_process: RunProcess, recording: Recording, tmp_path: Path, built: None) -> Serve:
    def serve(*, more: str = "", guarded: bool = True) -> str:
        given = ("--web-config", write(tmp_path, more=more)) if guarded else ()
        process: RunningProcess = run_process(
            "vistio-serve", "--recording", str(recording.place), "--port", 0, *given
        )
        return process.wait_for_line(r"open (http://\S+)")[1]

    return serve


@pytest.fixture
def page_of(browser: Browser) -> Iterator[Callable[..., Ui]]:
    opened = []

    def open_page(
        url: str, who: tuple[str, str] | None, fragment: str = f"#/mesh?at={journey.at(10)}&node=cart"
    ) -> Ui:
        given: dict[str, Any] = {"http_credentials": {"username": who[0], "password": who[1]}} if who else {}
        context = browser.new_context(viewport={"width": 1280, "height": 800}, **given)
        opened.append(context)
        ui = Ui(context.new_page(), url)
        ui.open(fragment)
        ui.wait(MAY)
        return ui

    yield open_page
    for context in opened:
        context.close()


def marks(recording: Recording) -> list[tuple[str, str, str, str]]:
    rows = recording.annotations().to_pylist()
    return [(row["text"], row["kind"], row["cluster"], row["node"]) for row in rows]


def test_by_keyboard_alone_a_mark_is_made_edited_and_removed(
    serve: Serve, page_of: Callable[..., Ui], recording: Recording
) -> None:
    ui = page_of(serve(), ALICE)
    keyboard = ui.page.keyboard
    dialog = ui.page.get_by_role("dialog", name="Marks")
    keyboard.press("a")
    dialog.get_by_role("button", name="New mark").press("Enter")
    keyboard.type("aaa: v2 is out")  # the key that opened the dialog is a letter in a field
    dialog.get_by_label("Kind").fill("deployment")
    keyboard.press("Enter")
    dialog.get_by_role("button", name="Edit aaa: v2 is out").wait_for()
    assert marks(recording) == [("aaa: v2 is out", "deployment", "mesh", "cart")]
    (row,) = recording.annotations().to_pylist()
    assert round(row["start"].timestamp() * 1000) == journey.ms(10)
    ui.screenshot("marks")

    dialog.get_by_role("button", name="Edit aaa").press("Enter")
    dialog.get_by_label("What happened").fill("v3 is out")
    dialog.get_by_role("button", name="Save").press("Enter")
    dialog.get_by_role("button", name="Edit v3 is out").wait_for()
    assert [row[0] for row in marks(recording)] == ["v3 is out"]

    dialog.get_by_role("button", name="Remove v3 is out").press("Enter")
    sure = dialog.get_by_role("button", name="Really remove v3 is out")
    assert sure.evaluate("each => each === document.activeElement")
    assert len(marks(recording)) == 1
    keyboard.press("Enter")
    dialog.get_by_text("There are none").wait_for()
    assert marks(recording) == []
    keyboard.press("a")
    dialog.wait_for(state="hidden")
    assert ui.state["path"] == ["mesh"]
    assert ui.errors == []


def test_what_is_wrong_is_said_and_what_was_written_stays(
    serve: Serve, page_of: Callable[..., Ui], recording: Recording
) -> None:
    ui = page_of(serve(), ALICE)
    ui.expected = ("status of 400",)
    ui.page.keyboard.press("a")
    dialog = ui.page.get_by_role("dialog", name="Marks")
    dialog.get_by_role("button", name="New mark").click()
    dialog.get_by_label("What happened").fill("<b>bold</b>")
    dialog.get_by_label("Until").fill("25:00")
    dialog.get_by_role("button", name="Save").click()
    dialog.get_by_text("Until: 25:00 is no moment").wait_for()
    dialog.get_by_label("Until").fill("")
    dialog.get_by_label("Link").fill("javascript:alert(1)")
    dialog.get_by_role("button", name="Save").click()
    dialog.get_by_text("use an address that begins with http").wait_for()
    assert dialog.get_by_label("What happened").input_value() == "<b>bold</b>"
    dialog.get_by_label("Link").fill("")
    dialog.get_by_role("button", name="Save").click()
    dialog.get_by_text("<b>bold</b>").wait_for()
    assert dialog.locator("b").count() == 0
    assert ui.errors == []


def test_who_may_only_read_sees_marks_and_no_form(
    serve: Serve, page_of: Callable[..., Ui], recording: Recording
) -> None:
    recording.annotate("v1 is out", at=journey.at(5))
    ui = page_of(serve(), BOB)
    ui.page.get_by_role("button", name="Marks").click()
    dialog = ui.page.get_by_role("dialog", name="Marks")
    dialog.get_by_text("v1 is out").wait_for()
    for name in ("New mark", "Edit", "Remove"):
        assert dialog.get_by_role("button", name=name).count() == 0
    dialog.get_by_role("button", name="v1 is out").click()
    ui.wait(f"vistio.snapshot().state.travel.atMs === {journey.ms(5)}")
    assert ui.errors == []


def test_a_token_opens_the_form_where_reading_is_open_to_all(
    serve: Serve, page_of: Callable[..., Ui], recording: Recording
) -> None:
    ui = page_of(serve(more="anonymous_scopes: [read]\n"), None)
    ui.expected = ("status of 401",)
    ui.page.keyboard.press("a")
    dialog = ui.page.get_by_role("dialog", name="Marks")
    assert dialog.get_by_role("button", name="New mark").count() == 0
    dialog.get_by_label("Token").fill("0" * 32)
    dialog.get_by_role("button", name="Use token").click()
    dialog.get_by_text("not known here").wait_for()
    dialog.get_by_label("Token").fill(CI_TOKEN)
    dialog.get_by_role("button", name="Use token").click()
    dialog.get_by_role("button", name="New mark").click()
    dialog.get_by_label("What happened").fill("by ci")
    dialog.get_by_role("button", name="Save").click()
    dialog.get_by_role("button", name="Edit by ci").wait_for()
    assert [row[0] for row in marks(recording)] == ["by ci"]
    assert (
        ui.page.evaluate("JSON.stringify([localStorage, sessionStorage, location.href])").count(CI_TOKEN) == 0
    )


def test_without_a_web_configuration_the_page_says_who_could(
    serve: Serve, page_of: Callable[..., Ui]
) -> None:
    ui = page_of(serve(guarded=False), None)
    ui.page.keyboard.press("a")
    dialog = ui.page.get_by_role("dialog", name="Marks")
    dialog.get_by_text("Nobody makes marks from this page").wait_for()
    assert dialog.get_by_role("button", name="New mark").count() == 0
    assert dialog.get_by_label("Token").count() == 0 or not dialog.get_by_label("Token").is_visible()
    assert ui.errors == []


def test_a_page_of_somebody_else_cannot_make_a_mark_with_this_browsers_password(
    serve: Serve, page_of: Callable[..., Ui], recording: Recording
) -> None:
    """Loaded from another port, which is another origin, in a browser that knows alice's password."""
    from http.server import BaseHTTPRequestHandler

    from support.loopback import LoopbackServer

    url = serve()
    asked: list[str] = []

    class Evil(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<title>evil</title>")

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    server = LoopbackServer(Evil)
    with server.running():
        ui = page_of(url, ALICE)
        ui.page.goto(server.url)
        for kind in ("text/plain", "application/json"):
            for mode in ("no-cors", "cors"):
                ui.page.evaluate(
                    "([url, kind, mode]) => fetch(url + 'annotations', {method: 'POST', mode, credentials: 'include',"
                    " headers: {'Content-Type': kind}, body: JSON.stringify({text: 'evil'})}).then(() => 1, () => 0)",
                    [url, kind, mode],
                )
        ui.page.evaluate(
            "(url) => { const form = document.createElement('form'); form.method = 'post'; form.enctype = 'text/plain';"
            " form.action = url + 'annotations'; document.body.append(form); form.submit(); }",
            url,
        )
        ui.page.wait_for_load_state()
    assert asked
    assert marks(recording) == []
    assert requests.get(f"{url}annotations", headers=basic(*BOB), timeout=10).json() == {"annotations": []}
