"""How quickly does the web UI show big meshes, and how long do its interactions take?

    python bench/big_picture.py [--nodes 100 300 2000] [--rounds 3]

Records meshes of so many services (seeded; ten connections each, three of a hundred nodes), serves each with
`vistio-serve` and opens it in Chromium, each time with an empty cache. Reported for each: when the first picture was
there (nodes have places), long tasks from then on for ten seconds (how many, the longest), draw calls in each frame
that was drawn in that time, and how many were, and the longest interaction (`event` timing: from a press to the next
paint) of selecting, zooming, looking only at what is near, opening heat map and tables, and going back in time. The
most of the rounds counts, but for the first picture their median, and the fewest frames. Needs Debian's `chromium`
and the package `playwright`.
Without a GPU the browser draws in software: look at long tasks and draw calls, and compare runs of one machine.
"""

from __future__ import annotations

import argparse
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from _chromium import chromium
from playwright.sync_api import Browser, Page

import vistio_core as vistio
from vistio_core.times import align, format_instant, system_now_ms

INTERVAL_MS, INSTANTS, NEIGHBOURS = 10_000, 12, 8
WATCHED_S = 10
_ASKED = "query: q, prometheusURL: 'http://127.0.0.1:9090', source: {label: a}, target: {label: b}"
CONFIGURATION = f"""\
globalLevel:
  clusterConnections:
    - {{name: ingress, {_ASKED}, status: {{label: code, warningRegex: ^4..$, dangerRegex: ^5..$}}}}
clusterLevel:
  - cluster: mesh
    serviceConnections:
      - {{name: http, {_ASKED}, status: {{label: code, warningRegex: ^4..$, dangerRegex: ^5..$}}}}
"""
# Looked at by the page itself, from before its first script on.
WATCH = """
(() => {
  const seen = window.seen = {picture: null, tasks: [], events: [], calls: 0, frames: 0, at: -1};
  const tasks = (list) => seen.tasks.push(...list.getEntries().map((each) => [each.startTime, each.duration]));
  new PerformanceObserver(tasks).observe({type: 'longtask', buffered: true});
  new PerformanceObserver((list) => seen.events.push(...list.getEntries().filter((each) => each.interactionId)
    .map((each) => [each.name, each.duration]))).observe({type: 'event', durationThreshold: 16, buffered: true});
  for (const kind of [WebGLRenderingContext, WebGL2RenderingContext]) {
    for (const name of ['drawArrays', 'drawElements']) {
      const draw = kind.prototype[name];
      kind.prototype[name] = function (...given) {
        seen.calls++;
        if (seen.at !== document.timeline.currentTime) { seen.at = document.timeline.currentTime; seen.frames++; }
        return draw.apply(this, given);
      };
    }
  }
  const look = () => {
    if (window.vistio?.inspect()?.nodes.length) seen.picture = performance.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})()
"""


