"""Keeps passwords and other secrets out of what is recorded, shown and logged."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from typing import TYPE_CHECKING, TypeAlias

from yaml.nodes import MappingNode, Node, ScalarNode

from vistio_core.url_secrets import HIDDEN, is_secret_name, redact_server
from vistio_core.url_secrets import redact as redact

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

SECRET_KEYS = frozenset(
    (
        *("password", "credentials", "key", "secrets", "proxy_connect_header"),
        # Not known to us, but to Prometheus or to somebody: where they are ignored, they are recorded all the same.
        *(
            "bearer_token",
            "client_secret",
            "secret_key",
            "secret",
            "token",
            "access_token",
            "api_key",
            "apikey",
        ),
    )
)
"""Keys whose values are secrets, wherever in a file they stand."""

SERVER_KEYS = frozenset(("prometheusURL", "url", "proxy_url"))
"""Keys whose values are addresses of servers."""

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


def redact_yaml(text: str, root: Node | None) -> str:
    """A YAML text with ``***`` in place of each secret, in values and comments alike.

    Secrets are those of URLs (`url_secrets`), private keys, what stands at one of `SECRET_KEYS`, and the values of
    headers with such names.

    Args:
        text: the text.
        root: the root node that was composed from it; None where there is none.

    Shape:
        The result loads to the same values, secrets apart; redacting it again changes nothing.
    """
    scalars, secrets = _scalars(root), {id(node) for node in _secret_scalars(root)}
    servers = {id(node) for node in _values_below(root, SERVER_KEYS)}
    edits = [
        _hide(text, node)
        if id(node) in secrets
        else _rewrite(text, node, redact_server if id(node) in servers else redact)
        for node in scalars
    ]
    edits += _hide_comments(text, scalars)
    pieces, done = [], 0
    for start, end, instead in sorted(edits):
        # Between values stand comments. Only there the text alone tells where a URL ends.
        pieces += [redact(text[done:start]), instead]
        done = end
    return _PRIVATE_KEY.sub(HIDDEN, "".join(pieces) + redact(text[done:]))


def _hide(text: str, node: ScalarNode) -> _Edit:
    return _replace(text, node, f'"{HIDDEN}"')


def _replace(text: str, node: ScalarNode, quoted: str) -> _Edit:
    start, end = node.start_mark.index, node.end_mark.index
    properties = _PROPERTIES.match(text, start, end)
    start = properties.end() if properties else start
    # A block of text (|, >) owns the end of its line.
    return start, end, quoted + ("\n" if text[start:end].endswith("\n") else "")


def _rewrite(text: str, node: ScalarNode, without_secrets: Callable[[str], str]) -> _Edit:
    """The value without the secrets in it, written as before as far as that can be."""
    start, end = node.start_mark.index, node.end_mark.index
    written, wanted = text[start:end], without_secrets(node.value)
    if wanted == node.value:
        return start, end, written
    # In plain style, a star would begin an alias.
    if node.style is not None or not wanted.startswith("*"):
        if node.value in written:
            return start, end, written.replace(node.value, wanted)
        # Several lines: word by word, for no secret has a blank in it.
        words = [(word, without_secrets(word)) for word in node.value.split()]
        if all(word in written for word, wanted in words if wanted != word):
            for word, hidden in words:
                written = written.replace(word, hidden)
            return start, end, written
    return _replace(text, node, json.dumps(wanted, ensure_ascii=False))


def _hide_comments(text: str, scalars: list[ScalarNode]) -> Iterator[_Edit]:
    # A # within a text that goes over several lines is part of that text.
    spans = sorted((node.start_mark.index, node.end_mark.index) for node in scalars)
    for match in _COMMENTED.finditer(text):
        before = bisect_right(spans, (match.start(), len(text)))
        if before == 0 or spans[before - 1][1] <= match.start():
            yield *match.span("value"), HIDDEN


def _secret_scalars(root: Node | None) -> Iterator[ScalarNode]:
    """The scalars that are, or are below, the value of a secret key; the names of headers are none."""
    below = list(_nodes(*_values_below(root, SECRET_KEYS), *_secret_headers(root)))
    names = {id(name) for node in below if isinstance(node, MappingNode) for name, _ in node.value}
    for node in below:
        # Nothing is no secret, and would become something.
        if isinstance(node, ScalarNode) and id(node) not in names and node.value and node.tag != _NULL:
            yield node


def _secret_headers(root: Node | None) -> Iterator[Node]:
    """The ``values`` of headers that are called like a secret, though ``secrets`` is the place for those."""
    for headers in _values_below(root, ("http_headers",)):
        if isinstance(headers, MappingNode):
            for name, header in headers.value:
                if isinstance(name, ScalarNode) and is_secret_name(name.value):
                    yield from _values_at(header, ("values",))


def _values_below(root: Node | None, keys: Collection[str]) -> Iterator[Node]:
    for node in _nodes(root):
        yield from _values_at(node, keys)


def _values_at(mapping: Node, keys: Collection[str]) -> Iterator[Node]:
    if isinstance(mapping, MappingNode):
        for key, value in mapping.value:
            if isinstance(key, ScalarNode) and key.value in keys:
                yield value


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
