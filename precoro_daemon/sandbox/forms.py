"""request bodies, read as the live API reads them"""

import re
from collections.abc import Iterable
from typing import Any

import orjson
from aiohttp import web

from precoro_daemon.sandbox.refusals import RefusedError
from precoro_daemon.sandbox.shapes import cents

Form = dict[str, Any]


async def form(request: web.Request) -> Form:
    """Returns the fields of an urlencoded body. A body of any other type has none."""
    if request.content_type != "application/x-www-form-urlencoded":
        return {}
    return nest((key, str(value)) for key, value in (await request.post()).items())


async def json_object(request: web.Request) -> Form:
    """Returns the body of the few endpoints that take JSON. Raises RefusedError."""
    try:
        value = orjson.loads(await request.read())
    except orjson.JSONDecodeError:
        raise RefusedError("body", "This value is not valid JSON.") from None
    return value if isinstance(value, dict) else {}


def nest(pairs: Iterable[tuple[str, str]]) -> Form:
    """Nests flat field names.

    `invoice[id]=45` becomes {"invoice": {"id": "45"}}, `currencies[]=USD` {"currencies": ["USD"]}, and
    `fields[0][field][id]=5` {"fields": {"0": {"field": {"id": "5"}}}}.
    """
    fields: Form = {}
    for key, value in pairs:
        if deep := re.fullmatch(r"([^\[\]]+)((?:\[[^\[\]]*\]){2,})", key):
            _nest_deep(fields, [deep[1], *re.findall(r"\[([^\[\]]*)\]", deep[2])], value)
            continue
        found = re.fullmatch(r"([^\[\]]+)\[([^\[\]]*)\]", key)
        if found is None:
            fields[key] = value
        elif found[2] in ("", "0") or found[2].isdecimal():
            fields.setdefault(found[1], []).append(value)
        else:
            fields.setdefault(found[1], {})[found[2]] = value
    return fields


def _nest_deep(fields: Form, path: list[str], value: str) -> None:
    inner: Any = fields
    for name in path[:-2]:
        inner = inner.setdefault(name, {})
    if path[-1]:
        inner.setdefault(path[-2], {})[path[-1]] = value
    else:
        inner.setdefault(path[-2], []).append(value)


def required(fields: Form, name: str) -> str:
    value = fields.get(name)
    if value in (None, ""):
        raise RefusedError(name, "This value should not be blank.")
    return str(value)


def boolean(fields: Form, name: str, *, strict: bool) -> bool:
    """Returns a field as a boolean. An absent field is false, as in any HTML form. Raises RefusedError.

    strict  whether upper-case `TRUE` or `False` is refused
    """
    text = str(fields.get(name, "false"))
    if not strict:
        text = text.lower()
    if text not in ("true", "false", "1", "0"):
        raise RefusedError(name, "This value is not valid.")
    return text in ("true", "1")


def amount(fields: Form, name: str) -> int | None:
    """Returns a written amount in cents, or None if it was not sent. Raises RefusedError."""
    text = fields.get(name)
    if text in (None, ""):
        return None
    found = cents(str(text))
    if found is None:
        raise RefusedError(name, "This value is not valid.")
    return found


def identifier(fields: Form, name: str) -> int | None:
    """Returns the id in `name[id]`, or None if it was not sent. Raises RefusedError."""
    nested = fields.get(name)
    text = nested.get("id") if isinstance(nested, dict) else None
    if text in (None, ""):
        return None
    if not str(text).isdecimal():
        raise RefusedError(name, "This value is not valid.")
    return int(str(text))
