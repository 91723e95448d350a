"""examples/deploy/oauth2-proxy: the headers that its file injects let people in, by a real server with its web.yaml."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import requests
import yaml
from support.processes import RunProcess

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "deploy" / "oauth2-proxy"
MARK = {"text": "v2 is out", "at": "2026-11-23T05:10:00Z"}


def injected(secrets: Path, claims: dict[str, str]) -> dict[str, str]:
    """What the proxy sends for somebody with these claims."""
    found: dict[str, str] = {}
    for header in yaml.safe_load((EXAMPLE / "oauth2-proxy.yaml").read_text())["injectRequestHeaders"]:
        assert header.get("preserveRequestValue", False) is False, "a client could send it itself"
        [value] = header["values"]
        source: dict[str, Any] = value.get("secretSource") or value["claimSource"]
        if "fromFile" in source:
            found[header["name"]] = (secrets / Path(source["fromFile"]).name).read_text().strip()
        else:
            found[header["name"]] = claims[source["claim"]]
    return found


def test_who_signed_in_reads_and_annotates_and_the_log_says_who(
    run_process: RunProcess, template: Path, recording_dir: Path, tmp_path: Path
) -> None:
    shutil.copytree(template, recording_dir)
    section = (ROOT / "docs" / "security.md").read_text().split("## Signing in by OpenID Connect")[1]
    commands = re.search(r"```sh\n(.*?)```", section, re.DOTALL)
    assert commands
    subprocess.run(["sh", "-ec", commands[1]], cwd=tmp_path, check=True, timeout=60)
    shutil.copy(EXAMPLE / "web.yaml", tmp_path)
    process = run_process(
        "vistio-serve",
        *("--recording", recording_dir, "--port", 0, "--behind-proxy", "--web-config", tmp_path / "web.yaml"),
    )
    url = process.wait_for_line(r"open (http://\S+)")[1]
    headers = {**injected(tmp_path, {"email": "carol@example.com"}), "X-Forwarded-For": "198.51.100.7"}
    assert requests.get(f"{url}annotations", timeout=10).status_code == 401
    forged = {"X-Forwarded-Email": "carol@example.com"}
    assert requests.get(f"{url}annotations", headers=forged, timeout=10).status_code == 401
    told = requests.get(f"{url}access", headers=headers, timeout=10).json()
    assert (told["user"], "annotate" in told["scopes"]) == ("carol@example.com", True)
    assert requests.post(f"{url}annotations", json=MARK, headers=headers, timeout=10).ok
    process.wait_for_line(r"annotation\.written .*by=oidc client=198\.51\.100\.7 for=carol@example\.com")
