"""`vistio-record report`: one file that tells what happened, needs nothing, and runs nothing but its own script."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from playwright.sync_api import Page
from support.chromium import chromium
from support.recordings import recorded
from support.scrapes import INTERVAL_MS, START_MS, scrape

from vistio_core import Annotation, Recording, Sample, Scrape
from vistio_core.report import charts
from vistio_core.report.facts import MOST_EDGES, gather
from vistio_core.report.page import _rate, render
from vistio_core.times import HOUR_MS, MINUTE_MS, format_instant
from vistio_record.cli import main

HOSTILE = "</script><img src=x onerror=\"document.title='owned'\">&<b>"
BAD_MS = START_MS + HOUR_MS + 20 * MINUTE_MS
GOOD_MS = START_MS + HOUR_MS + 26 * MINUTE_MS
FAILED_MS = START_MS + HOUR_MS + 30 * MINUTE_MS
END_MS = START_MS + HOUR_MS + 40 * MINUTE_MS


def scrapes() -> Iterator[Scrape]:
    """An hour that is well, then six minutes in which the database fails; a gap of two minutes; a rule that fails."""
    for at_ms in range(START_MS, END_MS, 3 * INTERVAL_MS):
        if START_MS + HOUR_MS + 5 * MINUTE_MS <= at_ms < START_MS + HOUR_MS + 7 * MINUTE_MS:
            continue
        if FAILED_MS <= at_ms < FAILED_MS + MINUTE_MS:
            yield scrape(at_ms, http="failed", interval_ms=3 * INTERVAL_MS)
            continue
        wrong = 40.0 if BAD_MS <= at_ms < GOOD_MS else 0.0
        rates = {("INTERNET", "shop"): 100.0, ("shop", HOSTILE): 90.0, (HOSTILE, "db"): 80.0}
        samples = [Sample("mesh", "http", *ends, "200", rate - wrong) for ends, rate in rates.items()]
        if wrong:
            samples += [Sample("mesh", "http", *ends, "503", wrong) for ends in rates]
        yield scrape(at_ms, samples, interval_ms=3 * INTERVAL_MS)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    found = recorded(tmp_path_factory.mktemp("report") / "recording", list(scrapes()))
    with found.writer("a") as writer:
        writer.merge(END_MS + HOUR_MS)
    found.annotate(Annotation(BAD_MS - MINUTE_MS, f"version 2 {HOSTILE}", kind="deployment", cluster="mesh"))
    return found


@pytest.fixture(scope="module")
def report(recording: Recording, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    window = ("--start", format_instant(START_MS + HOUR_MS), "--end", format_instant(END_MS))
    told = CliRunner().invoke(main, ["report", "--recording", recording.place, *window, "-o", str(path)])
    assert told.exit_code == 0, told.output
    assert re.fullmatch(rf"{path}: 1 incident, \d suspects?, [\d,]+ bytes\n", told.stdout)
    return path


class _Outline(HTMLParser):
    """Tags, their attributes, and the text that people read."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] not in ("script", "style"):
            self.text += data


def outline(report: Path) -> _Outline:
    parser = _Outline()
    parser.feed(report.read_text())
    return parser


def test_it_tells_what_the_recording_tells(recording: Recording, report: Path) -> None:
    text = outline(report).text
    [incident] = recording.incidents(START_MS + HOUR_MS, END_MS)
    assert incident.summary in text
    [first, *_] = recording.suspects(incident.start_ms, incident.end_ms or END_MS).table.to_pylist()
    assert first["evidence"] in text
    assert f"version 2 {HOSTILE}" in text
    assert "2026-11-23T06:05:00Z2026-11-23T06:07:00Z" in text  # the gap, in its table
    assert "http did not answer" in text


def test_it_loads_nothing_and_names_reach_no_tag(report: Path) -> None:
    tags = outline(report).tags
    assert {name for name, _ in tags} & {"img", "b", "link", "iframe", "a", "object"} == set()
    for _, attributes in tags:
        assert not {"src", "href", "style"} & attributes.keys()
        assert not any(name.startswith("on") for name in attributes)
    assert sum(name == "script" for name, _ in tags) == 2
    [policy] = [each["content"] for name, each in tags if name == "meta" and "http-equiv" in each]
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy


@pytest.fixture(scope="module")
def page(report: Path) -> Iterator[Page]:
    with chromium() as browser:
        opened = browser.new_page()
        opened.errors = []  # type: ignore[attr-defined]
        opened.on("console", lambda message: opened.errors.append(message.text))  # type: ignore[attr-defined]
        opened.on("pageerror", lambda error: opened.errors.append(str(error)))  # type: ignore[attr-defined]
        opened.on("request", lambda request: opened.errors.append(request.url))  # type: ignore[attr-defined]
        opened.goto(report.as_uri())
        yield opened


