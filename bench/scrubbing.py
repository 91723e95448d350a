"""Does the web UI stay responsive while time moves, and its memory flat? 100 nodes, real Chromium, real server.

    python bench/scrubbing.py
    python bench/scrubbing.py --nodes 50 --instants 0     # without the minutes of playing

Needs Chromium and the built web UI. First the page rests, then 60 steps are made with the arrow key, then it plays at
60x, for as many seconds as it rested; a task of more than 50 ms is long, for a key must wait for its end. Without a
GPU drawing a picture is a long task itself, so compare with the page at rest. Then it plays on in a loop, and the
heap is measured, collected, after each quarter of the instants.
"""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from _chromium import chromium
from playwright.sync_api import Page
from workload import INTERVAL_MS, START_MS, Mesh, record

from vistio_core.times import HOUR_MS, format_instant

HOURS = 3
STEPS = 60
STEP_S = 0.1
REST_S = STEPS * STEP_S
SPEED = 60

WATCH = """() => {
  const seen = { tasks: [], shown: new Set(), drawn: 0 };
  new PerformanceObserver((list) => seen.tasks.push(...list.getEntries().map((task) => task.duration)))
    .observe({ type: "longtask" });
  const watch = () => {
    seen.drawn += 1;
    seen.shown.add(vistio.snapshot().data.graph?.about.instantMs);
    requestAnimationFrame(watch);
  };
  requestAnimationFrame(watch);
  window.seen = seen;
}"""
TAKE = """() => {
  const { tasks, shown, drawn } = window.seen;
  const told = { tasks: tasks.slice(), shown: shown.size, drawn };
  tasks.length = 0; shown.clear(); window.seen.drawn = 0;
  return told;
}"""


def mesh_of(nodes: int) -> Mesh:
    """Each service is called by an earlier one, most by two: one entry, no cycle."""
    choose = random.Random(nodes)
    names = [f"service-{index:03d}" for index in range(nodes)]
    pairs = {(names[choose.randrange(index)], names[index]) for index in range(1, nodes)}
    while len(pairs) < 1.8 * nodes:
        source, target = sorted(choose.sample(range(nodes), 2))
        pairs.add((names[source], names[target]))
    mesh = Mesh(12)
    mesh.edges = [(source, target, choose.lognormvariate(1, 2)) for source, target in sorted(pairs)]
    return mesh


@contextmanager
def served(place: Path) -> Iterator[str]:
    """The URL of a server of the recording."""
    program = shutil.which("vistio-serve")
    assert program, "vistio-serve is not installed"
    with subprocess.Popen(
        [program, "--port", "0", "--recording", str(place)], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout
        try:
            yield next(found[1] for line in server.stdout if (found := re.search(r"open (http://\S+)", line)))
        finally:
            server.terminate()


def shown_ms(page: Page) -> int:
    return int(page.evaluate("() => vistio.snapshot().data.graph?.about.instantMs ?? 0"))


def settle(page: Page) -> None:
    """Until the instant that is asked for is the one on the picture."""
    page.wait_for_function(
        "() => { const { state, data } = vistio.snapshot(); const shown = data.graph?.about.instantMs;"
        " return shown === state.travel.atMs && !vistio.inspect().pending; }",
        polling=50,
    )


def rest(page: Page) -> dict[str, Any]:
    page.evaluate(TAKE)
    page.wait_for_timeout(REST_S * 1000)
    return dict(page.evaluate(TAKE))


def scrub(page: Page) -> tuple[dict[str, Any], float]:
    """What was seen, and how long after the last key its instant was on the picture, in ms."""
    page.evaluate(TAKE)
    started_s = time.monotonic()
    for step in range(STEPS):
        page.keyboard.press("ArrowRight")
        time.sleep(max(0.0, started_s + (step + 1) * STEP_S - time.monotonic()))
    last_s = time.monotonic()
    settle(page)
    return dict(page.evaluate(TAKE)), 1000 * (time.monotonic() - last_s)


def row(name: str, seen: dict[str, Any], note: str = "") -> str:
    tasks = seen["tasks"]
    longest, total = max(tasks, default=0.0), sum(tasks)
    return f"| {name} | {seen['shown']} | {seen['drawn']} | {len(tasks)} | {longest:.0f} | {total:.0f} | {note} |"


def heap_mb(page: Page) -> float:
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    used = session.send("Runtime.getHeapUsage")["usedSize"]
    session.detach()
    return float(used) / 1e6


def play_on(page: Page, instants: int) -> list[tuple[int, float]]:
    """The heap in MB after so many instants of playing."""
    quarter_ms = instants / 4 * INTERVAL_MS / SPEED
    heaps = [(0, heap_mb(page))]
    for quarter in range(1, 5):
        page.wait_for_timeout(quarter_ms)
        heaps.append((quarter * instants // 4, heap_mb(page)))
    return heaps


@click.command()
@click.option("--nodes", default=100, show_default=True)
@click.option("--instants", default=1000, show_default=True, help="Played for the memory; 0: not measured.")
def main(nodes: int, instants: int) -> None:
    """Print the tables of docs/benchmarks.md."""
    mesh = mesh_of(nodes)
    with tempfile.TemporaryDirectory() as scratch:
        record(Path(scratch) / "recording", mesh, HOURS)
        start, end = format_instant(START_MS), format_instant(START_MS + HOURS * HOUR_MS - INTERVAL_MS)
        middle = format_instant(START_MS + HOUR_MS)
        with served(Path(scratch) / "recording") as url, chromium() as browser:
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.goto(f"{url}#/mesh?at={middle}&speed={SPEED}&loop={start}/{end}")
            settle(page)
            page.wait_for_function("() => vistio.inspect().particles > 10", polling=100)
            drawn = page.evaluate("() => [vistio.inspect().nodes.length, vistio.inspect().edges.length]")
            page.evaluate(WATCH)
            click.echo(f"{drawn[0]} nodes, {drawn[1]} edges on the picture; each row {REST_S:g} s\n")
            click.echo("| | instants shown | pictures drawn | long tasks | longest, ms | together, ms | |")
            click.echo("|---|---|---|---|---|---|---|")
            click.echo(row("at rest", rest(page)))
            page.keyboard.press("ArrowRight")
            page.keyboard.press("ArrowLeft")
            settle(page)
            seen, late_ms = scrub(page)
            click.echo(row(f"{STEPS} steps", seen, f"the last one shown {late_ms:.0f} ms after its key"))
            page.keyboard.press(" ")
            page.wait_for_timeout(500)
            click.echo(row(f"playing at {SPEED}x", rest(page)))
            if instants:
                told = ", ".join(f"{mb:.1f} MB after {count}" for count, mb in play_on(page, instants))
                click.echo(f"\nheap while playing instants: {told}")


if __name__ == "__main__":
    main()
