"""sections whose models are built only when they are given, for a faster start"""

from __future__ import annotations

from importlib import import_module
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import BaseModel, GetCoreSchemaHandler, PlainSerializer, PlainValidator, SerializationInfo


class Later:
    """A placeholder for a section. Its module is imported when the section is first given, because building the
    models of all sections takes longer than reading a configuration.
    """

    module: ClassVar[str]


def later(module: str, name: str) -> Any:
    """Returns a placeholder for the section of that name in that module of this room."""
    return type(name, (Later,), {"module": f"{__package__}.{module}"})


def model_of(section: type[BaseModel | Later]) -> type[BaseModel]:
    if not issubclass(section, Later):
        return section
    model: type[BaseModel] = getattr(import_module(section.module), section.__name__)
    return model


class _WhenGiven:
    def __get_pydantic_core_schema__(self, source: type[BaseModel | Later], handler: GetCoreSchemaHandler) -> Any:
        def read(given: Any) -> BaseModel:
            model = model_of(source)
            return given if isinstance(given, model) else model.model_validate(given)

        return handler.generate_schema(Annotated[Any, PlainValidator(read), PlainSerializer(_dumped)])


def _dumped(section: BaseModel, info: SerializationInfo) -> dict[str, Any]:
    return section.model_dump(mode=info.mode, exclude_defaults=info.exclude_defaults)


S = TypeVar("S", bound=BaseModel)

Lazy = Annotated[S, _WhenGiven()]
"""A section that is validated separately. Its mistakes are reported as if it were validated with all others.

A section that is left out consists of its defaults, which are not validated (`model_construct`), so they must be
valid already.
"""
