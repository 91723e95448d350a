"""The task that the page is for: from opening it to the right answer on five recorded incidents, in clicks and seconds.

Clicks and contents must be right. Seconds are told in artifacts/task.md, for they depend on who else works.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest
import requests
from playwright.sync_api import Browser
from support.processes import RunningProcess

from vistio_core.times import MINUTE_MS, format_instant, parse_instant

TOLD = Path(__file__).parents[2] / "artifacts" / "task.md"
_BEGAN_MIN, _ENDED_MIN = 35, 21
"""How long before the demo started its incident began, and was over."""
_GAP_BEGAN_MIN = 50
SENTENCE = re.compile(
    r"(?:\S+ )?(\d\d:\d\d:\d\d) to (?:\S+ )?(\d\d:\d\d:\d\d), \d+ min: "
    r"(\S+) \(eu-west\) left its normal first, then (.+?); (.+)"
)
_COUNTED = """
    window.done = [];
    for (const kind of ["pointerdown", "keydown", "wheel"]) addEventListener(kind, () => done.push(kind), true);
"""


@attrs.frozen
class Answer:
    """What somebody should know who opened the page."""

    first: str
    then: tuple[str, ...]
    warned_min: int = 0
    """How long before the first failure it could be seen."""


ANSWERS = {
    "database": Answer("mongodb", ("ratings", "reviews-v2", "reviews-v3", "productpage", "gateway"), 3),
    "version": Answer("reviews-v3", ("productpage", "gateway")),
    "zone": Answer("auth", ("gateway",)),
    "retries": Answer("catalogue", ("search", "recommendations", "gateway", "productpage")),
    "slow": Answer("recommendations", ("productpage", "gateway")),
}


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.usefixtures("built")
def test_who_was_first_since_when_and_who_was_hit_needs_no_click(
    name: str, browser: Browser, run_process: Callable[..., RunningProcess], tmp_path: Path
) -> None:
    answer = ANSWERS[name]
    process = run_process("vistio-serve", "demo", "--port", 0, "--incident", name, TMPDIR=str(tmp_path))
    url = process.wait_for_line(r"open (http://\S+)", timeout_s=180).group(1)
    anchor_ms = anchor_of(url)

    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.add_init_script(_COUNTED)
    opened = time.monotonic()
    page.goto(url)
    sentence = page.locator(".panel-happened .incident").first
    sentence.wait_for(timeout=180_000)
    seconds = time.monotonic() - opened

    told = SENTENCE.fullmatch(sentence.text_content() or "")
    assert told, sentence.text_content()
    start, end, first, then, how_bad = told.groups()
    assert first == answer.first
    assert sorted(then.split(", ")) == sorted(answer.then), "who is first of two in the same minute is chance"
    assert apart_s(start, anchor_ms - (_BEGAN_MIN + answer.warned_min) * MINUTE_MS) <= 60
    assert apart_s(end, anchor_ms - _ENDED_MIN * MINUTE_MS) <= 60
    assert ("times as long" in how_bad) is (name in ("database", "zone", "slow"))
    assert how_bad.startswith("less than 1 % of" if name == "slow" else "at worst ")
    assert page.evaluate("done") == [], "nobody clicked, typed or scrolled"
    box = sentence.bounding_box()
    assert box is not None
    assert 0 <= box["y"] <= 800 - box["height"], "in sight, without scrolling"

    page.close()
    note(name, sentence=f"{first} at {start}, then {then}; {how_bad}", seconds=seconds)


def anchor_of(url: str) -> int:
    """The instant that the demo's hour ends at, told by its gap."""
    gaps = requests.get(f"{url}instants", timeout=60).json()["gaps"]
    (gap,) = [each for each in gaps if each["reason"].startswith("not running") and each["missing"] == 18]
    started_ms = round(parse_instant(gap["start"], now_ms=0) / MINUTE_MS) * MINUTE_MS
    return started_ms + _GAP_BEGAN_MIN * MINUTE_MS


def apart_s(clock: str, instant_ms: int) -> float:
    """How far a time of day is from an instant."""
    day = format_instant(instant_ms)[:10]
    apart = abs(parse_instant(f"{day}T{clock}Z", now_ms=0) - instant_ms) / 1000
    return min(apart, 86_400 - apart)


def note(name: str, *, sentence: str, seconds: float) -> None:
    """A row of the table, in place of the one of a run before."""
    TOLD.parent.mkdir(parents=True, exist_ok=True)
    lines = TOLD.read_text().splitlines()[2:] if TOLD.exists() else []
    rows = {line.split(" | ")[0].strip("| `"): line for line in lines}
    rows[name] = f"| `{name}` | {sentence} | 0 | {seconds:.1f} |"
    head = ["| incident | what the page says when it is open | clicks | seconds |", "|---|---|---|---|"]
    TOLD.write_text("\n".join([*head, *(rows[each] for each in ANSWERS if each in rows)]) + "\n")
