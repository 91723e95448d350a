"""Names as the operating system has them, as texts, and in messages."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from vistio_core.native_paths import native, readable, shown

ESCAPED = "caf\udcc3\udca9"
"""What Python makes of "café" in the locale C."""


@pytest.mark.parametrize("text", ["recording/", "café", "ключ", "日本", "🕸", ESCAPED])
def test_a_name_in_utf_8_is_one_in_each_form(text: str) -> None:
    meant = "café" if text == ESCAPED else text
    assert os.fsencode(native(text)) == meant.encode()
    assert readable(text) == shown(text) == meant


def test_bytes_that_are_no_utf_8_are_a_name_but_no_text() -> None:
    assert os.fsencode(native("caf\udce9")) == b"caf\xe9"
    assert shown("caf\udce9") == "caf\\xe9"
    with pytest.raises(ValueError, match="utf-8"):
        readable("caf\udce9")


def test_half_a_character_is_nothing_but_can_be_shown() -> None:
    for read in (native, readable):
        with pytest.raises(ValueError, match="surrogates"):
            read("x\ud800")
    assert shown("x\ud800") == "x\\ud800"


def test_in_the_locale_c_names_are_utf_8_all_the_same() -> None:
    script = f"""
import sys
from vistio_core.native_paths import native, readable, shown
assert sys.getfilesystemencoding() == "ascii", sys.getfilesystemencoding()
assert native("caf\\xe9") == native(sys.argv[1]) == {ESCAPED!a} == sys.argv[1]
assert readable(sys.argv[1]) == shown(sys.argv[1]) == "caf\\xe9"
"""
    done = subprocess.run(
        [sys.executable, "-c", script, "café"],
        env={**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
