"""The HTTP interface as an OpenAPI 3.1 document, made from the routes themselves.

Requests are those of `routes`; what answers in JSON look like is told by `answer_schemas`. A status is named where it
can occur with some configuration, whatever this server's is: a client that was generated here may ask another one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib import metadata
from typing import Any

from vistio_core import frontends
from vistio_core.errors import UsageError
from vistio_serve import answer_schemas, parameters, problems, routes
from vistio_serve.graph_schemas import graph_in
from vistio_serve.json_schema import TEXT, Schema, ref
from vistio_serve.live import EVENT_STREAM

_NUMBERS: dict[str, type] = {"number": float, "integer": int}
_JSON = "application/json"
_BINARY = ("application/vnd.apache.parquet", "image/png", "font/woff2")

# Whose answers change from one moment to the next, so that nobody has them already.
_WITHOUT_VALIDATOR = frozenset({"live", "metrics", "healthy", "ready", "access"})
# Everybody may ask these, and they need no recording that can be read.
_OPEN_TO_ALL = frozenset({"healthy", "ready"})
_HEADERS: dict[str, Schema] = {
    "ETag": {**TEXT, "description": "For If-None-Match: 304 where the client has it already."},
    "Cache-Control": {**TEXT, "description": "For how long it stays true."},
    "Vistio-Configuration": {**TEXT, "description": "Hash of the configuration."},
    "Content-Disposition": {**TEXT, "description": "The file's name."},
    "WWW-Authenticate": {**TEXT, "description": "Which credentials are taken."},
    "Retry-After": {"type": "integer", "minimum": 1, "description": "After how many seconds to ask again."},
}
_OF_ROUTE = {"config": ("Vistio-Configuration",), "edges": ("Content-Disposition",)}
_REFUSALS: dict[int, tuple[str, str, tuple[str, ...]]] = {
    400: ("BadRequest", "A parameter or the body cannot be used; the problem says what would work.", ()),
    401: ("Unauthorized", "Credentials are missing or wrong.", ("WWW-Authenticate",)),
    403: ("Forbidden", "These credentials, or nobody, may do this.", ()),
    404: ("NotFound", "There is nothing then, of this name or at this address.", ()),
    413: ("ContentTooLarge", "The body is too long.", ()),
    414: ("UriTooLong", "The query string is too long.", ()),
    429: ("TooManyRequests", "Too many wrong credentials, or changes, from this client.", ("Retry-After",)),
    500: ("InternalServerError", "A file is damaged, or a fault of the server; its log says more.", ()),
    503: ("ServiceUnavailable", "No recording, too much at once, or locked: ask again.", ("Retry-After",)),
}
"""The responses that routes share: their names, what they say, and which headers they have."""


def document() -> dict[str, Any]:
    """The document; it names the frontends that are installed here and now."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "vistio",
            "version": metadata.version("vistio"),
            "summary": "Traffic graphs of a service mesh at any recorded instant.",
            "description": "HEAD is answered as GET is, without a body; OPTIONS with the methods that are allowed;"
            " another method with 405 and the header Allow, another address with 404. Errors are problem documents.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        # Relative to this document, and so right under any path prefix.
        "servers": [{"url": "./"}],
        "paths": _paths(),
        "components": {
            "schemas": dict(answer_schemas.SCHEMAS),
            "responses": {name: _refusal(status) for status, (name, _, _) in _REFUSALS.items()},
            "headers": {name: _header(schema) for name, schema in _HEADERS.items()},
            "securitySchemes": {
                "password": {"type": "http", "scheme": "basic"},
                "token": {"type": "http", "scheme": "bearer"},
            },
        },
        # Neither is needed where no credentials are configured.
        "security": [{}, {"password": []}, {"token": []}],
    }


def _paths() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {_path(route): {"get": _operation(route)} for route in routes.ROUTES}
    for change in routes.CHANGES:
        found.setdefault(_path(change), {})[change.method.lower()] = _change(change)
    return found


def _path(route: routes.Route | routes.ChangeRoute) -> str:
    return re.sub(r"<(\w+)>", r"{\1}", route.path)


def _change(change: routes.ChangeRoute) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": f"{change.name}_annotation",
        "summary": change.summary,
        "parameters": [*_in_path(change), _parameter(routes.LANGUAGE)],
        "security": [{"password": []}, {"token": []}],
        "responses": {
            "200": _response(change.summary, _json_of(change.name), ("Cache-Control",)),
            **_refusals({400, 401, 403, 429, 500, 503, *change.problems}),
        },
    }
    if change.method != "DELETE":
        operation["requestBody"] = {"required": True, "content": {_JSON: {"schema": ref("Mark")}}}
    return operation


