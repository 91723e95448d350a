"""Keeps passwords and other secrets out of what is recorded, shown and logged."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from typing import TYPE_CHECKING, TypeAlias

from yaml.nodes import MappingNode, Node, ScalarNode

if TYPE_CHECKING:
    from collections.abc import Iterator

HIDDEN = "***"

SECRET_KEYS = frozenset(
    (
        *("password", "credentials", "key", "secrets", "proxy_connect_header"),
        # Not known to us, but to Prometheus: where they are ignored, they are recorded all the same.
        *("bearer_token", "client_secret", "secret_key"),
    )
)
"""Keys whose values are secrets, wherever in a file they stand."""

# scheme://user:password@host. Up to the last @ before the path: unescaped ones occur in passwords.
_USERINFO = re.compile(r"(?P<user>://[^\s/?#\"@:]*):[^\s/?#\"]*@")
_PRIVATE_KEY = re.compile(
    r"-----BEGIN (?P<kind>[A-Z ]*PRIVATE KEY)-----.*?(?:-----END (?P=kind)-----|\Z)", re.DOTALL
)
# A secret that was switched off by a # before it. ``key`` is too common a word in comments; a
# commented-out private key is found by its first line.
_COMMENTED = re.compile(
    rf"^[ \t]*#.*?\b(?:{'|'.join(sorted(SECRET_KEYS - {'key'}))})[\"']?[ \t]*:[ \t]*(?P<value>\S.*)$",
    re.MULTILINE,
)
_NULL = "tag:yaml.org,2002:null"
_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)*")  # an anchor, a tag

_Edit: TypeAlias = tuple[int, int, str]
"""Start, end, and what to put between them."""


def redact(text: str) -> str:
    """``text`` with the password of each URL in it replaced by ``***``."""
    return _USERINFO.sub(rf"\g<user>:{HIDDEN}@", text)


def redact_yaml(text: str, root: Node | None) -> str:
    """A YAML text with ``***`` in place of each secret, in values and comments alike.

    Secrets are the passwords of URLs, private keys, and what stands at one of `SECRET_KEYS`.

    Args:
        text: the text.
        root: the root node that was composed from it; None where there is none.

    Shape:
        The result loads to the same values, secrets apart; redacting it again changes nothing.
    """
    scalars, secrets = _scalars(root), {id(node) for node in _secret_scalars(root)}
    edits = [_hide(text, node) for node in scalars if id(node) in secrets]
    edits += [
        _rewrite(text, node) for node in scalars if id(node) not in secrets and _needs_rewrite(text, node)
    ]
    edits += _hide_comments(text, scalars)
    pieces, done = [], 0
    for start, end, instead in sorted(edits):
        pieces += [text[done:start], instead]
        done = end
    return _PRIVATE_KEY.sub(HIDDEN, redact("".join(pieces) + text[done:]))


def _hide(text: str, node: ScalarNode) -> _Edit:
    start, end = node.start_mark.index, node.end_mark.index
    properties = _PROPERTIES.match(text, start, end)
    start = properties.end() if properties else start
    # A block of text (|, >) owns the end of its line.
    return start, end, f'"{HIDDEN}"' + ("\n" if text[start:end].endswith("\n") else "")


def _needs_rewrite(text: str, node: ScalarNode) -> bool:
    """Whether a double-quoted value spells its URL with escapes, which the pattern does not see."""
    written = text[node.start_mark.index : node.end_mark.index]
    return node.style == '"' and "\\" in written and redact(node.value) != node.value


def _rewrite(text: str, node: ScalarNode) -> _Edit:
    start, end = text.index('"', node.start_mark.index), node.end_mark.index
    return start, end, json.dumps(redact(node.value), ensure_ascii=False)


def _hide_comments(text: str, scalars: list[ScalarNode]) -> Iterator[_Edit]:
    # A # within a text that goes over several lines is part of that text.
    spans = sorted((node.start_mark.index, node.end_mark.index) for node in scalars)
    for match in _COMMENTED.finditer(text):
        before = bisect_right(spans, (match.start(), len(text)))
        if before == 0 or spans[before - 1][1] <= match.start():
            yield *match.span("value"), HIDDEN


def _secret_scalars(root: Node | None) -> Iterator[ScalarNode]:
    """The scalars that are, or are below, the value of a secret key; the names of headers are none."""
    roots = [
        value
        for mapping in _nodes(root)
        if isinstance(mapping, MappingNode)
        for key, value in mapping.value
        if isinstance(key, ScalarNode) and key.value in SECRET_KEYS
    ]
    below = list(_nodes(*roots))
    names = {id(name) for node in below if isinstance(node, MappingNode) for name, _ in node.value}
    for node in below:
        # Nothing is no secret, and would become something.
        if isinstance(node, ScalarNode) and id(node) not in names and node.value and node.tag != _NULL:
            yield node


def _scalars(root: Node | None) -> list[ScalarNode]:
    """Every scalar below ``root``, keys included, each once."""
    return [node for node in _nodes(root) if isinstance(node, ScalarNode)]


def _nodes(*roots: Node | None) -> Iterator[Node]:
    """``roots`` and every node below them, each once."""
    seen: set[int] = set()
    stack = [root for root in roots if root is not None]
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        if not isinstance(node, ScalarNode):
            for child in node.value:
                stack.extend(child if isinstance(child, tuple) else (child,))
