"""How long from opening the web UI to the first picture of traffic?

    python bench/first_picture.py

Starts the demo and opens its page in Chromium a few times, each with an empty cache, over loopback. The
picture is there when nodes have their places on the canvas and particles are on their way. Needs Debian's
`chromium` and the package `playwright`. Without a GPU the browser draws in software, which is most of what
is measured here.
"""

from __future__ import annotations

import argparse
import re
import shutil
import statistics
import subprocess
import sys

from _chromium import chromium
from playwright.sync_api import Browser

ROUNDS = 7
LIMIT_MS = 2000

# Looked at in each frame, by the page itself: a driver's own polling would be measured as well.
WATCH = """
(() => {
  const marks = {};
  window.pictureMarks = marks;
  const look = () => {
    const now = performance.now();
    const seen = window.vistio?.inspect();
    if (window.vistio?.snapshot().data.graph) marks.answered ??= now;
    if (seen?.nodes.length) marks.nodes ??= now;
    if (seen?.particles > 0) marks.particles ??= now;
    if (marks.particles === undefined) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})()
"""


def open_once(browser: Browser, url: str) -> dict[str, float]:
    """Milliseconds since the page was asked for, by what was there then."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.add_init_script(WATCH)
    page.goto(url)
    page.wait_for_function("() => window.pictureMarks.particles !== undefined", polling=100)
    marks: dict[str, float] = page.evaluate("window.pictureMarks")
    context.close()
    return marks


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args().rounds
    program = shutil.which("vistio-serve") or sys.exit("needs vistio-serve on PATH")
    demo = subprocess.Popen([program, "demo", "--port", "0"], stdout=subprocess.PIPE, text=True)
    try:
        assert demo.stdout is not None
        # It tells before how the mesh's past was recorded.
        found = next(filter(None, (re.search(r"open (http://\S+)", line) for line in demo.stdout)), None)
        assert found, "the demo did not say where it is"
        with chromium() as browser:
            # The first page of a browser pays for the browser.
            open_once(browser, found[1])
            taken = [open_once(browser, found[1]) for _ in range(rounds)]
    finally:
        demo.terminate()
        demo.wait(timeout=30)

    print(f"{rounds} times, empty cache, ms since the page was asked for:")
    print("| there is | median | slowest |")
    print("|---|---|---|")
    for name, says in (
        ("answered", "the graph's answer"),
        ("nodes", "every node in its place"),
        ("particles", "traffic"),
    ):
        values = [marks[name] for marks in taken]
        print(f"| {says} | {statistics.median(values):,.0f} | {max(values):,.0f} |")
    median = statistics.median(marks["nodes"] for marks in taken)
    print(f"limit for the first picture: {LIMIT_MS:,} ms, {'kept' if median < LIMIT_MS else 'NOT KEPT'}")


if __name__ == "__main__":
    main()
