"""Texts made of several labels: ``{namespace}/{deployment|statefulset}``.

A field in braces is the first of its labels that a series has a value for. Everything else is
literal; a literal brace cannot be written, since no node and no status needs one.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TypeAlias

from vistio_core.errors import UsageError

Field: TypeAlias = tuple[str, ...]
"""The labels of one field, in the order in which they are looked at."""

# Label names of Prometheus 3 may have any character; what is special here they cannot have.
_FIELD = re.compile(r"\{([^{}]*)\}")
_EXAMPLE = "write labels in braces, such as {namespace}/{deployment|statefulset}"


@lru_cache(1024)
def parse_template(template: str) -> tuple[str | Field, ...]:
    """The literal texts and fields of a template, in order.

    Raises:
        UsageError: a brace without its partner, a field without a label, or no field at all.
    """
    parts: list[str | Field] = []
    # With one group, `split` gives literal, field, literal, field, ..., literal.
    for index, text in enumerate(_FIELD.split(template)):
        if index % 2:
            parts.append(_field(text))
        elif (brace := re.search("[{}]", text)) is not None:
            raise UsageError(f"found {brace.group()!r} without its partner; {_EXAMPLE}")
        elif text:
            parts.append(text)
    if not any(isinstance(part, tuple) for part in parts):
        raise UsageError(f"found no label; {_EXAMPLE}")
    return tuple(parts)


def fields(template: str) -> tuple[Field, ...]:
    """The fields of a template, in order.

    Raises:
        UsageError: as `parse_template`.
    """
    return tuple(part for part in parse_template(template) if isinstance(part, tuple))


def _field(text: str) -> Field:
    labels = tuple(label.strip() for label in text.split("|"))
    if not all(labels):
        raise UsageError(f"found {{{text}}}, where a label has no name; {_EXAMPLE}")
    return labels
