"""Secrets, read where a configuration says they are, anew for each request.

Nothing is kept between two requests: what is renewed, in whichever way (written over, renamed,
Kubernetes' swap of a symlink), is simply what the next request finds. The files are small and in
the kernel's cache.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from vistio_core.errors import SourceError
from vistio_core.native_paths import readable, shown
from vistio_core.regular_files import NotRegularError, open_regular

_MAX_BYTES = 2**20


def read_file(directory: str, name: str, what: str) -> bytes:
    """What is in a file.

    Args:
        directory: what ``name`` is relative to.
        name: as the configuration has it.
        what: the key that names the file, for the error.

    Raises:
        SourceError: it cannot be read, or there is nothing in it; names the file.
    """
    path = shown(Path(directory, name))
    try:
        with open_regular(Path(directory, name)) as stream:
            content = stream.read(_MAX_BYTES + 1)
    except NotRegularError as error:
        raise SourceError(f"{what} {path} {error}; name one that can be read again and again") from error
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        reason = getattr(error, "strerror", None) or "no name of a file"
        raise SourceError(f"{what} {path} cannot be read: {reason}") from error
    if len(content) > _MAX_BYTES:
        raise SourceError(f"{what} {path} is larger than {_MAX_BYTES} bytes; is it the right file?")
    if not content.strip():
        # Also for a moment while somebody writes over it in place.
        raise SourceError(f"{what} {path} is empty")
    return content


def read_text_file(directory: str, name: str, what: str) -> str:
    """The text in a file, without white space around it.

    Raises:
        SourceError: as for `read_file`, or it is not a text that a header can carry.
    """
    try:
        text = read_file(directory, name, what).decode().strip()
    except UnicodeDecodeError as error:
        raise SourceError(f"{what} {shown(Path(directory, name))} is not UTF-8 text") from error
    return in_header(text, f"{what} {shown(Path(directory, name))}")


def read_variable(name: str, what: str, environment: Mapping[str, str] = os.environ) -> str:
    """The value of an environment variable, without white space around it.

    Raises:
        SourceError: there is none, or it is not a text that a header can carry.
    """
    try:
        value = readable(environment.get(name, "").strip())
    except ValueError as error:
        raise SourceError(f"{what}: environment variable {name} is not UTF-8 text") from error
    if not value:
        raise SourceError(f"{what}: environment variable {name} is not set")
    return in_header(value, f"{what}: environment variable {name}")


def in_header(text: str, what: str) -> str:
    """``text``, if a header can carry it: a line break would let it write headers of its own.

    Raises:
        SourceError: it has a control character.
    """
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise SourceError(f"{what} has a line break or another control character in it")
    return text