def _response(description: str, content: dict[str, Any], headers: Iterable[str]) -> dict[str, Any]:
    named = {name: {"$ref": f"#/components/headers/{name}"} for name in headers}
    return {"description": description, "headers": named, "content": content}


def _header(schema: Schema) -> dict[str, Any]:
    return {"required": True, "schema": schema}


def _refusal(status: int) -> dict[str, Any]:
    _, description, headers = _REFUSALS[status]
    content = {problems.CONTENT_TYPE: {"schema": ref("Problem")}}
    return _response(description, content, ("Cache-Control", *headers))


def _refusals(statuses: set[int]) -> dict[str, Any]:
    return {
        str(status): {"$ref": f"#/components/responses/{_REFUSALS[status][0]}"} for status in sorted(statuses)
    }


def _in_path(route: routes.Route | routes.ChangeRoute) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"<(\w+)>", route.path)
    ]


def _operation(route: routes.Route) -> dict[str, Any]:
    in_query = [_parameter(parameter) for parameter in route.parameters]
    content = _content(route)
    if route.name == "graph":
        content, in_query = _graph_content(), [*in_query, *_options()]
    validated = route.name not in _WITHOUT_VALIDATOR
    headers = ("Cache-Control", *(("ETag",) if validated else ()), *_OF_ROUTE.get(route.name, ()))
    responses: dict[str, Any] = {"200": _response(route.summary, content, headers)}
    if validated:
        responses["304"] = {"description": "What the client has is still true."}
    # A query string can be wrong anywhere: unknown parameters are refused on every route.
    refused = {400, 414, 500, *route.problems}
    if route.name not in _OPEN_TO_ALL:
        refused |= {401, 403, 429, 503}
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "parameters": _in_path(route) + in_query,
        "responses": responses | _refusals(refused),
    }
    return operation | ({"security": []} if route.name in _OPEN_TO_ALL else {})


def _content(route: routes.Route) -> dict[str, Any]:
    if route.name in answer_schemas.OF_ROUTE:
        return _json_of(route.name)
    types = [each.split(";")[0] for each in (route.content_type, *route.other_types)]
    return {each: _media(each) for each in types}


def _media(content_type: str) -> dict[str, Any]:
    """Of what is not JSON: of bytes nothing more is said."""
    if content_type in _BINARY:
        return {}
    # YAML and events are text to one reader and what they hold to another; without any schema a generated client reads
    # nothing.
    return {"schema": {} if content_type in ("text/yaml", EVENT_STREAM) else TEXT}


def _json_of(name: str) -> dict[str, Any]:
    return {_JSON: {"schema": ref(answer_schemas.OF_ROUTE[name])}}


def _formats() -> Iterator[frontends.Frontend]:
    for name in frontends.names():
        with suppress(UsageError):  # a plugin that cannot be loaded takes only its own format away
            yield frontends.get(name)


def _graph_content() -> dict[str, Any]:
    formats: defaultdict[str, list[str]] = defaultdict(list)
    for frontend in _formats():
        formats[frontend.content_type.split(";")[0]].append(frontend.name)
    return {
        content_type: {"schema": graph_in(names)} if content_type == _JSON else _media(content_type)
        for content_type, names in sorted(formats.items())
    }


def _options() -> Iterator[dict[str, Any]]:
    """Of each format; with others they are refused."""
    takers: defaultdict[str, list[str]] = defaultdict(list)
    for frontend in _formats():
        for option in frontend.options:
            takers[option].append(frontend.name)
    known = {parameter.name for parameter in routes.GRAPH}
    for option, names in sorted(takers.items()):
        if option in known:
            continue
        yield {
            "name": option,
            "in": "query",
            "required": False,
            "description": f"Only with the format {', '.join(names)}.",
            "schema": {"type": "string", "minLength": 1},
        }


def _parameter(parameter: routes.Parameter) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": parameter.type}
    if parameter.allowed is not None:
        schema["enum"] = list(parameter.allowed())
    elif parameter.type == "string" and not parameter.alone:
        schema["minLength"] = 1
    if parameter.type == "integer":
        schema |= {"minimum": 1, "maximum": parameters.MAX_LISTED}
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
