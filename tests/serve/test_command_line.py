from __future__ import annotations

import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from vistio_core.errors import UsageError
from vistio_serve.cli import main
from vistio_serve.opening import refuse_plainly_wrong
from vistio_serve.server import Address, ListenError, reserve


def test_the_recording_must_be_named() -> None:
    result = CliRunner().invoke(main, [])
    assert result.exit_code == 2
    assert "--recording" in result.output
    assert "vistio-serve demo" in result.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--port", "65536"], "65535"),
        (["--port", "x"], "--port"),
        (["--prefix", "vistio"], "/vistio"),
        (["--prefix", "/a/../b c"], "prefix"),
        (["--frame-ancestors", "grafana.example.com"], "https://grafana.example.com, self, or none"),
        (["--frame-ancestors", "https://a.example.com; script-src *"], "names no origins"),
        (["--frame-ancestors", "none https://a.example.com"], "names no origins"),
        (["--frame-ancestors", ""], "names no origins"),
    ],
)
def test_a_wrong_option_is_refused_with_what_is_allowed(arguments: list[str], told: str) -> None:
    result = CliRunner().invoke(main, ["--recording", "x", *arguments])
    assert result.exit_code == 2
    assert told in result.output


def test_the_port_that_kubernetes_puts_into_the_environment_is_not_ours(tmp_path: Path) -> None:
    """A Service called vistio-serve sets VISTIO_SERVE_PORT in every pod of its namespace."""
    place = tmp_path / "file"
    place.write_text("")
    result = CliRunner().invoke(
        main, ["--recording", str(place)], env={"VISTIO_SERVE_PORT": "tcp://10.3.2.1:9091"}
    )
    assert "this is a file" in result.output


@pytest.mark.parametrize("command", [[], ["demo"]])
def test_help_names_every_option_with_its_environment_variable(command: list[str]) -> None:
    text = CliRunner().invoke(main, [*command, "--help"], terminal_width=200).output
    group = "_".join(["VISTIO_SERVE", *(word.upper() for word in command)])
    for option in (
        "recording",
        "host",
        "port",
        "cors-origin",
        "prefix",
        "behind-proxy",
        "frame-ancestors",
        "log-level",
    ):
        assert f"--{option}" in text
        assert f"{group}_{option.upper().replace('-', '_')}" in text


def test_where_queries_are_opened_is_an_address(recording_dir: Path) -> None:
    asked = ["--recording", str(recording_dir), "--query-links", "prometheus.example.com"]
    refused = CliRunner().invoke(main, asked)
    assert refused.exit_code == 2
    assert "'prometheus.example.com' is no address; give one such as https://" in refused.output


def test_a_free_port_is_picked_and_a_used_one_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as used:
        port = used.getsockname()[1]
        with pytest.raises(ListenError, match=str(port)):
            reserve("127.0.0.1", port)
    assert reserve("127.0.0.1", 0).port > 0


def test_a_port_shared_by_so_reuseport_is_refused_too() -> None:
    with socket.socket() as used:
        used.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        used.bind(("127.0.0.1", 0))
        used.listen()
        with pytest.raises(ListenError, match="in use"):
            reserve("127.0.0.1", used.getsockname()[1])


def test_an_unknown_host_is_refused() -> None:
    with pytest.raises(ListenError, match="--host"):
        reserve("256.256.256.256", 0)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:9/"),
        ("0.0.0.0", "http://127.0.0.1:9/"),
        ("::1", "http://[::1]:9/"),
        ("::", "http://[::1]:9/"),
    ],
)
def test_the_url_can_be_opened_on_this_machine(host: str, url: str) -> None:
    assert Address(host, 9).url == url


def test_a_place_that_can_become_a_recording_is_accepted(tmp_path: Path) -> None:
    refuse_plainly_wrong(str(tmp_path))
    refuse_plainly_wrong(str(tmp_path / "later" / "deeper"))


@pytest.mark.parametrize("command", [[], ["demo"]])
@pytest.mark.parametrize("place", ["s3://bucket/x", "gs:/bucket/x", "https://user:password@host/x"])
def test_an_address_is_refused_by_its_scheme_before_anything_is_made(
    command: list[str], place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, [*command, "--port", "0", "--recording", place])
    assert result.exit_code == 2
    assert f"the scheme {place.partition(':')[0]}: cannot be used" in result.output
    assert "password" not in result.output
    assert list(tmp_path.iterdir()) == []


def test_a_place_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is a file"):
        refuse_plainly_wrong(str(tmp_path / "file" / "recording"))
