"""What a frontend is: a graph in, bytes of some format out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from vistio_core.graph.model import Graph


class Frontend(Protocol):
    """One output format. Third parties add one under the entry point ``vistio.frontends``.

    An entry point names an object with these attributes, or a class of such objects that takes
    no arguments.
    """

    name: str
    """What a user writes as ``?format=``; lower case."""
    content_type: str
    """The media type of what `render` returns."""

    options: tuple[str, ...]
    """Names of the options that `render` understands; the server refuses others."""

    def render(self, graph: Graph, options: Mapping[str, str]) -> bytes:
        """The graph in this format; the same graph and options give the same bytes."""
        ...
