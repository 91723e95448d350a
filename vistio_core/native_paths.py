r"""Paths, arguments and variables: bytes to the operating system, UTF-8 to everybody else.

Python decodes them by the locale, and what it cannot decode it keeps as lone surrogates (``caf\udce9``). With
the locale C and Python's UTF-8 mode off, that is every letter beyond ASCII. Arrow, DuckDB, JSON and HTTP
take UTF-8 only, and so does a recording. Three forms, hence:

    native(path)      what `os` and `open` take, in whichever locale
    readable(path)    the text itself; an error where there is none
    shown(path)       the text for a message: there is always one
"""

from __future__ import annotations

import os

PathLike = str | os.PathLike[str]


def native(path: PathLike) -> str:
    """``path`` for `os` and `open`. A name is UTF-8, whatever the locale says.

    Raises:
        ValueError: it has half a character.
    """
    return os.fsdecode(_bytes_of(path))


def readable(path: PathLike) -> str:
    """The text that ``path``, or an argument or a variable, is.

    Raises:
        ValueError: it is not UTF-8.
    """
    return _bytes_of(path).decode()


def shown(path: PathLike) -> str:
    r"""``path`` as a message may have it: ``caf\xe9`` where a byte is no UTF-8."""
    try:
        return _bytes_of(path).decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return os.fspath(path).encode("utf-8", "backslashreplace").decode()


def _bytes_of(path: PathLike) -> bytes:
    return os.fspath(path).encode("utf-8", "surrogateescape")
