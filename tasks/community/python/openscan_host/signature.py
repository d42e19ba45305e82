"""Derives the JSON Schema of a task's arguments from the signature of its run()."""
from __future__ import annotations

import collections.abc
import inspect
import types
import typing
from typing import Any, Callable, Dict, List

from openscan_host.jsonable import is_jsonable

Schema = Dict[str, Any]

SIMPLE = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array",
          tuple: "array", dict: "object", type(None): "null"}
UNIONS = (typing.Union, getattr(types, "UnionType", typing.Union))
ARRAYS = (list, tuple, collections.abc.Sequence, collections.abc.Iterable)
OBJECTS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
FIXED = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD,
         inspect.Parameter.KEYWORD_ONLY)


def schema_of_arguments(run: Callable[..., Any]) -> Schema:
    """**kwargs allows further arguments; *args is ignored, since arguments are named."""
    parameters = list(inspect.signature(run).parameters.values())[1:]  # without self
    named = [parameter for parameter in parameters if parameter.kind in FIXED]
    names = getattr(inspect.unwrap(run), "__globals__", {})
    schema: Schema = {
        "type": "object",
        "properties": {p.name: _schema_of_parameter(p, names) for p in named},
        "additionalProperties": any(p.kind is p.VAR_KEYWORD for p in parameters),
    }
    required = [p.name for p in named if p.default is p.empty]
    if required:
        schema["required"] = required
    return schema


def _schema_of_parameter(parameter: inspect.Parameter, names: Dict[str, Any]) -> Schema:
    schema = schema_of_type(_annotation(parameter, names))
    default = parameter.default
    if default is parameter.empty or not is_jsonable(default):
        return schema
    if default is None:
        schema = _any_of([schema, {"type": "null"}])
    return {**schema, "default": default}


def _annotation(parameter: inspect.Parameter, names: Dict[str, Any]) -> Any:
    annotation = parameter.annotation
    if annotation is parameter.empty:
        return Any
    if not isinstance(annotation, str):
        return annotation
    try:  # a string under "from __future__ import annotations"
        return eval(annotation, dict(names))
    except Exception:  # a name that only type checkers know
        return Any


def schema_of_type(annotation: Any) -> Schema:
    """{} where the annotation cannot be checked."""
    if isinstance(annotation, type) and annotation in SIMPLE:
        return {"type": SIMPLE[annotation]}
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in UNIONS:
        return _any_of([schema_of_type(one) for one in inner])
    if origin is typing.Literal:
        return {"enum": list(inner)} if is_jsonable(inner) else {}
    if origin in OBJECTS:
        return {"type": "object"}
    if origin in ARRAYS:
        items = schema_of_type(inner[0]) if len(inner) == 1 else {}
        return {"type": "array", "items": items} if items else {"type": "array"}
    return {}


def _any_of(schemas: List[Schema]) -> Schema:
    if any(not schema for schema in schemas):
        return {}
    if all(set(schema) == {"type"} for schema in schemas):
        kinds: List[str] = []
        for schema in schemas:
            kind = schema["type"]
            kinds += [one for one in (kind if isinstance(kind, list) else [kind])
                      if one not in kinds]
        return {"type": kinds[0] if len(kinds) == 1 else kinds}
    return {"anyOf": schemas}
