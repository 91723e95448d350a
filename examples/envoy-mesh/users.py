"""The users: ``python users.py DIRECTORY RATE CEILING``. They ask for the product page through the ingress, steadily.

The rate does not depend on how fast the mesh answers, as that of many people does not. The ceiling is on the requests
that wait for an answer at a time: whoever would be one too many goes away, so that a slow mesh is not buried.
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

from plan import INGRESS, Plan
from service import get
from truth import Notebook


def main(directory: Path, rate_rps: float, ceiling: int) -> None:
    port = Plan.load(directory / "plan.json").proxies[INGRESS].inbound
    notebook = Notebook(directory / "truth", "users")
    waiting = threading.BoundedSemaphore(ceiling)

    def ask() -> None:
        try:
            began = time.perf_counter()
            status = get("127.0.0.1", port, host="shop", caller=INGRESS)
            notebook.note("sent", f"{INGRESS}>productpage", status, (time.perf_counter() - began) * 1000)
        finally:
            waiting.release()

    due = time.monotonic()
    while True:
        if waiting.acquire(blocking=False):
            threading.Thread(target=ask, daemon=True).start()
        # Asking all at once for what a busy machine kept from being asked would be a burst that nobody meant.
        due = max(due + 1 / rate_rps, time.monotonic() - 1)
        time.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
