"""Where a recording may be: a directory, and nothing that only looks like the path of one."""

from __future__ import annotations

from pathlib import Path

import pytest

import vistio_core as vistio
from vistio_core.errors import UsageError


@pytest.mark.parametrize("create", [False, True])
@pytest.mark.parametrize(
    ("place", "scheme"),
    [
        ("s3://bucket/x", "s3"),
        ("S3://bucket", "S3"),
        (" s3://bucket", "s3"),
        ("s3:///", "s3"),
        (Path("s3://bucket/x"), "s3"),
        ("gs://bucket", "gs"),
        ("abfs+ssl://container@account/x", "abfs+ssl"),
        ("http://host:9091/", "http"),
        ("file:///srv/recording", "file"),
    ],
)
def test_an_address_is_refused_by_its_scheme_and_makes_no_directory(
    place: str | Path, scheme: str, create: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=rf"the scheme {scheme.replace('+', '.')}: cannot be used"):
        vistio.Recording.open(place, create=create)
    assert list(tmp_path.iterdir()) == []


def test_what_is_in_an_address_besides_its_place_is_not_repeated() -> None:
    with pytest.raises(UsageError) as refused:
        vistio.Recording.open("https://user:pass@word@host/x?token=secret")
    assert str(refused.value).startswith("recording https://host/x: ")


@pytest.mark.parametrize("place", ["./s3:/bucket", "2026-11-23T05:10/x", "a:b/c", "1:/x", "s3:", "x/s3://y"])
def test_a_directory_may_have_a_colon_in_its_name(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    vistio.Recording.open(place, create=True)
    assert (tmp_path / place / "vistio.json").is_file()