@pytest.mark.slow
def test_the_replay_begins_with_the_incident_and_moves(page: Page, report: Path) -> None:
    slider, said = page.locator("#replay input"), page.locator("#replay p")
    begins = page.locator("#replay output").inner_text()
    assert format_instant(BAD_MS - MINUTE_MS) <= begins <= format_instant(BAD_MS + 2 * MINUTE_MS)
    assert HOSTILE[:23] in (page.locator("#replay svg").text_content() or "")

    def at(ms: int) -> tuple[list[str | None], str]:
        slider.fill(str((ms - START_MS - HOUR_MS) // (facts_step_ms(report))))
        edges = page.locator("#replay path").all()
        return [edge.get_attribute("class") for edge in edges], said.inner_text()

    assert at(BAD_MS + 2 * MINUTE_MS) == (["edge danger"] * 3, "All connections were seen.")
    assert at(GOOD_MS + MINUTE_MS)[0] == ["edge normal"] * 3
    looks, words = at(FAILED_MS + 30_000)
    assert looks == ["edge unseen"] * 3
    assert "3 of 3 connections were not seen." in words
    assert "As last seen at 2026-11-23T06:04:30Z." in at(START_MS + HOUR_MS + 6 * MINUTE_MS)[1]
    page.locator("#replay button").click()
    page.wait_for_function("document.querySelector('#replay button').textContent === 'Pause'")
    page.locator("#replay button").click()


@pytest.mark.parametrize("width", [390, 640, 1280])
def test_no_table_is_wider_than_the_window(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    assert page.locator("table").count() > 1
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(
    ("rate", "told"),
    [(None, ""), (0.12346, "0.1235"), (999.94, "999.9"), (1000.4, "1,000"), (12_345.6, "12,346")],
)
def test_rates_have_four_digits_or_all_before_the_point(rate: float | None, told: str) -> None:
    assert _rate(rate) == told


def test_nothing_was_asked_of_a_network_and_nothing_ran(page: Page, report: Path) -> None:
    assert page.errors == [report.as_uri()]  # type: ignore[attr-defined]
    assert page.title().startswith("Test mesh, ")


def facts_step_ms(report: Path) -> int:
    found = re.search(r'id="frames">(.*?)</script>', report.read_text(), re.DOTALL)
    assert found is not None
    asked = json.loads(found[1])["asked"]
    return (len(asked) and (END_MS - START_MS - HOUR_MS)) // len(asked)


def test_where_nothing_was_seen_the_heat_is_hatched_and_never_zero(recording: Recording) -> None:
    facts = gather(recording, START_MS + HOUR_MS, END_MS)
    picture, rows = charts.heat_map(facts.heat)
    assert rows == 3
    hatched = re.findall(r"<title>(\S+): not seen</title>", picture)
    assert "2026-11-23T06:06:00Z" in hatched  # though graphs of then show what was seen before
    assert "2026-11-23T06:30:00Z" in hatched
    assert "2026-11-23T06:20:00Z" not in hatched
    timeline = charts.timeline(facts)
    assert "2026-11-23T06:30:00Z: not wholly seen: mesh/http" in timeline
    assert timeline.count('<line class="mark"') == 1


def test_an_hour_of_a_hundred_edges_has_less_than_four_megabytes(tmp_path: Path) -> None:
    noise = np.random.default_rng(1)
    ends = [(f"service-{place // 10}", f"service-{10 + place}") for place in range(MOST_EDGES + 20)]
    seen = [
        scrape(START_MS + number * 2 * MINUTE_MS, [
            Sample("mesh", "http", *edge, status, float(noise.random() * 100))
            for edge in ends
            for status in ("200", "404", "503")
        ])
        for number in range(30)
    ]  # fmt: skip
    content = b"".join(render(gather(recorded(tmp_path / "recording", seen), START_MS, START_MS + HOUR_MS)))
    assert len(content) < 3 * 4_000_000  # of three times as many edges
    assert f"{MOST_EDGES} of {MOST_EDGES + 20} edges are drawn".encode() in content


def test_a_quiet_hour_says_so(recording: Recording) -> None:
    content = b"".join(
        render(gather(recording, START_MS + 10 * MINUTE_MS, START_MS + 50 * MINUTE_MS))
    ).decode()
    assert "Nothing left its normal." in content
    assert "Nothing stands out." in content
    assert "Everything was seen" in content
    assert "No request failed" in content
