"""The traffic of a made-up mesh as Istio's sidecars expose it, on one port for all of them.

The shop is Istio's Bookinfo. Each ten minutes its ratings fail for two: 503s at `reviews`, and above it.
Needs the package prometheus-client, which comes with vistio.
"""

from __future__ import annotations

import argparse
import time

from prometheus_client import CollectorRegistry, Counter, start_http_server

CALLS = (
    # caller, called, requests a second
    ("istio-ingressgateway", "productpage", 40.0),
    ("productpage", "details", 40.0),
    ("productpage", "reviews", 38.0),
    ("reviews", "ratings", 25.0),
)
FAILING = {("reviews", "ratings"): 0.6, ("productpage", "reviews"): 0.3}
"""The share of the calls that fail while the ratings do."""
PERIOD_S, FAILS_FOR_S = 600, 120
STEP_S = 1.0
LABELS = (
    "reporter",
    "source_workload",
    "source_canonical_service",
    "destination_workload",
    "destination_canonical_service",
    "destination_service_name",
    "response_code",
)


def rates(second: float) -> dict[tuple[str, str, str], float]:
    """Requests a second by caller, called and response code, at a moment in epoch seconds."""
    failing = second % PERIOD_S >= PERIOD_S - FAILS_FOR_S
    found = {}
    for caller, called, rate_rps in CALLS:
        share = FAILING.get((caller, called), 0.0) if failing else 0.0
        found[caller, called, "200"] = rate_rps * (1 - share)
        found[caller, called, "503"] = rate_rps * share
    return found


def main() -> None:
    """Count until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="0.0.0.0")
    parser.add_argument("--port", type=int, default=9100)
    options = parser.parse_args()
    registry = CollectorRegistry()
    requests = Counter("istio_requests", "Requests of the made-up mesh.", LABELS, registry=registry)
    start_http_server(options.port, options.host, registry)
    before = time.time()
    while True:
        time.sleep(STEP_S)
        now = time.time()
        for (caller, called, code), rate_rps in rates(now).items():
            for reporter in ("source", "destination"):
                requests.labels(reporter, caller, caller, called, called, called, code).inc(
                    rate_rps * max(0.0, now - before)
                )
        before = now


if __name__ == "__main__":
    main()
