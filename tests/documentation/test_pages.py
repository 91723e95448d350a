"""Pages about the same say the same, in both languages, and the commands on pages are there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import click
import pytest
from support.walk import commands

from vistio_record import cli as record_cli
from vistio_serve import cli as serve_cli

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
CHINESE = sorted(path.name for path in (DOCS / "zh").glob("*.md"))
PROGRAMS: dict[str, click.Command] = {"vistio-record": record_cli.main, "vistio-serve": serve_cli.main}
PAGES = sorted(path for path in (ROOT / "README.md", *DOCS.rglob("*.md")) if path.parent.name != "reference")
_BLOCK = re.compile(r"^ *```\w+\n.*?^ *```$", re.DOTALL | re.MULTILINE)


def _names_a_program(words: list[str], place: int) -> bool:
    """Whether a word is one of our programs, and no value of another one's option (`journalctl -u vistio-record`)."""
    before = words[place - 1] if place else ""
    return Path(words[place]).name in PROGRAMS and not before.startswith("-") and "systemctl" not in words[0]


def typed(page: Path) -> Iterator[list[str]]:
    """Each of our programs' commands on a page, as words."""
    for command in commands(page):
        try:
            words = shlex.split(command, comments=True)
        except ValueError:
            continue  # a part of something that goes on
        starts = [place for place in range(len(words)) if _names_a_program(words, place)]
        for start, end in pairwise([*starts, len(words)]):
            its_own = words[start:end]
            ends = [place for place, word in enumerate(its_own) if word in ("|", "&&", "||", ";", ">", "&")]
            yield its_own[: min(ends, default=len(its_own))]


def levels(text: str) -> list[str]:
    """The headings of a page, as their signs."""
    return re.findall(r"^(#+) ", _BLOCK.sub("", text), re.MULTILINE)


def test_what_the_quick_start_has_one_type_is_what_the_readme_walks_through() -> None:
    of_readme, of_quick_start = (
        {" ".join(command.partition(" #")[0].split()) for command in commands(page)}
        for page in (ROOT / "README.md", DOCS / "quick-start.md")
    )
    assert len(of_quick_start) > 8
    assert of_quick_start - of_readme == set()


@pytest.mark.parametrize("name", CHINESE)
def test_a_chinese_page_has_the_commands_and_code_of_the_english_one(name: str) -> None:
    chinese, english = (
        _BLOCK.findall(path.read_text(encoding="utf-8")) for path in (DOCS / "zh" / name, DOCS / name)
    )
    assert chinese == english
    assert len(chinese) > 4


@pytest.mark.parametrize("name", CHINESE)
def test_a_chinese_page_has_the_sections_of_the_english_one_and_each_leads_to_the_other(name: str) -> None:
    chinese, english = (path.read_text(encoding="utf-8") for path in (DOCS / "zh" / name, DOCS / name))
    assert levels(chinese) == levels(english)
    assert f"](../{name})" in chinese
    assert f"](zh/{name})" in english


def test_pages_have_commands_of_ours() -> None:
    assert sum(1 for page in PAGES for _ in typed(page)) > 40


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_command_on_a_page_is_there_with_what_it_takes_and_needs(page: Path) -> None:
    for words in typed(page):
        command = PROGRAMS[Path(words[0]).name]
        names: set[str] = {"--help"}
        for word in words[1:]:
            names |= {
                name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)
            }
            if isinstance(command, click.Group) and word in command.commands:
                command = command.commands[word]
            elif word.startswith("-") and not re.fullmatch(r"-\d+\w+(/\S+)?", word):
                names |= {name for parameter in command.params for name in parameter.opts}
                assert word.partition("=")[0] in names, f"{' '.join(words)}: {word}"
        if isinstance(command, click.Group) and not command.invoke_without_command:
            pytest.fail(f"{' '.join(words)}: no such command")
        given = {word.partition("=")[0] for word in words[1:]}
        lacks = [
            each.opts[0] for each in command.params if each.required and not given.intersection(each.opts)
        ]
        # The image says by its environment where the recording is.
        if not {"...", "--help"} & given and page.name != "image.md":
            assert [name for name in lacks if name.startswith("-")] == [], " ".join(words)
