"""Whatever is missing, the page says what and why, offers a way on, and returns by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import ports
from support.processes import RunningProcess, console_script
from support.scrapes import INTERVAL_MS, edges, mesh, scrape

import vistio_core as vistio
from vistio_core.events import Scrape
from vistio_core.times import align, format_instant, system_now_ms
from web.conftest import GONE, OpenUi
from web.ui import Ui

NEWEST_MS = align(system_now_ms(), INTERVAL_MS)
HOUR_MS = 3_600_000

Serve = Callable[[Path], RunningProcess]


@pytest.fixture
def port() -> int:
    return ports.free_port()


@pytest.fixture
def serve(built: None, port: int) -> Iterator[Serve]:
    """Starts a server of a recording on ``port``, which need not be there yet."""
    started: list[RunningProcess] = []

    def run(recording_dir: Path) -> RunningProcess:
        process = RunningProcess(
            [console_script("vistio-serve"), "--port", str(port), "--recording", str(recording_dir)]
        )
        started.append(process)
        process.wait_for_url(f"http://127.0.0.1:{port}/-/healthy")
        return process

    yield run
    for process in started:
        process.kill()


def seen(instant_ms: int, **by_rule: str) -> Scrape:
    """A scrape of the test mesh in which what was answered saw traffic."""
    inside = {"http": ["front>cart 200", "front>pay 200"], "ingress": ["INTERNET>mesh 200"]}
    samples = [
        sample
        for rule, names in inside.items()
        if by_rule.get(rule, "ok") == "ok"
        for sample in edges(dict.fromkeys(names, 200.0), rule, "mesh" if rule == "http" else "")
    ]
    return scrape(instant_ms, samples, **by_rule)


def record(recording_dir: Path, *scrapes: Scrape) -> None:
    with vistio.Recording.open(recording_dir, create=True).writer() as writer:
        writer.put_configuration(mesh())
        for each in scrapes:
            writer.commit(each)


def said(ui: Ui, kind: str) -> str:
    """The text of a state, once it is said."""
    state = ui.page.locator(f".state[data-kind='{kind}']")
    state.wait_for()
    return state.inner_text()


def kinds(ui: Ui) -> list[str]:
    return str(ui.get("document.querySelector('.states').dataset.kinds")).split()


def test_before_there_is_a_recording_the_page_waits_for_it(
    serve: Serve, recording_dir: Path, port: int, open_ui: OpenUi
) -> None:
    serve(recording_dir)
    ui = open_ui(f"http://127.0.0.1:{port}/", drawn=False, expected=("status of 503",))
    assert "vistio-record run" in said(ui, "no-recording")
    ui.screenshot("no-recording")
    record(recording_dir, seen(align(system_now_ms(), INTERVAL_MS)))
    ui.wait("vistio.inspect().nodes.includes('mesh')")
    ui.page.locator(".state[data-kind='no-recording']").wait_for(state="detached")


def test_stale_data_and_failed_rules_are_both_said_above_the_picture(
    serve: Serve, recording_dir: Path, port: int, open_ui: OpenUi
) -> None:
    then_ms = align(system_now_ms(), INTERVAL_MS) - 60_000
    record(recording_dir, seen(then_ms - INTERVAL_MS), seen(then_ms, saturation="failed"))
    serve(recording_dir)
    ui = open_ui(f"http://127.0.0.1:{port}/", "#/mesh")
    assert format_instant(then_ms) in said(ui, "stale")
    assert "saturation did not answer" in said(ui, "failed-rules")
    assert kinds(ui) == ["stale", "failed-rules"]
    assert ui.get("document.querySelector('.badge-live').dataset.mode") == "stale"
    assert "front" in ui.get("vistio.inspect().nodes")
    ui.wait_for_particles()
    ui.screenshot("stale-and-failed-rules")
    ui.page.keyboard.press("ArrowLeft")
    ui.wait(f"vistio.snapshot().data.graph.about.instantMs === {then_ms - INTERVAL_MS}")
    ui.page.locator(".state").first.wait_for(state="detached")


def test_a_gap_leads_to_both_of_its_ends_and_nothing_recorded_to_the_nearest_instants(
    serve: Serve, recording_dir: Path, port: int, open_ui: OpenUi
) -> None:
    first_ms, again_ms = NEWEST_MS - HOUR_MS, NEWEST_MS - HOUR_MS + 20 * 60_000
    record(recording_dir, seen(first_ms), seen(again_ms), seen(NEWEST_MS))
    serve(recording_dir)
    in_gap = f"#/mesh?at={format_instant(first_ms + 120_000)}"
    ui = open_ui(f"http://127.0.0.1:{port}/", in_gap, expected=("status of 404",))
    assert "2 min older than asked" in said(ui, "gap") or "120 s older than asked" in said(ui, "gap")
    # The reason comes with the next answer.
    ui.wait("document.body.innerText.includes('not running')")
    assert "not running" in said(ui, "gap")
    ui.page.get_by_role("button", name=f"First after: {format_instant(again_ms)}").click()
    ui.wait(f"vistio.snapshot().data.graph.about.instantMs === {again_ms}")

    ui.page.evaluate(
        "(hash) => { location.hash = hash }", f"#/mesh?at={format_instant(first_ms + 10 * 60_000)}"
    )
    ui.wait("document.body.innerText.includes('not running')")
    assert "not running" in said(ui, "nothing-recorded")
    ui.page.get_by_role("button", name=f"Last before: {format_instant(first_ms)}").click()
    ui.wait(f"vistio.snapshot().data.graph?.about.instantMs === {first_ms}")
    ui.wait("vistio.inspect().level === 'mesh'")


def test_a_server_that_goes_leaves_the_last_picture_and_is_found_again(
    serve: Serve, recording_dir: Path, port: int, open_ui: OpenUi
) -> None:
    record(recording_dir, seen(align(system_now_ms(), INTERVAL_MS)))
    process = serve(recording_dir)
    ui = open_ui(f"http://127.0.0.1:{port}/", "#/mesh", expected=GONE)
    process.terminate()
    assert "does not answer" in said(ui, "unreachable")
    assert "front" in ui.get("vistio.inspect().nodes")
    assert ui.get("document.querySelector('.badge-live').dataset.mode") == "gone"
    ui.screenshot("server-gone")
    serve(recording_dir)
    ui.page.locator(".state[data-kind='unreachable']").wait_for(state="detached")
    ui.wait("document.querySelector('.badge-live').dataset.mode !== 'gone'")


def test_while_the_recorder_is_silent_the_last_picture_is_shown_until_there_is_a_new_one(
    serve: Serve, recording_dir: Path, port: int, open_ui: OpenUi
) -> None:
    last_ms = align(system_now_ms(), INTERVAL_MS) - 10 * 60_000
    record(recording_dir, seen(last_ms - INTERVAL_MS), seen(last_ms))
    serve(recording_dir)
    ui = open_ui(f"http://127.0.0.1:{port}/", "#/mesh", expected=("status of 404",))
    words = said(ui, "silent")
    assert f"Recorder silent since {format_instant(last_ms)[11:19]}" in words
    assert "10 min old" in words
    assert "nothing was recorded since" in words
    assert kinds(ui) == ["silent"]
    assert {"front", "cart", "pay"} <= set(ui.get("vistio.inspect().nodes"))
    assert ui.get("vistio.snapshot().state.travel.mode") == "live"
    assert ui.get("document.querySelector('.badge-live').dataset.mode") == "stale"
    assert "10 min OLD" in ui.get("document.querySelector('.badge-live').textContent")
    assert float(ui.get("getComputedStyle(document.querySelector('.traffic')).opacity")) < 0.6
    # It stays, dimmed, while the page goes on asking.
    ui.wait(
        "performance.getEntriesByType('resource').filter((each) => each.name.endsWith('/graph')).length > 2"
    )
    assert "front" in ui.get("vistio.inspect().nodes")
    ui.screenshot("recorder-silent")
    record(recording_dir, seen(align(system_now_ms(), INTERVAL_MS)))
    ui.page.locator(".state[data-kind='silent']").wait_for(state="detached")
    assert float(ui.get("getComputedStyle(document.querySelector('.traffic')).opacity")) == 1
    ui.wait_for_particles()


def test_the_plain_page_shows_the_last_graph_too_while_the_recorder_is_silent(
    serve: Serve, recording_dir: Path, port: int, open_ui: OpenUi
) -> None:
    last_ms = align(system_now_ms(), INTERVAL_MS) - 10 * 60_000
    record(recording_dir, seen(last_ms))
    serve(recording_dir)
    ui = open_ui(f"http://127.0.0.1:{port}/", "#/mesh", expected=("status of 404",))
    ui.page.goto(f"http://127.0.0.1:{port}/plain")
    ui.page.locator("#state[data-state='stale']").wait_for()
    assert f"nothing seen since {format_instant(last_ms)}" in ui.page.locator("#state").inner_text()
    assert "cart" in ui.page.locator("#clusters").inner_text()
    record(recording_dir, seen(align(system_now_ms(), INTERVAL_MS)))
    ui.page.locator("#state[data-state='live']").wait_for()


def test_a_cluster_that_is_not_there_leads_to_those_that_are(
    serve: Serve, recording_dir: Path, port: int, open_ui: OpenUi
) -> None:
    record(recording_dir, seen(align(system_now_ms(), INTERVAL_MS)))
    serve(recording_dir)
    ui = open_ui(f"http://127.0.0.1:{port}/", "#/elsewhere", drawn=False)
    assert "no cluster elsewhere" in said(ui, "no-level")
    ui.screenshot("missing-cluster")
    ui.page.locator(".state").get_by_role("button", name="mesh", exact=True).click()
    ui.wait_for_level("mesh")
    ui.page.keyboard.press("f")
    ui.page.get_by_label("Requests/s, at least").fill("5000")
    assert "hide everything" in said(ui, "all-hidden")
    ui.page.locator(".state").get_by_role("button", name="Show all").click()
    ui.page.locator(".state[data-kind='all-hidden']").wait_for(state="detached")
