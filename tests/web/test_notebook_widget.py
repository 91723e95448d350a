"""The page in a real JupyterLab: the kernel answers it, both tell each other where they are, and no network is used."""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Frame, Page
from support.ports import free_port
from support.processes import RunProcess

from web import journey
from web.ui import FRAMES, TIMEOUT_MS

FIRST_CELL = """\
import vistio_core as vistio
from vistio_serve.notebook import widget

recording = vistio.Recording.open({place!r})
shown = widget(recording, {at!r}, selected={{"cluster": "mesh"}})
shown"""


class Notebook:
    """A notebook in JupyterLab, as a user has it on the screen."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        page.set_default_timeout(TIMEOUT_MS)
        page.goto(f"{url}/lab/tree/widget.ipynb")
        page.wait_for_function(
            "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel"
        )

    def show(self, code: str) -> Frame:
        """Runs a cell that shows the page; returns the page once it shows a graph in its places."""
        self._add_cell()
        self.run(code)
        self._add_cell()
        frame = self.page.wait_for_selector("iframe[title=vistio]").content_frame()
        assert frame is not None
        frame.wait_for_function(
            "() => window.vistio?.snapshot().data.graph && vistio.inspect().nodes.length && !vistio.inspect().pending"
        )
        return frame

    def run(self, code: str) -> None:
        """Runs code in the last cell, which once the page is shown is the same one each time.

        A notebook that grows scrolls the page away, and a mouse that comes while it is scrolled back presses one
        thing and releases another.
        """
        self.page.evaluate(
            """(code) => {
                const {content} = jupyterapp.shell.currentWidget;
                content.activeCellIndex = content.widgets.length - 1;
                content.activeCell.model.sharedModel.setSource(code);
                void jupyterapp.commands.execute("notebook:run-cell");
            }""",
            code,
        )

    def _add_cell(self) -> None:
        self.page.evaluate(
            """() => {
                const {sharedModel} = jupyterapp.shell.currentWidget.content.model;
                sharedModel.insertCell(sharedModel.cells.length, {cell_type: "code"});
            }"""
        )

    def expect_told(self, code: str, text: str) -> None:
        """Runs code that prints, again until this stands in its output: messages are under way for a while."""
        told = ""
        for _ in range(30):
            self.run(code)
            told = self.page.locator(".jp-Cell").last.locator(".jp-OutputArea-output").inner_text()
            if text in told:
                return
            self.page.wait_for_timeout(300)
        raise AssertionError(f"waited in vain for {text!r}; last: {told!r}")

    def click_node(self, frame: Frame, node: str) -> None:
        frame.wait_for_function("(node) => vistio.placeOf(node)", arg=node)
        cursor = "document.querySelector('.traffic-canvas').style.cursor"
        place = frame.evaluate("(node) => vistio.placeOf(node)", node)
        box = frame.frame_element().bounding_box()
        assert box is not None
        x, y = box["x"] + place["x"], box["y"] + place["y"]
        self.page.mouse.move(x, y)
        # Until then the hand may be that of the node that was pointed at before.
        frame.evaluate(FRAMES)
        frame.wait_for_function(f"() => {cursor} === 'pointer'")
        self.page.mouse.click(x, y)


@pytest.fixture
def lab(browser: Browser, run_process: RunProcess, tmp_path: Path) -> str:
    """The URL of a JupyterLab that has a recording beside a notebook, and writes below the test's directory only."""
    pytest.importorskip("jupyterlab")
    journey.record(tmp_path / "recording")
    notebook = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    )
    nbformat.write(notebook, tmp_path / "widget.ipynb")
    folders = ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR")
    port = free_port()
    started = run_process(
        sys.executable,
        *("-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"),
        *("--IdentityProvider.token=", "--LabApp.expose_app_in_browser=True"),
        f"--ServerApp.root_dir={tmp_path}",
        **{name: str(tmp_path / name.lower()) for name in folders},
    )
    started.wait_for_url(f"http://127.0.0.1:{port}/api")
    return f"http://127.0.0.1:{port}"


def test_the_page_in_a_notebook_is_answered_by_the_kernel_and_both_tell_where_they_are(
    browser: Browser, lab: str, tmp_path: Path
) -> None:
    page = browser.new_page(viewport={"width": 1400, "height": 1400})
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    notebook = Notebook(page, lab)
    at = journey.at(100)
    frame = notebook.show(FIRST_CELL.format(place=str(tmp_path / "recording"), at=at))
    asked_before = len(asked)

    # What the cell asked for is what the page shows.
    state = frame.evaluate("vistio.snapshot().state")
    assert (state["travel"]["atMs"], state["path"]) == (journey.ms(100), ["mesh"])
    assert frame.evaluate("vistio.snapshot().data.graph.about.instantMs") == journey.ms(100)

    # The page's own controls, and the kernel knows: a click, a key, a button.
    notebook.click_node(frame, "cart")
    notebook.expect_told("print('selected', shown.selected)", "selected {'cluster': 'mesh', 'node': 'cart'}")
    frame.wait_for_function("() => vistio.snapshot().data.axis")
    notebook.click_node(frame, "db")
    page.keyboard.press("ArrowLeft")
    notebook.expect_told("print('it is', shown.at)", f"it is {journey.at(99)}")
    frame.get_by_role("button", name="Live").click()
    # What is loaded later is there as well.
    page.keyboard.press("Control+k")
    frame.get_by_role("dialog", name="Search everywhere").wait_for()
    page.keyboard.type("crt")
    frame.get_by_role("option", name="cart in mesh").wait_for()
    page.keyboard.press("Enter")
    frame.wait_for_function("() => vistio.snapshot().state.selection?.node === 'cart'")
    notebook.expect_told("print('live is', shown.at)", "live is None")
    # Whoever is later wins, so what the page tells has to be there before the kernel says otherwise.
    notebook.expect_told("print('found', shown.selected)", "found {'cluster': 'mesh', 'node': 'cart'}")

    # And the other way.
    notebook.run(f"shown.at, shown.window = {journey.at(30)!r}, ({journey.at(0)!r}, {journey.at(90)!r})")
    notebook.run("shown.selected = {'cluster': 'mesh', 'source': 'front', 'target': 'cart'}")
    frame.wait_for_function("(ms) => vistio.snapshot().data.graph.about.instantMs === ms", arg=journey.ms(30))
    frame.wait_for_function("() => vistio.snapshot().state.selection?.source === 'front'")
    assert frame.evaluate("vistio.snapshot().state.window") == {
        "startMs": journey.ms(0),
        "endMs": journey.ms(90),
    }

    # In another language the frame begins anew, where it was, and knows what was chosen.
    frame.get_by_role("button", name="View", exact=True).click()
    frame.locator("select.language").select_option("zh")
    frame.wait_for_function(
        "() => document.documentElement.lang === 'zh-CN' && window.vistio?.snapshot().data.graph"
    )
    frame.get_by_role("button", name="视图", exact=True).click()
    assert frame.locator("select.language").input_value() == "zh"
    assert frame.evaluate("vistio.snapshot().data.graph.about.instantMs") == journey.ms(30)

    # Nobody was asked but JupyterLab.
    assert [url for url in asked[asked_before:] if not url.startswith((lab, "blob:", "data:"))] == []
    fetched = "performance.getEntriesByType('resource').filter((each) => each.name.startsWith('http')).length"
    assert frame.evaluate(fetched) == 0
    assert complaints == []
    page.close()
