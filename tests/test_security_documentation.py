"""docs/security.md says what is tried, and by which test: each of them is there."""

from __future__ import annotations

import re
from pathlib import Path

from vistio_core.access import web_config
from vistio_core.access.web_config import SCOPES, parse_web_config

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "security.md").read_text()


def test_every_test_that_the_threat_model_names_is_there() -> None:
    there = set()
    for file in (ROOT / "tests").rglob("test_*.py"):
        there |= {
            file.relative_to(ROOT).as_posix(),
            *re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE),
        }
    named = set(re.findall(r"`(test_\w+|tests/\S+\.py)`", PAGE))
    assert len(named) > 30
    assert named - there == set()


def test_every_row_of_the_threat_model_has_a_test() -> None:
    rows = [
        line for line in PAGE.split("## What a hostile one could try")[1].splitlines() if line.startswith("|")
    ]
    assert len(rows) > 15
    assert [row for row in rows[2:] if "`test" not in row.rpartition(" | ")[2]] == []


def test_every_scope_and_key_is_documented() -> None:
    assert [scope for scope in SCOPES if f"| `{scope}` |" not in PAGE] == []
    keys = (*web_config._KEYS, *web_config._TLS_KEYS, *web_config._TOKEN_KEYS)
    assert [key for key in keys if not re.search(rf"\b{key}:", PAGE)] == []


def test_the_examples_are_what_can_be_written() -> None:
    examples = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    text = "".join(examples[:2]).replace("$2y$10$...", "$2y$10$" + "a" * 53)
    found = parse_web_config(text, "web.yaml", Path("/etc/vistio"))
    assert (found.user_scopes["alice"], found.user_scopes["bob"]) == ({"read", "annotate"}, {"read"})
    assert [token.name for token in found.tokens] == ["ci", "oidc"]
