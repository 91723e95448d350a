"""docs/errors.md has every error of the library, with what it is and the facts that it carries: no more and no less."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from pathlib import Path

import pytest

from vistio_core import errors

PAGE = (Path(__file__).parents[1] / "docs" / "errors.md").read_text(encoding="utf-8")
ROWS = {
    row[0]: row[1:] for row in re.findall(r"^\| `(\w+)` \| ([^|]+) \| [^|]+ \|([^|]*)\|$", PAGE, re.MULTILINE)
}
CLASSES = {
    name: each
    for name, each in vars(errors).items()
    if inspect.isclass(each) and issubclass(each, errors.VistioError)
}


def facts_of(error: type) -> set[str]:
    """The attributes that its `__init__` sets."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(error)))
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    }


def test_every_error_stands_on_the_page() -> None:
    assert ROWS.keys() == CLASSES.keys()


@pytest.mark.parametrize("name", CLASSES)
def test_the_page_says_what_it_is_and_what_it_has(name: str) -> None:
    bases, facts = ROWS[name]
    assert re.findall(r"`(\w+)`", bases) == [base.__name__ for base in CLASSES[name].__bases__]
    assert set(re.findall(r"`(\w+)`", facts)) == facts_of(CLASSES[name])
