"""Which licences come along with vistio, each on the list of those that may; fails on any other.

    python -m releasing.licences [FILE]

FILE gets them as a table, and the texts: those of Python's packages from their wheels, those of the page's from the one
that its build has put into ours (vistio_serve/web/licences.ts). To be run where vistio is installed.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata, util
from pathlib import Path
from typing import Any

from releasing.packages import Package, in_the_page, installed

LIST = Path(__file__).with_name("licences.toml")
_PART = re.compile(r"^## (\S+) (.+?)(?: \(([^()]+)\))?$", re.MULTILINE)


def read_list(file: Path = LIST) -> Mapping[str, Mapping[str, Any]]:
    """The tables of licences.toml."""
    return tomllib.loads(file.read_text(encoding="utf-8"))


def settled(packages: Iterable[Package], known: Mapping[str, Mapping[str, Any]]) -> Iterator[Package]:
    """The same, with what the list says of packages that do not say it themselves."""
    for package in packages:
        if not package.licence and package.name in known["packages"]:
            package.licence = known["packages"][package.name]["licence"]
        yield package


def refused(packages: Iterable[Package], known: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What is wrong: a line for each package that may not come along, or of which that is not known."""
    return [
        f"{package}: not on the list of {LIST.name}; look whether it may be passed on, and say why there"
        for package in packages
        if not is_allowed(package.licence, known["allowed"])
    ]


def is_allowed(expression: str, allowed: Iterable[str]) -> bool:
    """Whether an SPDX expression without brackets is allowed: all parts of one of its choices are."""
    return any(
        all(part in allowed for part in choice.split(" AND ")) for choice in re.split(" OR ", expression)
    )


def table(packages: Iterable[Package]) -> str:
    """A line for each."""
    return "".join(
        f"{package.name:<28} {package.version:<16} {package.licence or '-'}\n" for package in packages
    )


def texts(packages: Iterable[Package]) -> Iterator[str]:
    """The texts that come with Python's packages."""
    for package in packages:
        for file in metadata.files(package.name) or ():
            if re.search(r"\.dist-info/.*(LICEN[CS]E|COPYING|NOTICE)[^/]*$", str(file), re.IGNORECASE):
                path = Path(str(file.locate()))
                yield f"\n---- {package.name}: {file.name}\n\n{path.read_text(encoding='utf-8', errors='replace')}"


def page_text() -> str:
    """The texts of what the page is built of, as the installed vistio has them.

    Raises:
        OSError: it has none: it was built without the page.
    """
    spec = util.find_spec("vistio_serve")
    assert spec is not None, "vistio is installed"
    assert spec.origin is not None
    return (Path(spec.origin).parent / "static" / "ui" / "licences.txt").read_text(encoding="utf-8")


def built_in(text: str) -> list[Package]:
    """What the page is built of, as the titles of `page_text` say it; also what one of them has built in."""
    return [Package(name, version, licence or "", "npm") for name, version, licence in _PART.findall(text)]


def unwritten(packages: Iterable[Package], written: Iterable[Package]) -> list[str]:
    """A line for each package of the lock file that `page_text` does not have."""
    there = {each.name for each in written}
    return [
        f"{package}: its text is not in the page's licences.txt"
        for package in packages
        if package.name not in there
    ]


def main(arguments: list[str]) -> int:
    """The exit code."""
    known = read_list()
    python = list(settled(installed(), known))
    text = page_text()
    page = list(settled(built_in(text), known))
    told = f"Python\n\n{table(python)}\nThe page\n\n{table(page)}"
    if arguments:
        written = f"{told}{''.join(texts(python))}\n---- the page\n\n{text}"
        Path(arguments[0]).write_text(written, encoding="utf-8")
    print(told)
    wrong = [*refused([*python, *page], known), *unwritten(in_the_page(), page)]
    print("\n".join(wrong) or f"{len(python) + len(page)} packages, all with licences that may come along")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
