"""The contract of a store; every store that we ever have runs through it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from support.strangers import EVERY_STRANGER, directory, said_of

from vistio_core.errors import WriterLockedError
from vistio_core.storage.local_store import LocalStore
from vistio_core.storage.store import StorageError, Store

MakeStore = Callable[[], Store]


@pytest.fixture(params=["local"])
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> MakeStore:
    """Opens the same storage anew at each call."""

    def local() -> Store:
        store = LocalStore(tmp_path / "store")
        store.prepare()
        return store

    return {"local": local}[request.param]


def put(store: Store, name: str, content: bytes = b"content") -> None:
    with store.create(name) as sink:
        sink.write(content)


def read(store: Store, name: str) -> bytes:
    with store.open(name) as source:
        content: bytes = source.read()
    return content


def names(store: Store, prefix: str = "") -> list[str]:
    return sorted(entry.name for entry in store.entries(prefix))


def test_an_object_is_there_after_its_block_and_not_before(make_store: MakeStore) -> None:
    store, other = make_store(), make_store()
    with store.create("a/b/object") as sink:
        sink.write(b"half")
        assert names(other) == []
        assert not other.exists("a/b/object")
    assert read(other, "a/b/object") == b"half"
    assert [(entry.name, entry.size_bytes) for entry in other.entries("a")] == [("a/b/object", 4)]


def test_nothing_is_seen_of_an_object_whose_block_raised(make_store: MakeStore) -> None:
    store = make_store()
    with suppress(RuntimeError), store.create("object") as sink:
        sink.write(b"half")
        raise RuntimeError("half way")
    assert names(store) == []
    assert list(store.leftovers()) == []


def test_an_object_is_never_overwritten(make_store: MakeStore) -> None:
    store = make_store()
    put(store, "object", b"first")
    with pytest.raises(FileExistsError):
        put(store, "object", b"second")
    assert read(store, "object") == b"first"


def test_listing_a_folder_shows_what_is_below_it_only(make_store: MakeStore) -> None:
    store = make_store()
    for name in ("top", "a/1", "a/deep/2", "ab/3"):
        put(store, name)
    assert names(store, "a") == ["a/1", "a/deep/2"]
    assert names(store, "missing") == []
    assert names(store) == ["a/1", "a/deep/2", "ab/3", "top"]


def test_opening_what_is_not_there_is_a_file_not_found_error(make_store: MakeStore) -> None:
    with pytest.raises(FileNotFoundError):
        make_store().open("nothing")


def test_deleting_twice_is_no_error(make_store: MakeStore) -> None:
    store = make_store()
    put(store, "a/b/c")
    store.delete("a/b/c")
    store.delete("a/b/c")
    assert names(store) == []


def test_an_object_that_is_open_stays_readable_when_it_is_deleted(make_store: MakeStore) -> None:
    store = make_store()
    put(store, "object", b"still here")
    with store.open("object") as source:
        store.delete("object")
        assert source.read() == b"still here"


def test_a_second_holder_of_a_lock_is_refused_and_told_who_has_it(make_store: MakeStore) -> None:
    with make_store().lock("main"):
        with pytest.raises(WriterLockedError, match=rf"process {os.getpid()} on .* since 20") as refused:
            make_store().lock("main").__enter__()
        assert "--writer" in str(refused.value)
        with make_store().lock("other"):
            pass
    with make_store().lock("main"):
        pass


@pytest.mark.parametrize("ending", ["lock", "json"])
@pytest.mark.parametrize("make", EVERY_STRANGER)
def test_a_lock_that_is_no_file_is_not_waited_for(
    tmp_path: Path, make: Callable[[Path], None], ending: str
) -> None:
    path = tmp_path / "locks" / f"main.{ending}"
    path.parent.mkdir()
    make(path)
    if ending == "lock" or make is directory:
        with pytest.raises(StorageError, match=r"locking for writer 'main': ") as raised:
            LocalStore(tmp_path).lock("main").__enter__()
        assert ending == "json" or EVERY_STRANGER[make] in str(raised.value)
    else:  # who holds it is written anew
        with (
            LocalStore(tmp_path).lock("main"),
            pytest.raises(WriterLockedError, match=f"process {os.getpid()} "),
        ):
            LocalStore(tmp_path).lock("main").__enter__()


@pytest.mark.parametrize("make", EVERY_STRANGER)
def test_what_is_no_file_is_no_object(tmp_path: Path, make: Callable[[Path], None]) -> None:
    store = LocalStore(tmp_path)
    put(store, "folder/object")
    make(tmp_path / "folder" / "stranger")
    assert names(store) == ["folder/object"]
    strangers = dict(store.strangers())
    assert strangers == ({} if make is directory else {"folder/stranger": EVERY_STRANGER[make]})
    with pytest.raises(OSError, match=re.escape(said_of(make))):
        store.open("folder/stranger")


def test_links_that_lead_nowhere_are_no_objects(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    put(store, "folder/object")
    (tmp_path / "folder" / "nowhere").symlink_to("nothing")
    (tmp_path / "folder" / "circle").symlink_to("circle")
    assert names(store) == ["folder/object"]
    assert dict(store.strangers()) == dict.fromkeys(("folder/nowhere", "folder/circle"), "a link to nothing")


DIES_WITH_THE_LOCK = """
import os, pathlib, sys
from vistio_core.storage.local_store import LocalStore