def record(recording_dir: Path, services: int) -> tuple[int, str]:
    """Writes the recording; its newest instant, and a service in the middle."""
    seeded = random.Random(services)
    teams = max(4, services // 25)
    names = [f"svc-{number:04}.team-{number * 7 % teams:02}" for number in range(services)]
    pairs = {
        ("gateway", names[0]),
        *((names[(number - 1) // 4], names[number]) for number in range(1, services)),
    }
    wanted = services * (3 if services <= 100 else 10)
    while len(pairs) < wanted:
        source = seeded.randrange(services)
        near = (source + teams * seeded.randrange(1, NEIGHBOURS)) % services
        target = near if seeded.random() < 0.6 else int(services * seeded.random() ** 3)
        if source < target:
            pairs.add((names[source], names[target]))
    configuration = vistio.loads(CONFIGURATION)
    outcomes = [
        vistio.RuleOutcome(cluster, rule.id, vistio.Outcome.OK) for cluster, rule in configuration.rules()
    ]
    rates = [(ends, 2000 / (1 + seeded.random() * 400)) for ends in sorted(pairs)]
    newest_ms = align(system_now_ms(), INTERVAL_MS)
    with vistio.Recording.open(recording_dir, create=True).writer() as writer:
        writer.put_configuration(configuration)
        for step in range(INSTANTS):
            samples = [vistio.Sample("", "ingress", "INTERNET", "mesh", "200", 500.0)]
            samples += [vistio.Sample("mesh", "http", *ends, "200", rate + step) for ends, rate in rates]
            samples += [vistio.Sample("mesh", "http", *ends, "500", rate / 5) for ends, rate in rates[::97]]
            instant_ms = newest_ms - (INSTANTS - 1 - step) * INTERVAL_MS
            writer.commit(
                vistio.Scrape(instant_ms, INTERVAL_MS, configuration.hash, tuple(outcomes), samples, ())
            )
    return newest_ms, names[services // 3]


def served(recording_dir: Path) -> tuple[subprocess.Popen[str], str]:
    """A server of the recording, and its address."""
    program = shutil.which("vistio-serve") or sys.exit("needs vistio-serve on PATH")
    server = subprocess.Popen(
        [program, "--port", "0", "--memory", "2GB", "--recording", str(recording_dir)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    found = next(filter(None, (re.search(r"open (http://\S+)", line) for line in server.stdout)), None)
    assert found, "the server did not say where it is"
    return server, found[1]


def interactions(page: Page, node: str) -> Iterator[str]:
    """What somebody does, one after the other."""
    page.mouse.click(450, 300)
    yield "a click on the picture"
    page.evaluate(
        "(node) => { location.hash = location.hash.replace(/&node=.*/, '') + '&node=' + node; }", node
    )
    yield "another link"
    for key, does in ((".", "zoom"), ("w", "near"), ("w", "everything"), ("ArrowLeft", "back in time")):
        page.keyboard.press(key)
        yield does
    for key, does in (
        ("m", "heat map"),
        ("Escape", "the picture again"),
        ("v", "tables"),
        ("v", "no tables"),
    ):
        page.keyboard.press(key)
        yield does


def open_once(browser: Browser, url: str, node: str) -> dict[str, float]:
    """What was seen of one visit."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.add_init_script(WATCH)
    page.goto(url)
    page.wait_for_function("() => window.seen.picture !== null", polling=100, timeout=120_000)
    since = page.evaluate("(() => { seen.calls = 0; seen.frames = 0; return performance.now(); })()")
    time.sleep(WATCHED_S)
    seen = page.evaluate("seen")
    tasks = [length for start, length in seen["tasks"] if start >= since]
    for _ in interactions(page, node):
        time.sleep(1.5)
    events = page.evaluate("seen.events")
    context.close()
    return {
        "first picture, ms": seen["picture"],
        "long tasks": len(tasks),
        "longest task, ms": max(tasks, default=0),
        "draw calls a frame": seen["calls"] / max(1, seen["frames"]),
        "frames a second": seen["frames"] / WATCHED_S,
        "longest interaction, ms": max((length for _, length in events), default=0),
    }


def measure(browser: Browser, services: int, rounds: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as scratch:
        newest_ms, node = record(Path(scratch) / "recording", services)
        server, url = served(Path(scratch) / "recording")
        try:
            address = f"{url}#/mesh?at={format_instant(newest_ms)}"
            taken = [open_once(browser, address, node) for _ in range(rounds)]
        finally:
            server.terminate()
            server.wait(timeout=30)
    found = {name: max(each[name] for each in taken) for name in taken[0]}
    found["first picture, ms"] = statistics.median(each["first picture, ms"] for each in taken)
    found["frames a second"] = min(each["frames a second"] for each in taken)
    return found


def print_table(first: str, found: Mapping[str, Mapping[str, float]]) -> None:
    """A row for each of ``found``, with its numbers by their names."""
    names = list(next(iter(found.values())))
    print(f"| {first} | {' | '.join(names)} |")
    print("|---" * (len(names) + 1) + "|")
    for row, values in found.items():
        print(f"| {row} | {' | '.join(f'{values[name]:,.0f}' for name in names)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--nodes", type=int, nargs="+", default=[100, 300, 2000])
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with chromium() as browser:
        found = {f"{services:,}": measure(browser, services, asked.rounds) for services in asked.nodes}
    print_table("nodes", found)


if __name__ == "__main__":
    main()
