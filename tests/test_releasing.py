"""What `nox -s release` looks at: each check finds what is wrong, and what can hold between releases holds now."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[1]


def _load() -> ModuleType:
    """The folder beside the packages, without these: the tests run against the wheel."""
    place = ROOT / ".ci" / "releasing"
    spec = importlib.util.spec_from_file_location(
        "releasing", place / "__init__.py", submodule_search_locations=[str(place)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["releasing"] = module
    spec.loader.exec_module(module)
    return module


_load()

from releasing import (  # noqa: E402
    artefacts,
    audit,
    checklist,
    commands,
    fresh,
    licences,
    packages,
    release,
    sbom,
)


def test_all_that_users_install_has_a_licence_that_may_come_along() -> None:
    known = licences.read_list()
    python = list(licences.settled(packages.installed(), known))
    page = list(licences.settled(packages.in_the_page(), known))
    assert {"duckdb", "pyarrow", "certifi"} <= {each.name for each in python}
    assert {"vizceral", "three", "uplot"} <= {each.name for each in page}
    assert "vite" not in {each.name for each in page}
    assert licences.refused([*python, *page], known) == []
    # What nobody needs any more is taken off the list.
    silent = [each for each in (*packages.installed(), *packages.in_the_page()) if not each.licence]
    assert set(known["packages"]) == {each.name for each in silent}


def test_a_licence_that_is_not_on_the_list_is_refused_by_name() -> None:
    known = licences.read_list()
    strange = [packages.Package("strange", "1.0", licence, "pypi") for licence in ("AGPL-3.0-only", "")]
    refused = licences.refused(strange, known)
    assert [line.partition(":")[0] for line in refused] == [
        "strange 1.0 (AGPL-3.0-only)",
        "strange 1.0 (no licence)",
    ]


PAGE = """\
What the page is built of.

## vizceral 4.9.0 (Apache-2.0)

Terms.

## chroma-js in vizceral 4.9.0

Others.

