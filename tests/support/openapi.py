"""Holds answers against an OpenAPI document, more strictly than a client would: what is not described is an error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator

Json = dict[str, Any]


def resolved(document: Mapping[str, Any], node: Mapping[str, Any]) -> Json:
    """What a node of the document says, by way of its reference if it is one."""
    found: Any = node
    while "$ref" in found:
        place: Any = document
        for part in found["$ref"].removeprefix("#/").split("/"):
            place = place[part]
        found = place
    return dict(found)


class Described:
    """The schemas of a document."""

    def __init__(self, document: Json) -> None:
        self._document = _closed(document)
        self.met: set[str] = set()
        """Names of schemas that something was held against."""

    def problems(self, schema: Json, value: object) -> list[str]:
        """What is wrong with a value; nothing when it is as described."""
        schema = _closed(schema)
        if wrong := [f"{error.json_path}: {error.message}" for error in self._errors(schema, value)]:
            return wrong
        self._meet(schema, value)
        return []

    def _errors(self, schema: Json, value: object) -> Iterator[Any]:
        whole = {**schema, "components": self._document["components"]}
        checker = Draft202012Validator.FORMAT_CHECKER
        yield from Draft202012Validator(whole, format_checker=checker).iter_errors(value)

    def _meet(self, schema: Json, value: Any) -> None:
        if "$ref" in schema:
            self.met.add(schema["$ref"].rpartition("/")[2])
            schema = resolved(self._document, schema)
        for choice in schema.get("anyOf", ()):
            if not any(self._errors(choice, value)):
                self._meet(choice, value)
        if isinstance(value, dict):
            for name, member in value.items():
                self._meet(schema.get("properties", {}).get(name, {}), member)
        if isinstance(value, list):
            for item in value:
                self._meet(schema.get("items", {}), item)


def _closed(schema: Any) -> Any:
    """The same with no further members than those that are described."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: _closed(each) for name, each in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        made.setdefault("additionalProperties", False)
    return made