lock = LocalStore(pathlib.Path(sys.argv[1])).lock("main")
lock.__enter__()
os._exit(9)
"""


def test_the_lock_of_a_process_that_died_is_taken_over(tmp_path: Path) -> None:
    died = subprocess.run([sys.executable, "-c", DIES_WITH_THE_LOCK, str(tmp_path)], timeout=30, check=False)
    assert died.returncode == 9
    with LocalStore(tmp_path).lock("main"):
        pass


def test_a_lock_whose_file_was_deleted_is_taken_again(tmp_path: Path) -> None:
    """Otherwise another process would get the right to write beside the one that has it."""
    store = LocalStore(tmp_path)
    with store.lock("main") as lock:
        lock.require()
        shutil.rmtree(tmp_path / "locks")
        lock.require()
        with pytest.raises(WriterLockedError, match=rf"process {os.getpid()} on "):
            LocalStore(tmp_path).lock("main").__enter__()
        lock.require()
    with LocalStore(tmp_path).lock("main"):
        pass


def test_a_lock_is_lost_to_who_locked_the_new_file_first(tmp_path: Path) -> None:
    with LocalStore(tmp_path).lock("main") as first:
        (tmp_path / "locks/main.lock").unlink()
        with LocalStore(tmp_path).lock("main") as second:
            for _ in range(2):
                with pytest.raises(WriterLockedError, match=r"writer 'main' is in use by process"):
                    first.require()
            second.require()
        first.require()  # it ended, so the name is free again


def test_a_lock_is_not_taken_again_where_the_recording_has_gone(tmp_path: Path) -> None:
    """An empty mount point stays empty, and what was locked before stays locked."""
    (tmp_path / "disk").mkdir()
    store = LocalStore(tmp_path / "disk")
    put(store, "marker")
    with store.lock("main", beside="marker") as lock:
        (tmp_path / "disk").rename(tmp_path / "elsewhere")
        (tmp_path / "disk").mkdir()
        with pytest.raises(StorageError, match="it is back"):
            lock.require()
        assert list((tmp_path / "disk").iterdir()) == []
        with pytest.raises(WriterLockedError):
            LocalStore(tmp_path / "elsewhere").lock("main").__enter__()
        (tmp_path / "disk").rmdir()
        (tmp_path / "elsewhere").rename(tmp_path / "disk")
        lock.require()


def test_a_local_store_never_makes_its_own_directory_again(tmp_path: Path) -> None:
    """A vanished mount must not be papered over by an empty directory."""
    store = LocalStore(tmp_path / "gone")
    with pytest.raises(StorageError, match="it is back"):
        put(store, "head/object")
    assert not (tmp_path / "gone").exists()


def test_leftovers_of_one_writer_are_swept_and_others_stay(tmp_path: Path) -> None:
    (tmp_path / "head").mkdir()
    mine, other = tmp_path / "head/.tmp-1-x_main.parquet", tmp_path / "head/.tmp-2-x_other.parquet"
    for path in (mine, other):
        path.write_bytes(b"half")
    store = LocalStore(tmp_path)
    assert names(store) == []
    store.sweep("_main.parquet")
    assert [entry.name for entry in store.leftovers()] == ["head/.tmp-2-x_other.parquet"]
    os.utime(other, (0, 0))
    store.sweep("_main.parquet")
    assert list(store.leftovers()) == []
