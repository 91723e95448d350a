"""The image: what is in it and what is not, and that both commands work in it as a cluster runs them."""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from support.containers import Containers, Image
from support.exporter import OwnSeries
from support.ports import free_port
from support.processes import RunningProcess, wait_until
from support.prometheus import Prometheus

ROOT = Path(__file__).parents[2]
MB = 1_000_000
TESTS = (
    "tests/frontends",
    "tests/replay/test_timeline.py",
    "tests/serve/test_graph_route.py",
    "tests/serve/test_history_routes.py",
    "tests/storage/test_golden.py",
    "tests/storage/test_upkeep.py",
)


def test_the_dockerfile_is_as_hadolint_wants_it() -> None:
    hadolint = Path(sysconfig.get_path("scripts")) / "hadolint"
    if not hadolint.exists():
        pytest.skip("only `nox -s images` installs hadolint")
    done = subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_it_adds_less_than_250_mb_to_its_base_and_90_compressed(image: Image) -> None:
    sizes = [image.containers.inspect(tag)["Size"] for tag in (image.tag, image.base)]
    added = sizes[0] - sizes[1]
    # A registry stores each layer as gzip does; all but a few hundred bytes are in this one.
    packed = int(image.run("sh", "-c", "tar --create --file - /opt/vistio 2>/dev/null | gzip | wc --bytes"))
    print(f"\nimage: {added / MB:.0f} MB over its base, {packed / MB:.1f} MB compressed")
    assert added < 250 * MB
    assert packed < 90 * MB


def test_nothing_in_it_builds_or_installs(image: Image) -> None:
    tools = ("pip", "pip3", "node", "npm", "gcc", "cc", "c++", "make", "ld", "strip", "git", "curl")
    there = image.run("sh", "-c", f"for tool in {' '.join(tools)}; do command -v $tool || true; done")
    assert there == ""
    for module in ("pip", "ensurepip", "setuptools"):
        found = image.run(
            "python3", "-c", f"import importlib.util as u; print(u.find_spec({module!r}) is not None)"
        )
        assert found.strip() == "False", module


def test_it_has_the_licences_of_all_that_is_in_it(image: Image) -> None:
    page = image.run(
        "sh", "-c", "cat /opt/vistio/lib/python3*/site-packages/vistio_serve/static/ui/licences.txt"
    )
    named = {line.split()[1] for line in page.splitlines() if line.startswith("## ")}
    assert {"vizceral", "preact", "d3-force", "three"} <= named
    without = image.run(
        "python3",
        "-c",
        "import re; from importlib import metadata\n"
        "has = lambda each: any(re.search('LICEN[CS]E|COPYING', str(file), re.I) for file in each.files or ())\n"
        "print(*(each.name for each in metadata.distributions() if not has(each)))",
    )
    assert without.split() == []


def test_it_is_nobodys_and_says_what_it_is(image: Image) -> None:
    found = image.containers.inspect(image.tag)
    assert found["User"] == "65534:65534"
    labels = {
        name.rpartition(".")[2]: value for name, value in found["Labels"].items() if "opencontainers" in name
    }
    version = image.run("vistio-serve", "--version").split()[-1]
    assert labels["version"] == version == image.run("vistio-record", "--version").split()[-1]
    assert labels["revision"] == "1234567"
    assert {"title", "description", "licenses"} <= labels.keys()
    assert set(found["Config"]["ExposedPorts"]) == {"8080/tcp", "9091/tcp", "9092/tcp"}
    assert "/vistio" in found["Config"]["Volumes"]


def test_nothing_can_be_written_but_the_volume(image: Image) -> None:
    tried = image.run(
        "sh", "-c", "id -u; touch /vistio/x && echo volume; touch /opt/vistio/x /etc/x 2>&1 || true"
    )
    assert tried.split("\n")[:2] == ["65534", "volume"]
    assert tried.count("Read-only file system") == 2


# From here on: one life of a recording in a volume.

RULES = """\
globalLevel:
  clusterConnections:
    - query: sum by (code) (rate(requests_total{{{only}}}[5s]))
      source: {{replacement: INTERNET}}
      target: {{replacement: mesh}}
      status: {{label: code, dangerRegex: ^5..$}}
clusterLevel:
  - cluster: mesh
    serviceConnections:
      - query: sum by (source, target, code) (rate(requests_total{{{only}}}[5s]))
        source: {{label: source}}
        target: {{label: target}}
        status: {{label: code, dangerRegex: ^5..$}}
"""


