"""What JSON Schema calls the few things that our answers are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

Schema = dict[str, Any]

TEXT: Final[Schema] = {"type": "string"}
TEXT_OR_NULL: Final[Schema] = {"type": ["string", "null"]}
TEXTS: Final[Schema] = {"type": "array", "items": TEXT}
FLAG: Final[Schema] = {"type": "boolean"}
WHOLE: Final[Schema] = {"type": "integer"}
WHOLE_OR_NULL: Final[Schema] = {"type": ["integer", "null"]}
NUMBER: Final[Schema] = {"type": "number"}
NUMBER_OR_NULL: Final[Schema] = {"type": ["number", "null"]}
NUMBERS_OR_NULLS: Final[Schema] = {"type": "array", "items": NUMBER_OR_NULL}
INSTANT: Final[Schema] = {"type": "string", "format": "date-time"}
INSTANT_OR_NULL: Final[Schema] = {"type": ["string", "null"], "format": "date-time"}


def object_of(
    members: Mapping[str, Schema], maybe: Mapping[str, Schema] | None = None, description: str = ""
) -> Schema:
    """An object with all of ``members``, and perhaps with those in ``maybe``."""
    made: Schema = {"type": "object", "required": list(members), "properties": {**members, **(maybe or {})}}
    return {**made, "description": description} if description else made


def map_of(values: Schema) -> Schema:
    """An object with any names."""
    return {"type": "object", "additionalProperties": values}


def ref(name: str) -> Schema:
    """The schema that the document has under ``name``."""
    return {"$ref": f"#/components/schemas/{name}"}


def array_of(items: Schema) -> Schema:
    """An array."""
    return {"type": "array", "items": items}


def list_of(name: str) -> Schema:
    """An array of the schema ``name``."""
    return array_of(ref(name))


def or_null(name: str) -> Schema:
    """The schema ``name``, or null."""
    return {"anyOf": [ref(name), {"type": "null"}]}


def one_of(*names: str) -> Schema:
    """One of the schemas of these names."""
    return {"anyOf": [ref(name) for name in names]}


def choice_of(*values: str) -> Schema:
    """One of these texts."""
    return {"type": "string", "enum": list(values)}
