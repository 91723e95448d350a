"""Whatever a mesh calls its services, and whatever a notice says, it is text to the page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.processes import RunningProcess, console_script
from support.scrapes import INTERVAL_MS, edges, mesh, scrape

import vistio_core as vistio
from vistio_core.times import align, system_now_ms
from web.conftest import OpenUi

pytestmark = pytest.mark.timeout(120)

HOSTILE = '<img src=x onerror="window.hacked=1">'
NAMES = [HOSTILE, "a/b", "a--b", "constructor", "50% off?#&", "__proto__"]

NOTICE = """\'<b onmouseover="window.hacked=1">bold</b>\'
            subtitle: <i>it</i>
            link: javascript:window.hacked=1"""


@pytest.fixture(scope="module")
def hostile(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server of a recording that is full of traps."""
    recording_dir = tmp_path_factory.mktemp("hostile") / "recording"
    configuration = mesh(**{'"[{{ .value }}] High error rate"': NOTICE})
    newest_ms = align(system_now_ms(), INTERVAL_MS)
    samples = [
        *edges({"INTERNET>mesh 200": 10.0}, "ingress", ""),
        *(vistio.Sample("mesh", "http", "front", name, "200", 10.0) for name in NAMES),
        *(vistio.Sample("mesh", "http", "front", name, "500", 5.0) for name in NAMES),
    ]
    with vistio.Recording.open(recording_dir, create=True).writer() as writer:
        writer.put_configuration(configuration)
        writer.commit(scrape(newest_ms, samples, configuration=configuration))
    process = RunningProcess(
        [console_script("vistio-serve"), "--port", "0", "--recording", str(recording_dir)]
    )
    try:
        yield process.wait_for_line(r"open (http://\S+)").group(1)
        process.terminate()
    finally:
        process.kill()


def test_hostile_names_and_notices_stay_text(hostile: str, open_ui: OpenUi) -> None:
    ui = open_ui(hostile, "#/mesh")
    ui.wait_for_level("mesh")
    drawn = ui.get("vistio.snapshot().data.graph.levels.get('mesh').nodes.map((node) => node.label)")
    assert set(NAMES) <= set(drawn)
    ui.page.locator(".panel-details .row-button", has_text="onerror").first.click()
    ui.page.get_by_role("heading", name=HOSTILE).first.wait_for()
    assert (
        ui.page.locator(".notice strong").first.text_content() == '<b onmouseover="window.hacked=1">bold</b>'
    )
    # The component's own box, which is filled by innerHTML.
    for name in ("front", "a/b"):
        x, y = ui.place_of(name)
        ui.page.mouse.move(x - 200, y)
        ui.page.mouse.move(x, y)
        ui.page.wait_for_timeout(300)
    assert ui.page.locator("img, b, i, script:not([src])").count() == 0
    assert ui.page.locator("a[href^='javascript']").count() == 0
    assert ui.get("window.hacked") is None


@pytest.mark.parametrize("name", NAMES)
def test_a_link_to_any_name_shows_it_again(hostile: str, open_ui: OpenUi, name: str) -> None:
    ui = open_ui(hostile, "#/mesh")
    wire = ui.page.evaluate(
        "(label) => vistio.snapshot().data.graph.levels.get('mesh').nodes.find((node) => node.label === label).name",
        name,
    )
    ui.click_node(wire)
    ui.page.wait_for_function("(wire) => vistio.snapshot().state.selection?.node === wire", arg=wire)
    ui.wait("location.hash.includes('node=')")
    again = open_ui(hostile, ui.get("location.hash"))
    assert again.state["selection"] == {"kind": "node", "node": wire}
    again.page.locator(".panel-details").get_by_role("heading", name=name, exact=True).wait_for()
