"""Regular files are opened, everything else is named, and nothing is waited for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.strangers import EVERY_STRANGER, said_of

from vistio_core.regular_files import NotRegularError, open_regular, require_regular


def test_a_file_is_opened_be_it_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    for name in ("file", "link"):
        require_regular(tmp_path / name)
        with open_regular(tmp_path / name) as stream:
            assert stream.read() == b"content"


@pytest.mark.parametrize("make", EVERY_STRANGER)
def test_what_is_no_file_is_named(tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = tmp_path / "folder" / "name"
    path.parent.mkdir()
    make(path)
    for look in (open_regular, require_regular):
        with pytest.raises(NotRegularError) as raised:
            look(path)
        assert str(raised.value) == said_of(make)
        assert raised.value.filename == str(path)


def test_what_is_not_there_is_what_the_system_calls_it(tmp_path: Path) -> None:
    for look in (open_regular, require_regular):
        with pytest.raises(FileNotFoundError):
            look(tmp_path / "nothing")
