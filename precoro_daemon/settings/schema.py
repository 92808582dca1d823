"""the JSON schema of config.toml, with which editors complete and check it"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, SecretStr
from pydantic.fields import FieldInfo

from precoro_daemon.settings.meanings import meanings
from precoro_daemon.settings.mistakes import allowed_of, metadata_of
from precoro_daemon.settings.model import ANY_NAME, SECRETS, Settings, model_in
from precoro_daemon.settings.values import Allowed

Schema = dict[str, Any]

_DIALECT = "http://json-schema.org/draft-07/schema#"
"""The dialect that language servers for TOML understand."""

_SCALARS: Mapping[object, Schema] = {
    bool: {"type": "boolean"},
    str: {"type": "string"},
    Path: {"type": "string"},
    SecretStr: {"type": "string"},
    int: {"type": ["integer", "string"]},
    float: {"type": ["number", "string"]},
}
"""Types of values. Numbers may also be text: "90s", "500MB"."""


def schema() -> Schema:
    """Returns the schema of the whole file. No key is required, because any key may come from the environment."""
    return {"$schema": _DIALECT, "title": "config.toml of precoro-daemon", **_section(Settings, ())}


def _section(model: type[BaseModel], path: tuple[str, ...]) -> Schema:
    names = [name for name in model.model_fields if (*path, name) not in SECRETS]
    return {
        "type": "object",
        "description": inspect.cleandoc(model.__doc__ or "").replace("\n", " "),
        "additionalProperties": False,
        "properties": {name: _property(model, name, (*path, name)) for name in names},
    }


def _property(model: type[BaseModel], name: str, path: tuple[str, ...]) -> Schema:
    setting = model.model_fields[name]
    if (below := model_in(setting.annotation)) is None:
        return {**_written(setting), "description": _description(model, name, setting)}
    if get_origin(setting.annotation) is dict:
        return {"type": "object", "additionalProperties": _section(below, (*path, ANY_NAME)), **_names(setting)}
    section = _section(below, path)
    return {"type": "array", "items": section} if _is_list(setting.annotation) else section


def _names(setting: FieldInfo) -> Schema:
    """Returns the rule for the names that the user gives to the tables of a section."""
    said = getattr(get_args(setting.annotation)[0], "__metadata__", ())
    choices = [word.choices for word in said if isinstance(word, Allowed) and word.choices]
    return {"propertyNames": {"enum": list(choices[-1])}} if choices else {}


def _description(model: type[BaseModel], name: str, setting: FieldInfo) -> str:
    allowed = allowed_of(setting)
    return " ".join((meanings(model).get(name, ""), *([f"Allowed: {allowed.text}."] if allowed else []))).strip()


def _written(setting: FieldInfo) -> Schema:
    kind = _plain(setting.annotation)
    if get_origin(kind) is Literal:
        return {"enum": list(get_args(kind))}
    if _is_list(kind):
        allowed = allowed_of(setting)
        known = {"enum": list(allowed.choices)} if allowed and allowed.choices and _plain(_item(kind)) is str else {}
        return {"anyOf": [{"type": "array", "items": known}, {"type": "string"}]}
    if any(isinstance(one, BeforeValidator) for one in metadata_of(setting)):
        return dict(_SCALARS[kind]) if kind in (int, float) else {}
    return {"type": "object"} if get_origin(kind) is dict else dict(_SCALARS.get(kind, {}))


def _plain(annotation: Any) -> Any:
    """Returns the type without its annotations and without None."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        others = [one for one in get_args(annotation) if one is not NoneType]
        return _plain(others[0]) if len(others) == 1 else None
    return annotation


def _is_list(annotation: Any) -> bool:
    return get_origin(_plain(annotation)) in (tuple, frozenset, list)


def _item(annotation: Any) -> Any:
    return get_args(annotation)[0]
