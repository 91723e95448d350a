"""A pattern of the configuration, and a name of the mesh, can be anybody's: together they must not hold us up."""

from __future__ import annotations

import time

import pytest

from vistio_core.configuration.regexes import Regex


@pytest.mark.parametrize("pattern", ["^((x+)+)+$", "^(x|x|x)*$", "^(x*)*$", "(x+x+)+y"])
def test_a_pattern_that_would_try_for_ever_is_answered_at_once(pattern: str) -> None:
    began_s = time.monotonic()
    Regex(pattern).matches("x" * 50_000 + "!")
    assert time.monotonic() - began_s < 5, "backtracking would take longer than the universe is old"
