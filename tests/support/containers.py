"""Images and containers for tests, with Debian's buildah and podman: own storage, own settings.

Containers share the machine's network, so that they reach servers of a test on loopback; ports are the
test's to choose. The base is Debian with Python, made by mmdebstrap, so that no image registry is needed;
it is kept between runs, outside of the project: in ``VISTIO_TEST_CACHE``, or ``~/.cache/vistio-tests``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Self

import attrs

from support.processes import RunningProcess

PROGRAMS = ("buildah", "podman", "runc", "mmdebstrap", "catatonit")
BASE = "localhost/python-base:test"
_SUITE = "bookworm"
_PACKAGES = "ca-certificates,python3-venv"
_KEPT_FOR_S = (
    14 * 86_400
)  # security updates of a base matter to no test; a package that is not to be had any more might
_ROOM_BYTES = 6_000_000_000
_CONTAINERS_CONF = """\
[containers]
netns = "host"
# Where a test runs, these may be lower than what podman would ask for.
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""
_STORAGE_CONF = """\
[storage]
driver = "overlay"
graphroot = "{place}/storage"
runroot = "{place}/run"
"""


def missing() -> str:
    """Why there can be no containers here; empty if there can."""
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    if absent:
        return f"needs {', '.join(absent)} on PATH: `apt-get install {' '.join(absent)}` (.ci/run does)"
    return "" if os.geteuid() == 0 else "needs root, to run containers with a root file system of their own"


class Containers:
    """A podman of its own; a context manager, which leaves neither processes nor files."""

    def __init__(self) -> None:
        self._place = Path(tempfile.mkdtemp(prefix="vistio-containers-", dir=_where()))
        self._environment = {
            "CONTAINERS_CONF": self._written("containers.conf", _CONTAINERS_CONF),
            "CONTAINERS_STORAGE_CONF": self._written("storage.conf", _STORAGE_CONF.format(place=self._place)),
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._run("podman", "pod", "rm", "--all", "--force", "--time", "0", check=False)
        self._run("podman", "rm", "--all", "--force", "--time", "0", check=False)
        self._run("podman", "volume", "rm", "--all", "--force", check=False)
        # buildah's own mounts, if a build was interrupted.
        self._run("buildah", "rm", "--all", check=False)
        shutil.rmtree(self._place, ignore_errors=True)

    def podman(self, *arguments: object, check: bool = True) -> str:
        """What it printed; an AssertionError with what it had to say if it failed and that matters."""
        return self._run("podman", *arguments, check=check)

    def start(self, *arguments: object) -> RunningProcess:
        """``podman run ARGUMENTS`` in the foreground: the container's log is the process'."""
        return RunningProcess(["podman", "run", *map(str, arguments)], environment=self._environment)

    def import_base(self) -> str:
        """The name of an image of Debian with Python: some 225 MB, made in a minute when none is kept."""
        path = "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # as every image of a Python has
        self._run("podman", "import", "--quiet", "--change", path, base_archive(), BASE)
        return BASE

    def build(self, context: Path, tag: str, **arguments: str) -> str:
        """Build ``context/Dockerfile`` as ``tag``; what was said. ``arguments`` are its ARGs."""
        given = [part for name, value in arguments.items() for part in ("--build-arg", f"{name}={value}")]
        format_ = ("--format", "docker")  # the other one has no HEALTHCHECK
        return self._run(
            "buildah",
            "build",
            "--isolation",
            "chroot",
            *format_,
            *given,
            "--tag",
            tag,
            context,
            timeout_s=600,
        )

    def inspect(self, tag: str) -> dict[str, Any]:
        (found,) = json.loads(self.podman("image", "inspect", tag))
        return dict(found)

    def _written(self, name: str, text: str) -> str:
        path = self._place / name
        path.write_text(text)
        return str(path)

    def _run(self, *command: object, check: bool = True, timeout_s: float = 240) -> str:
        done = subprocess.run(
            [str(part) for part in command],
            env={**os.environ, **self._environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
        shown = " ".join(map(str, command))
        assert not check or done.returncode == 0, (
            f"{shown}: exit code {done.returncode}\n{done.stdout[-6000:]}"
        )
        return "".join(line for line in done.stdout.splitlines(keepends=True) if not _is_about_systemd(line))


@attrs.frozen
class Image:
    """A built image of vistio, and who can run it."""

    containers: Containers
    base: str
    tag: str

    def run(self, *command: object) -> str:
        """What a command prints in a container with a read-only root, which is gone afterwards."""
        return self.containers.podman("run", "--rm", "--read-only", self.tag, *command)


def _is_about_systemd(line: str) -> bool:
    """Without a systemd, podman says at each start that nobody will ask for the health by itself."""
    return "unable to get systemd connection" in line


def _where() -> Path | None:
    """In memory, if it has room: a build writes a gigabyte that nobody keeps. None: on disk."""
    shared = Path("/dev/shm")
    return shared if shared.is_dir() and shutil.disk_usage(shared).free > _ROOM_BYTES else None


def base_archive() -> Path:
    """A root file system of Debian with Python's venv, as a tar file."""
    cache = Path(os.environ.get("VISTIO_TEST_CACHE") or Path.home() / ".cache" / "vistio-tests")
    kept = cache / f"{_SUITE}-{_PACKAGES.replace(',', '-')}.tar"
    if kept.exists() and time.time() - kept.stat().st_mtime < _KEPT_FOR_S:
        return kept
    cache.mkdir(parents=True, exist_ok=True)
    half = kept.with_suffix(".half.tar")
    command = ["mmdebstrap", "--variant=minbase", f"--include={_PACKAGES}", _SUITE, str(half)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr[-4000:]}"
    half.rename(kept)
    return kept
