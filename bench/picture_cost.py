"""What does the picture cost while somebody looks at it, moving or still?

    python bench/picture_cost.py [--seconds 20] [--scenes live past still ...]

Serves the demo, and a mesh of 2,000 services, and opens their pages in Chromium, one scene after the other: live; a
past that stands still; the same with particles switched off, behind the help, and as tables; a past that plays; and
the newest instant of the large mesh. Reported for each: frames that were drawn and WebGL's draw calls a second, bytes
handed to WebGL a second, and the CPU time of all of the browser's processes, in percent of one core. Needs Debian's
`chromium` and the package `playwright`. Without a GPU the processor draws: frames and calls are what any machine
has, CPU time compares runs of one machine.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from _chromium import chromium
from big_picture import print_table, record, served
from playwright.sync_api import Browser

from vistio_core.times import format_instant

SETTLED_S = 4
SERVICES = 2000
# Counted by the page itself: a loop of its own would make frames.
WATCH = """
(() => {
  const seen = window.seen = {frames: 0, calls: 0, bytes: 0, at: -1};
  const { prototype } = WebGLRenderingContext;
  for (const name of ['drawArrays', 'drawElements']) {
    const draw = prototype[name];
    prototype[name] = function (...given) {
      seen.calls++;
      if (seen.at !== document.timeline.currentTime) { seen.at = document.timeline.currentTime; seen.frames++; }
      return draw.apply(this, given);
    };
  }
  for (const name of ['bufferData', 'bufferSubData']) {
    const hand = prototype[name];
    prototype[name] = function (...given) {
      seen.bytes += given.find((each) => ArrayBuffer.isView(each))?.byteLength ?? 0;
      return hand.apply(this, given);
    };
  }
})()
"""
STILL = "localStorage.setItem('vistio.display', JSON.stringify({particles: false}))"
KEYS = {"dialog": "?", "tables": "v", "playing": "Space"}
SCENES = ("live", "past", "still", "dialog", "tables", "playing", "big")


@contextmanager
def demo() -> Iterator[str]:
    program = shutil.which("vistio-serve") or sys.exit("needs vistio-serve on PATH")
    process = subprocess.Popen([program, "demo", "--port", "0"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found = next(filter(None, (re.search(r"open (http://\S+)", line) for line in process.stdout)), None)
        assert found, "the demo did not say where it is"
        yield found[1]
    finally:
        process.terminate()
        process.wait(timeout=30)


@contextmanager
def big_mesh() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as scratch:
        newest_ms, _ = record(Path(scratch) / "recording", SERVICES)
        server, url = served(Path(scratch) / "recording")
        try:
            yield f"{url}#/mesh?at={format_instant(newest_ms)}"
        finally:
            server.terminate()
            server.wait(timeout=30)


def cpu_s(browser: Browser) -> float:
    """What all processes of the browser have used."""
    session = browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    return sum(float(process["cpuTime"]) for process in processes)


def look(browser: Browser, url: str, scene: str, seconds: float) -> dict[str, float]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.add_init_script(WATCH)
    if scene == "still":
        page.add_init_script(STILL)
    page.goto(url)
    page.wait_for_function(
        "() => window.vistio?.inspect()?.nodes.length && !vistio.inspect().pending", polling=100
    )
    if scene in KEYS:
        page.keyboard.press(KEYS[scene])
    time.sleep(SETTLED_S)
    before, used = page.evaluate("({...seen})"), cpu_s(browser)
    time.sleep(seconds)
    after, used = page.evaluate("({...seen})"), cpu_s(browser) - used
    context.close()
    a_second = {name: (after[name] - before[name]) / seconds for name in ("frames", "calls", "bytes")}
    return {
        "frames a second": a_second["frames"],
        "draw calls a second": a_second["calls"],
        "kB to WebGL a second": a_second["bytes"] / 1000,
        "CPU, % of a core": 100 * used / seconds,
    }


def addresses(scenes: list[str]) -> Iterator[tuple[str, str]]:
    """Each scene with its address, while its server runs."""
    if set(scenes) - {"big"}:
        with demo() as url:
            for scene in scenes:
                if scene != "big":
                    yield scene, url + ("#/eu-west" if scene == "live" else "#/eu-west?at=-10m")
    if "big" in scenes:
        with big_mesh() as url:
            yield "big", url


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--scenes", nargs="+", choices=SCENES, default=list(SCENES))
    asked = parser.parse_args()
    with chromium() as browser:
        found = {scene: look(browser, url, scene, asked.seconds) for scene, url in addresses(asked.scenes)}
    print_table("scene", found)


if __name__ == "__main__":
    main()
