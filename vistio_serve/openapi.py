"""The HTTP interface as an OpenAPI 3.1 document, made from the routes themselves."""

from __future__ import annotations

import re
from contextlib import suppress
from importlib import metadata
from typing import Any

from vistio_core import frontends
from vistio_core.errors import UsageError
from vistio_serve import problems, routes

_SCHEMAS: dict[str, Any] = {
    "Problem": {
        "type": "object",
        "description": "RFC 9457: what is wrong, and what would work.",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string", "format": "uri"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "parameter": {"type": "string"},
            "allowed": {"type": "array", "items": {"type": "string"}},
            "asked": {"type": "string", "format": "date-time"},
            "before": {"type": ["string", "null"], "format": "date-time"},
            "after": {"type": ["string", "null"], "format": "date-time"},
            "reason": {"type": "string"},
        },
    },
}

_NUMBERS: dict[str, type] = {"number": float, "integer": int}


def document() -> dict[str, Any]:
    """The document; it names the frontends that are installed here and now."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "vistio",
            "version": metadata.version("vistio"),
            "summary": "Traffic graphs of a service mesh at any recorded instant.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        # Relative to this document, and so right under any path prefix.
        "servers": [{"url": "./"}],
        "paths": {_path(route): {"get": _operation(route)} for route in routes.ROUTES},
        "components": {"schemas": _SCHEMAS},
    }


def _path(route: routes.Route) -> str:
    return re.sub(r"<(\w+)>", r"{\1}", route.path)


def _operation(route: routes.Route) -> dict[str, Any]:
    types = (route.content_type, *route.other_types)
    content: dict[str, Any] = {content_type.split(";")[0]: {} for content_type in types}
    if route.name == "graph":
        content = _graph_types()
    responses: dict[str, Any] = {"200": {"description": route.summary, "content": content}}
    if route.name not in ("metrics", "healthy", "ready"):
        responses["304"] = {"description": "What the client has is still true."}
    # A query string can be wrong anywhere: unknown parameters are refused on every route.
    for status in sorted({400, 414, 500, *route.problems}):
        responses[str(status)] = {
            "description": "A problem document that says what would work.",
            "content": {problems.CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"<(\w+)>", route.path)
    ]
    return {
        "operationId": route.name,
        "summary": route.summary,
        "parameters": in_path + [_parameter(parameter) for parameter in route.parameters],
        "responses": responses,
    }


def _graph_types() -> dict[str, Any]:
    types = set()
    for name in frontends.names():
        with suppress(UsageError):  # a plugin that cannot be loaded takes only its own format away
            types.add(frontends.get(name).content_type.split(";")[0])
    return {content_type: {} for content_type in sorted(types)}


def _parameter(parameter: routes.Parameter) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": parameter.type}
    if parameter.allowed is not None:
        schema["enum"] = list(parameter.allowed())
    if parameter.default is not None:
        schema["default"] = _NUMBERS.get(parameter.type, str)(parameter.default)
    example = _NUMBERS.get(parameter.type, str)(parameter.example)
    return {
        "name": parameter.name,
        "in": "query",
        "required": parameter.required,
        "description": parameter.description,
        "schema": schema,
        "example": example,
    }
