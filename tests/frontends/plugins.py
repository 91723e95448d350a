"""Makes real, if tiny, installed distributions, without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def install(place: Path, distribution: str, *, entry_points: dict[str, str], modules: dict[str, str]) -> None:
    """Puts into ``place`` (a directory of the import path) what pip would put there.

    Args:
        place: the site directory.
        distribution: the project's name.
        entry_points: name of a frontend to ``module:attribute``.
        modules: name of a module to its text.
    """
    info = place / f"{distribution.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    lines = ["[vistio.frontends]", *(f"{name} = {value}" for name, value in entry_points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    for name, text in modules.items():
        (place / f"{name}.py").write_text(text)
