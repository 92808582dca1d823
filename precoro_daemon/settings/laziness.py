"""sections whose rules are built only when they are given, which makes a start shorter"""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, GetCoreSchemaHandler, PlainSerializer, PlainValidator, SerializationInfo


class _WhenGiven:
    def __get_pydantic_core_schema__(self, source: type[BaseModel], handler: GetCoreSchemaHandler) -> Any:
        def read(given: Any) -> BaseModel:
            return given if isinstance(given, source) else source.model_validate(given)

        return handler.generate_schema(Annotated[Any, PlainValidator(read), PlainSerializer(_dumped)])


def _dumped(section: BaseModel, info: SerializationInfo) -> dict[str, Any]:
    return section.model_dump(mode=info.mode, exclude_defaults=info.exclude_defaults)


S = TypeVar("S", bound=BaseModel)

Lazy = Annotated[S, _WhenGiven()]
"""A section that is read by itself. Its mistakes come out as if it were read with all others.

Left out, it is made of its defaults as they stand (`model_construct`), so they must be good unread.
"""