## @scope/strange 1.0 (AGPL-3.0-only)
"""


def test_what_the_page_is_built_of_is_read_from_the_titles_of_its_licences() -> None:
    known = licences.read_list()
    found = list(licences.settled(licences.built_in(PAGE), known))
    assert [(each.name, each.version, each.licence) for each in found] == [
        ("vizceral", "4.9.0", "Apache-2.0"),
        ("chroma-js", "in vizceral 4.9.0", "BSD-3-Clause AND Apache-2.0"),
        ("@scope/strange", "1.0", "AGPL-3.0-only"),
    ]
    assert [line.partition(":")[0] for line in licences.refused(found, known)] == [
        "@scope/strange 1.0 (AGPL-3.0-only)"
    ]


def test_a_package_of_the_lock_file_without_a_text_is_told() -> None:
    there, absent = (packages.Package(name, "1", "MIT", "npm") for name in ("there", "absent"))
    (line,) = licences.unwritten([there, absent], [there])
    assert line.startswith("absent 1 (MIT): ")


def test_the_built_page_has_the_text_of_each_package_and_of_those_that_one_of_them_is_built_of() -> None:
    try:
        text = licences.page_text()
    except OSError:
        pytest.skip("the web UI is not built")
    found = list(licences.settled(licences.built_in(text), licences.read_list()))
    assert licences.unwritten(packages.in_the_page(), found) == []
    assert licences.refused(found, licences.read_list()) == []
    # A worker's, one that only Vizceral has, one of its build's own.
    assert {"d3-quadtree", "three", "webpack"} <= {each.name for each in found}
    parts = text.split("\n## ")[1:]
    assert len(parts) == len(found)
    assert all("WARRANT" in part.upper() for part in parts), "each has its terms"


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("MIT AND GPL-3.0-only", False),
        ("MIT OR GPL-3.0-only", True),
        ("GPL-3.0-only OR MIT AND BSD-3-Clause", True),
        ("GPL-3.0-only OR LGPL-3.0-only", False),
        ("", False),
    ],
)
def test_one_choice_of_an_expression_must_be_allowed_in_all_of_its_parts(
    expression: str, allowed: bool
) -> None:
    assert licences.is_allowed(expression, {"MIT", "BSD-3-Clause"}) is allowed


def test_a_package_is_found_where_npm_finds_it(tmp_path: Path) -> None:
    lock = tmp_path / "package-lock.json"
    entries = {
        "": {"dependencies": {"a": "1", "vite": "8"}},
        "node_modules/a": {"version": "1.0.0", "license": "MIT", "dependencies": {"b": "2"}},
        "node_modules/a/node_modules/b": {"version": "2.0.0", "license": "ISC", "dependencies": {"c": "1"}},
        "node_modules/b": {"version": "1.0.0", "license": "GPL-3.0-only"},
        "node_modules/c": {"version": "3.0.0"},
        "node_modules/vite": {"version": "8.0.0", "license": "MIT"},
    }
    lock.write_text(json.dumps({"packages": entries}))
    assert list(map(repr, packages.in_the_page(lock))) == [
        "a 1.0.0 (MIT)",
        "b 2.0.0 (ISC)",
        "c 3.0.0 (no licence)",
    ]


def test_the_version_is_the_same_wherever_it_is_named() -> None:
    assert list(checklist.version_problems()) == []


def test_the_pythons_that_are_tried_are_those_that_are_promised() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    supported = checklist.supported_pythons()
    assert f">={supported[0]}" == project["requires-python"]
    assert supported == [f"3.{minor}" for minor in range(11, 11 + len(supported))]


@pytest.mark.parametrize(
    ("heading", "problem"),
    [
        ("## 1.2.0 - 2026-11-30", None),
        ("## 1.2.0 - unreleased", "CHANGELOG.md: 1.2.0 is unreleased"),
        ("## 1.1.0 - 2026-11-29", "CHANGELOG.md: begins with 1.1.0; this is 1.2.0"),
        ("# Changelog", "CHANGELOG.md: begins with no version"),
    ],
)
def test_the_changelog_begins_with_this_version_and_its_day(
    tmp_path: Path, heading: str, problem: str | None
) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "1.2.0"\n')
    (tmp_path / "CHANGELOG.md").write_text(
        f"# Changelog\n\n{heading}\n\n## 1.0.0 - 2026-01-01\n"[
            : None if problem is None or "no version" not in problem else 30
        ]
    )
    found = list(checklist.changelog_problems(tmp_path))
    assert len(found) == (problem is not None)
    assert all(each.startswith(problem or "-") for each in found)


def test_a_file_that_names_another_version_is_told(tmp_path: Path) -> None:
    for name in ("pyproject.toml", *checklist.NAMED_IN):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    version = checklist.project_version()
    (tmp_path / "Dockerfile").write_text("ARG VERSION=0.0.9\n")
    (tmp_path / "docs" / "kubernetes.md").write_text("nothing")
    assert list(checklist.version_problems(tmp_path)) == [
        f"Dockerfile: names 0.0.9; this is {version}",
        f"docs/kubernetes.md: names no version; this is {version}",
    ]


def test_what_is_not_committed_is_told(tmp_path: Path) -> None:
    checklist.git("init", "--quiet", root=tmp_path)
    assert list(checklist.tree_problems(tmp_path)) == []
    (tmp_path / "new.txt").write_text("")
    assert list(checklist.tree_problems(tmp_path)) == ["not committed: new.txt"]


def wheel(place: Path, files: dict[str, str]) -> Path:
    with ZipFile(place, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return place


def test_wheels_differ_in_what_is_in_them(tmp_path: Path) -> None:
    one = wheel(tmp_path / "one.whl", {"a": "1", "b": "2", "c": "3"})
    other = wheel(tmp_path / "other.whl", {"b": "2", "c": "4", "d": "5"})
    assert list(artefacts.differences(one, one)) == []
    assert [each.partition(":")[0] for each in artefacts.differences(one, other)] == ["a", "c", "d"]
    assert len(list(artefacts.missing(one))) == 5


def test_sums_are_those_of_all_files_beside_them(tmp_path: Path) -> None:
    (tmp_path / "a.whl").write_bytes(b"")
    first = artefacts.write_sums(tmp_path).read_text()
    assert first == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a.whl\n"
    assert artefacts.write_sums(tmp_path).read_text() == first


def test_an_audit_that_could_not_ask_is_a_failure_with_the_next_step() -> None:
    assert audit.judged(1, "") == [audit.UNREACHED]
    assert audit.judged(0, '{"dependencies": []}') == [audit.UNREACHED]
    nothing = {"name": "attrs", "skip_reason": "not found"}  # as a mirror answers that has no advisories
    assert audit.judged(0, json.dumps({"dependencies": [nothing]})) == [audit.UNREACHED]
    assert "nox -s audit" in audit.UNREACHED


def test_an_audit_tells_what_is_known_and_what_was_not_looked_up() -> None:
    well = {"name": "attrs", "version": "26.1.0", "vulns": []}
    ill = {**well, "vulns": [{"id": "PYSEC-1", "fix_versions": ["26.1.1"]}]}
    skipped = {"name": "vistio", "skip_reason": "not there"}
    assert audit.judged(0, json.dumps({"dependencies": [well]})) == []
    assert audit.judged(1, json.dumps({"dependencies": [ill, skipped]})) == [
        "attrs 26.1.0: PYSEC-1, mended in 26.1.1: pin another version in constraints.txt",
        "vistio: not looked up: not there",
    ]


def test_the_bill_has_the_page_and_not_what_an_environment_has_of_its_own() -> None:
    looked_at = {
        "metadata": {"component": {"name": "vistio", "bom-ref": "root"}},
        "components": [{"name": name, "bom-ref": name} for name in ("attrs", "pip", "vistio")],
        "dependencies": [{"ref": "root", "dependsOn": ["attrs"]}, {"ref": "attrs"}, {"ref": "pip"}],
    }
    made = sbom.complete(looked_at, [packages.Package("@a/b", "1.0", "MIT", "npm")], "0.1.0")
    assert [each["name"] for each in made["components"]] == ["attrs", "@a/b"]
    assert made["components"][1]["purl"] == "pkg:npm/%40a/b@1.0"
    assert made["dependencies"][0]["dependsOn"] == ["attrs", "pkg:npm/%40a/b@1.0"]
    assert {each["ref"] for each in made["dependencies"]} == {"root", "attrs", "pkg:npm/%40a/b@1.0"}
    assert made["metadata"]["component"]["version"] == "0.1.0"


def test_a_command_that_fails_tells_the_end_of_what_it_said() -> None:
    script = "print(*range(30), sep='\\n'); print('why', file=__import__('sys').stderr); raise SystemExit(3)"
    with pytest.raises(commands.CommandError) as failed:
        commands.said(sys.executable, "-c", script)
    first, *rest = str(failed.value).splitlines()
    assert first.endswith(": ended with 3")
    assert len(rest) == 10
    assert "why" in rest
    assert commands.said(sys.executable, "-c", "print('well')") == "well"
    with pytest.raises(commands.CommandError, match="no-such-program"):
        commands.said("no-such-program")


def test_the_checklist_goes_on_and_tells_why_something_does_not_hold(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fails() -> Iterator[str]:
        yield from commands.said("no-such-program")

    checks = release.Checks()
    assert checks("one holds", []) is True
    assert checks("one cannot be tried", fails()) is False
    assert checks("one does not hold", ["a", "b"]) is False
    told = capsys.readouterr().out
    assert "ok  one holds\n" in told
    assert "NOT one cannot be tried\n      no-such-program: " in told
    assert "NOT one does not hold\n      a\n      b\n" in told
    assert checks.failed == ["one cannot be tried", "one does not hold"]


def test_a_python_that_is_not_there_is_none() -> None:
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    found = fresh.interpreter(own)
    assert found is None or Path(found).exists()
    assert fresh.interpreter("3.0") is None
