"""Whatever a mesh calls its services, and whatever notices, errors and annotations say, it is text to the page."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import pytest
from support.processes import served
from support.scrapes import INTERVAL_MS, edges, mesh, scrape

import vistio_core as vistio
from vistio_core.names import visible
from vistio_core.storage.annotations import Annotation
from vistio_core.times import align, format_instant, system_now_ms
from web.conftest import OpenUi
from web.ui import Ui

HOSTILE = '<img src=x onerror="window.hacked=1">'
NAMES = [HOSTILE, "a/b", "a--b", "constructor", "50% off?#&", "__proto__"]
# Each but the first looks like another one, or like something that it is not.
ALIKE = ["cart", "ca\u200brt", "cart\n", "cart ", "trac\u202e", "caf\u00e9", "cafe\u0301", "\\u202e"]

NOTICE = """\'<b onmouseover="window.hacked=1">bold</b>\'
            subtitle: <i>it</i>
            link: javascript:window.hacked=1"""


CONFIGURATION = mesh(**{'"[{{ .value }}] High error rate"': NOTICE})
NEWEST_MS = align(system_now_ms(), INTERVAL_MS)
# Not live: a machine may be so slow that the newest instant is too old for that.
THEN = f"#/mesh?at={format_instant(NEWEST_MS)}"
ERROR = '</p><img src=x onerror="window.hacked=1"> is no answer'
MARK = '<b onclick="window.hacked=1">deployed</b>'


def samples_of(names: list[str]) -> list[vistio.Sample]:
    return [
        *edges({"INTERNET>mesh 200": 10.0}, "ingress", ""),
        *(vistio.Sample("mesh", "http", "front", name, "200", 10.0) for name in names),
        *(vistio.Sample("mesh", "http", "front", name, "500", 5.0) for name in names),
    ]


def failing(error: str) -> vistio.Scrape:
    """The newest scrape, in which one rule was answered with an error."""
    made = scrape(NEWEST_MS, samples_of([*NAMES, *ALIKE]), configuration=CONFIGURATION, saturation="failed")
    outcomes = tuple(
        attrs.evolve(each, error=error) if each.rule == "saturation" else each for each in made.outcomes
    )
    return attrs.evolve(made, outcomes=outcomes)


@pytest.fixture(scope="module")
def hostile(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server of a recording that is full of traps."""
    recording_dir = tmp_path_factory.mktemp("hostile") / "recording"
    recording = vistio.Recording.open(recording_dir, create=True)
    with recording.writer() as writer:
        writer.put_configuration(CONFIGURATION)
        writer.commit(
            scrape(NEWEST_MS - INTERVAL_MS, samples_of(["a/b", "<i>gone</i>"]), configuration=CONFIGURATION)
        )
        writer.commit(failing(ERROR))
    recording.annotate(Annotation(NEWEST_MS - INTERVAL_MS, MARK, tags={"<i>by</i>": "<i>me</i>"}))
    with served(recording_dir) as url:
        yield url


def test_hostile_names_and_notices_stay_text(hostile: str, open_ui: OpenUi) -> None:
    ui = open_ui(hostile, THEN)
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
    assert_nothing_was_parsed(ui)


def test_hostile_errors_of_rules_annotations_and_changes_stay_text(hostile: str, open_ui: OpenUi) -> None:
    ui = open_ui(hostile, f"{THEN}&baseline={format_instant(NEWEST_MS - INTERVAL_MS)}")
    failed = ui.page.locator(".state[data-kind='failed-rules']")
    assert ERROR in failed.inner_text()
    ui.page.locator(".panel-compare").get_by_text("<i>gone</i>").first.wait_for()
    ui.page.locator(".panel-compare").get_by_text("onerror").first.wait_for()
    ui.page.wait_for_function(
        "(text) => vistio.snapshot().data.annotations.some((each) => each.text === text)", arg=MARK
    )
    box = ui.timeline_box()
    ui.page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + box["height"] / 2)
    ui.page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + box["height"] / 2)
    ui.wait("document.querySelector('.timeline-readout').textContent.includes('requests/s')")
    ui.page.locator("body").press("v")
    ui.page.locator(".level-table").get_by_text("onerror").first.wait_for()
    assert_nothing_was_parsed(ui)


def assert_nothing_was_parsed(ui: Ui) -> None:
    assert ui.page.locator("img, b, i, script:not([src])").count() == 0
    assert ui.page.locator("a[href^='javascript']").count() == 0
    assert ui.get("window.hacked") is None


def test_names_that_look_alike_are_shown_as_what_they_are(hostile: str, open_ui: OpenUi) -> None:
    ui = open_ui(hostile, f"{THEN}&baseline={format_instant(NEWEST_MS - INTERVAL_MS)}")
    ui.wait_for_level("mesh")
    shown = {visible(name) for name in ALIKE}
    assert len(shown) == len(ALIKE)
    # New since the pinned moment, so each has a sign in front.
    assert {f"+ {each}" for each in shown} <= set(ui.get("Object.values(vistio.inspect().labels)"))
    assert shown <= set(
        ui.get("vistio.snapshot().data.graph.levels.get('mesh').nodes.map((node) => node.label)")
    )
    for place in (".panel-details", ".panel-compare"):
        ui.page.locator(place).get_by_text("front → ").first.wait_for()
        more = ui.page.locator(f"{place} .quiet-button:visible", has_text="more")
        while more.count():
            more.first.click()
        words = ui.get(f"document.querySelector('{place}').textContent")
        assert all(f"front → {each}" in words for each in shown)
        titles = ui.get(
            f"[...document.querySelectorAll('{place} [title]')].map((each) => each.title).join('|')"
        )
        assert not set(titles) & set("\n\u200b\u202e\u0301")
    ui.page.locator("body").press("v")
    cells = ui.page.locator(".level-table td").all_inner_texts()
    assert shown <= set(cells)
    ui.page.locator("body").press("v")
    ui.page.locator(".locator").fill("\\u200b")
    ui.wait("document.querySelector('.found').textContent.startsWith('1 found')")
    ui.page.goto(f"{hostile}plain#at={format_instant(NEWEST_MS)}")
    ui.page.locator("#clusters table").nth(1).wait_for()
    assert shown <= set(ui.page.locator("td").all_inner_texts())


@pytest.mark.parametrize("name", [*NAMES, "cart\n", "trac\u202e"])
def test_a_link_to_any_name_shows_it_again(hostile: str, open_ui: OpenUi, name: str) -> None:
    ui = open_ui(hostile, THEN)
    # What is gone makes places anew once, when the page learns of it.
    ui.wait("vistio.inspect().nodes.includes('<i>gone</i>') && !vistio.inspect().pending")
    wire = ui.page.evaluate(
        "(label) => vistio.snapshot().data.graph.levels.get('mesh').nodes.find((node) => node.label === label).name",
        visible(name),
    )
    ui.click_node(wire)
    ui.page.wait_for_function("(wire) => vistio.snapshot().state.selection?.node === wire", arg=wire)
    ui.wait("location.hash.includes('node=')")
    again = open_ui(hostile, ui.get("location.hash"))
    assert again.state["selection"] == {"kind": "node", "node": wire}
    again.page.locator(".panel-details").get_by_role("heading", name=visible(name), exact=True).wait_for()