class Life:
    """A recorder and a server in containers of their own, with one volume, and the Prometheus that is recorded."""

    def __init__(self, image: Image, prometheus: Prometheus, configuration: Path) -> None:
        self._image = image
        self._arguments = ("--config", "/etc/vistio/vistio.yaml", "--prometheus", prometheus.url)
        self._configuration = configuration
        self.recorder_port, self.port = free_port(), free_port()
        self.volume = "recording"
        self._started: list[RunningProcess] = []

    @property
    def containers(self) -> Containers:
        return self._image.containers

    def record(self) -> RunningProcess:
        """Each second, and as a cluster would: no capability, nothing to write but the volume."""
        command = ("vistio-record", "run", *self._arguments, "--interval", "1s", "--port", self.recorder_port)
        mounted = ("--volume", f"{self._configuration}:/etc/vistio:ro")
        return self._start("recorder", self.recorder_port, mounted, command)

    def serve(self) -> RunningProcess:
        return self._start("server", self.port, (), ("vistio-serve", "--port", self.port))

    def _start(
        self, name: str, port: int, mounted: tuple[object, ...], command: tuple[object, ...]
    ) -> RunningProcess:
        rights = ("--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges")
        health = ("--env", f"VISTIO_HEALTH=http://127.0.0.1:{port}/-/healthy")
        volume = ("--volume", f"{self.volume}:/vistio")
        process = self.containers.start(
            "--rm", "--name", name, *rights, *health, *volume, *mounted, self._image.tag, *command
        )
        self._started.append(process)
        return process

    def end(self) -> None:
        """Containers, volume, and the processes that showed their logs."""
        self.containers.podman("rm", "--force", "--ignore", "--time", "0", "recorder", "server")
        self.containers.podman("volume", "rm", "--force", self.volume)
        for process in self._started:
            process.kill()

    def get(self, path: str) -> Any:
        return requests.get(f"http://127.0.0.1:{self.port}{path}", timeout=20)

    def instants(self) -> set[str]:
        return {each["instant"] for each in self.get("/instants?start=-10m").json()["instants"]}


@pytest.fixture
def life(image: Image, prometheus: Prometheus, exporter: OwnSeries, tmp_path: Path) -> Iterator[Life]:
    for source, target, code, rate_rps in (("web", "cart", 200, 8), ("cart", "db", 503, 3)):
        labels = {"source": source, "target": target, "code": str(code)}
        exporter.counter("requests_total", labels, rate_rps=rate_rps)
    prometheus.wait_for(f"rate(requests_total{{{exporter.selector}}}[5s]) > 0", lambda found: len(found) == 2)
    tmp_path.chmod(0o755)
    configuration = tmp_path / "etc"
    configuration.mkdir()
    (configuration / "vistio.yaml").write_text(RULES.format(only=exporter.selector))
    found = Life(image, prometheus, configuration)
    yield found
    found.end()


def edges(graph: dict[str, Any]) -> dict[tuple[str, str], float]:
    (mesh,) = [node for node in graph["nodes"] if node["name"] == "mesh"]
    return {(each["source"], each["target"]): sum(each["metrics"].values()) for each in mesh["connections"]}


def test_it_records_a_prometheus_survives_a_kill_and_keeps_its_data(life: Life) -> None:
    recorder, server = life.record(), life.serve()
    recorder.wait_for_url(f"http://127.0.0.1:{life.recorder_port}/-/ready")
    server.wait_for_url(f"http://127.0.0.1:{life.port}/-/ready")
    expected = pytest.approx({("web", "cart"): 8, ("cart", "db"): 3}, rel=0.2)
    # At first a window of rates is longer than what there is to see in it.
    wait_until(lambda: edges(life.get("/graph").json()) == expected, what="the rates of both edges")
    for name in ("recorder", "server"):
        life.containers.podman("healthcheck", "run", name)

    before = life.instants()
    life.containers.podman("kill", "--signal", "KILL", "recorder")
    recorder.wait(exit_code=137)
    recorder = life.record()
    recorder.wait_for_url(f"http://127.0.0.1:{life.recorder_port}/-/ready")
    wait_until(lambda: max(life.instants()) > max(before), what="an instant after the kill")
    assert before <= life.instants(), "what was acknowledged before the kill is there"
    assert " 0 damaged" in life.containers.podman("exec", "recorder", "vistio-record", "verify")

    life.containers.podman("stop", "--time", "20", "server")
    server.wait()
    life.containers.podman("stop", "--time", "20", "recorder")
    recorder.wait()
    life.serve().wait_for_url(f"http://127.0.0.1:{life.port}/-/ready")
    assert before <= life.instants(), "a new container serves what the old ones left"


def test_the_projects_own_tests_pass_in_it(image: Image, tmp_path: Path) -> None:
    """What was left out is missed by nobody who reads, writes, asks or draws a recording."""
    if image.run("python3", "-c", "import sys; print(sys.version_info[:2])").strip() != str(
        sys.version_info[:2]
    ):
        pytest.skip("the base has another Python than the one whose pytest could be lent")
    main = tmp_path / "main.py"
    # At the end of the path: pytest is lent, and all that the image has is the image's.
    main.write_text(
        "import site, sys\n"
        "site.addsitedir('/lent')\n"
        "import pyarrow, pytest, vistio_core\n"
        "assert {each.__file__.split('/')[1] for each in (pyarrow, vistio_core)} == {'opt'}\n"
        "sys.exit(pytest.main(sys.argv[1:]))\n"
    )
    main.chmod(0o644)
    tmp_path.chmod(0o755)
    mounted = {ROOT: "/project", main: "/main.py", Path(sysconfig.get_path("purelib")): "/lent"}
    said = image.containers.podman(
        *("run", "--rm", "--read-only", "--workdir", "/project"),
        *("--env", "HOME=/tmp", "--env", "HYPOTHESIS_STORAGE_DIRECTORY=/tmp/hypothesis"),
        *(part for here, there in mounted.items() for part in ("--volume", f"{here}:{there}:ro")),
        *(image.tag, "python3", "/main.py", "-q", "--quick", "-p", "no:cacheprovider", *TESTS),
    )
    assert re.search(r"^\d{3,} passed", said, re.MULTILINE), said[-3000:]
