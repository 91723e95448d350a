"""Keeps passwords out of what is recorded, shown and logged."""

from __future__ import annotations

import json
import re

from yaml.nodes import Node, ScalarNode

HIDDEN = "***"

# scheme://user:password@host. Up to the last @ before the path: unescaped ones occur in passwords.
_USERINFO = re.compile(r"(?P<user>://[^\s/?#\"@:]*):[^\s/?#\"]*@")


def redact(text: str) -> str:
    """``text`` with the password of each URL in it replaced by ``***``."""
    return _USERINFO.sub(rf"\g<user>:{HIDDEN}@", text)


def redact_yaml(text: str, root: Node | None) -> str:
    """A YAML text with the password of each URL in it replaced, in values and comments alike.

    Args:
        text: the text.
        root: the root node that was composed from it; None where there is none.

    Shape:
        The result loads to the same values, passwords apart; redacting it again changes nothing.
    """
    # A double-quoted value may spell its URL with escapes, which the pattern does not see: such
    # a value is written anew. From the end on, so that earlier positions stay true.
    for node in sorted(_scalars(root), key=lambda node: node.start_mark.index, reverse=True):
        if node.style != '"' or redact(node.value) == node.value:
            continue
        start, end = text.index('"', node.start_mark.index), node.end_mark.index
        if "\\" in text[start:end]:
            text = text[:start] + json.dumps(redact(node.value), ensure_ascii=False) + text[end:]
    return redact(text)


def _scalars(root: Node | None) -> list[ScalarNode]:
    """Every scalar below ``root``, keys included, each once."""
    found: list[ScalarNode] = []
    seen: set[int] = set()
    stack = [root] if root is not None else []
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, ScalarNode):
            found.append(node)
        else:
            for child in node.value:
                stack.extend(child if isinstance(child, tuple) else (child,))
    return found
