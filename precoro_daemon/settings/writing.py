"""a configuration as TOML text: the chosen keys, each below its meaning"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from textwrap import wrap
from typing import Any

from precoro_daemon.settings.meanings import meanings
from precoro_daemon.settings.model import SECRETS, Settings, model_in

_WIDTH = 100


def as_toml(values: Mapping[str, Mapping[str, Any]], head: str) -> str:
    """Returns sections of plain keys, in their usual order. Secrets are left out, because they have files of their
    own.
    """
    return "\n".join((*_comment(head), *_sections(values))) + "\n"


def _sections(values: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for name, setting in Settings.model_fields.items():
        model = model_in(setting.annotation)
        given = {key: value for key, value in values.get(name, {}).items() if (name, key) not in SECRETS}
        if model is None or not given:
            continue
        yield from ("", *_comment(_first_sentence(model.__doc__ or "")), f"[{name}]")
        for key in filter(given.__contains__, model.model_fields):
            yield from (*_comment(_first_sentence(meanings(model)[key])), f"{key} = {toml_value(given[key])}")


def toml_value(value: object) -> str:
    """Returns a value as TOML. JSON's texts, numbers, lists and truth values are valid TOML, except one control
    character.
    """
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=\.)\s", " ".join(text.split()), maxsplit=1)[0]


def _comment(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        yield from (f"# {part}" for part in wrap(line, _WIDTH - 2, break_long_words=False, break_on_hyphens=False))
