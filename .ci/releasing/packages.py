"""Which packages come along with vistio: those that its wheel needs, and those that the page was built of."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "vistio_serve" / "web" / "package-lock.json"
BUILD_TOOLS = frozenset({"vite"})
"""What builds the page and is not in it, although package.json has it among the dependencies, for the wheel's build."""


class Package:
    """A package that is passed on.

    Attributes:
        name: as its index has it.
        version: as its index has it.
        licence: an SPDX expression; empty where its metadata name none.
        purl: its package URL.
    """

    def __init__(self, name: str, version: str, licence: str, kind: str) -> None:
        self.name, self.version, self.licence = name, version, licence
        self.purl = f"pkg:{kind}/{name.replace('@', '%40')}@{version}"

    def __repr__(self) -> str:
        return f"{self.name} {self.version} ({self.licence or 'no licence'})"


def installed(root: str = "vistio") -> list[Package]:
    """``root``'s requirements, directly or by way of others, as this environment has them; by name."""
    found: dict[str, metadata.Distribution] = {}
    waiting = [root]
    while waiting:
        distribution = metadata.distribution(waiting.pop())
        for text in distribution.requires or ():
            requirement = Requirement(text)
            name = canonicalize_name(requirement.name)
            if name not in found and (
                requirement.marker is None or requirement.marker.evaluate({"extra": ""})
            ):
                found[name] = metadata.distribution(name)
                waiting.append(name)
    return [Package(name, each.version, licence_of(each), "pypi") for name, each in sorted(found.items())]


def licence_of(distribution: metadata.Distribution) -> str:
    """The SPDX expression in a distribution's metadata; empty where there is none."""
    for field in ("License-Expression", "License"):
        try:
            return canonicalize_license_expression(distribution.metadata.get(field) or "")
        except InvalidLicenseExpression:
            continue
    return ""


def in_the_page(lock: Path = LOCK) -> list[Package]:
    """What the page was built of; by name."""
    packages: Mapping[str, Mapping[str, Any]] = json.loads(lock.read_text(encoding="utf-8"))["packages"]
    found: set[str] = set()
    waiting = [("", name) for name in packages[""]["dependencies"] if name not in BUILD_TOOLS]
    while waiting:
        user, name = waiting.pop()
        place = next(each for each in _places(user, name) if each in packages)
        if place not in found:
            found.add(place)
            waiting += [(place, each) for each in packages[place].get("dependencies", ())]
    named = {place: place.rpartition("node_modules/")[2] for place in found}
    return [
        Package(name, packages[place]["version"], packages[place].get("license", ""), "npm")
        for place, name in sorted(named.items(), key=lambda item: item[1])
    ]


def _places(user: str, name: str) -> Iterator[str]:
    """Where npm looks for a package: beside its user's own ones, then further and further out."""
    while user:
        yield f"{user}/node_modules/{name}"
        user = user.rpartition("/node_modules/")[0] if "/node_modules/" in user else ""
    yield f"node_modules/{name}"
