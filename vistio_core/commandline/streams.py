"""Standard input, output and error as a program needs them, however it was started."""

from __future__ import annotations

import codecs
import io
import os
import sys


def prepare_streams() -> None:
    """Output is there and takes every character.

    A program that is started without standard output (``>&-``) would get that number for the next file that it
    opens, and who then writes to "standard output", be it a library or a child process, writes into
    that file. And the locale C has no letters beyond ASCII, where today's terminals and files take UTF-8.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115  for as long as we run
        elif isinstance(stream, io.TextIOWrapper):
            ascii_only = codecs.lookup(stream.encoding).name == "ascii"
            stream.reconfigure(encoding="utf-8" if ascii_only else None, errors="backslashreplace")
