"""tables as Parquet: a type for each kind of column, amounts as exact decimals"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import IO, TYPE_CHECKING, Any

from precoro_daemon.adapters.exports.readable import plain_date, plain_number, plain_time
from precoro_daemon.errors import ConfigurationError
from precoro_daemon.exports.ports.tables import RowBatch, Table

if TYPE_CHECKING:
    import pyarrow as pa

_PRECISION, _SCALE = 38, 18
"""The widest decimal that DuckDB, Spark and Snowflake support: 20 digits before the point and 18 after it."""

_ROWS_A_GROUP = 10_000
_BYTES_A_GROUP = 2**21
"""The most bytes of JSON in one row group, which is held in memory until it is written."""

_FITTING_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,19})(?:\.[0-9]{1,18})?")
_ARROW_MISSING = "Parquet needs the package pyarrow; run: pip install 'precoro-daemon[parquet]'"


def demand_arrow() -> Any:
    """Imports pyarrow. Raises ConfigurationError if it is not installed."""
    try:
        import pyarrow as pa
        import pyarrow.compute
        import pyarrow.parquet
    except ImportError:
        raise ConfigurationError(_ARROW_MISSING) from None
    return pa


def schema_of(table: Table) -> pa.Schema:
    """Returns a field for each column, with the column's meaning as metadata."""
    pa = demand_arrow()
    types = {
        "integer": pa.int64(),
        "decimal": pa.decimal128(_PRECISION, _SCALE),
        "boolean": pa.bool_(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us", tz="UTC"),
    }
    return pa.schema(
        [
            pa.field(one.name, types.get(one.kind, pa.string()), metadata={"meaning": one.meaning})
            for one in table.columns
        ]
    )


def write_parquet(file: IO[bytes], table: Table, batches: Iterable[RowBatch]) -> int:
    """Writes the table and returns the number of rows."""
    writer = ParquetWriter(file, table)
    for batch in batches:
        writer.add(batch)
    return writer.close()


class ParquetWriter:
    """Collects rows and writes them one row group at a time. Blocking."""

    def __init__(self, file: IO[bytes] | io.RawIOBase, table: Table) -> None:
        self._arrow = demand_arrow()
        # Arrow's own pool keeps what was freed: an export would take a fifth more memory.
        self._arrow.set_memory_pool(self._arrow.system_memory_pool())
        self._schema = schema_of(table)
        self._kinds = [column.kind for column in table.columns]
        self._nested = [at for at, kind in enumerate(self._kinds) if kind == "json"]
        # JSON is another text in each row: there is nothing to be found by its bounds, and no dictionary of it.
        # Numbers and times with a dictionary take more time to write, and more room.
        other = [column.name for column in table.columns if column.kind != "json"]
        texts = [column.name for column in table.columns if column.kind == "text"]
        options = {"compression": "zstd", "use_dictionary": texts, "write_statistics": other}
        self._writer = self._arrow.parquet.ParquetWriter(file, self._schema, **options)
        self._columns: list[list[Any]] = [[] for _ in self._kinds]
        self._length = 0
        self._count = 0

    def add(self, batch: RowBatch) -> None:
        for gathered, cells in zip(self._columns, batch, strict=True):
            gathered.extend(cells)
        self._length += sum(len(cell or "") for at in self._nested for cell in batch[at])
        if len(self._columns[0]) >= _ROWS_A_GROUP or self._length >= _BYTES_A_GROUP:
            self._write()

    def close(self) -> int:
        """Writes the rest and returns the number of rows."""
        if self._columns[0]:
            self._write()
        self._writer.close()
        return self._count

    def _write(self) -> None:
        columns = zip(self._schema, self._kinds, self._columns, strict=True)
        arrays = [_array(self._arrow, field, kind, cells) for field, kind, cells in columns]
        self._writer.write_table(self._arrow.table(arrays, schema=self._schema))
        self._count += len(self._columns[0])
        for gathered in self._columns:
            gathered.clear()
        self._length = 0


def _array(pa: Any, field: pa.Field, kind: str, values: Sequence[Any]) -> Any:
    if values[0] is None and values.count(None) == len(values):
        return pa.nulls(len(values), field.type)
    return _array_of_some(pa, field, kind, values)


def _array_of_some(pa: Any, field: pa.Field, kind: str, values: Sequence[Any]) -> Any:
    match kind:
        case "decimal":
            return _decimals(pa, values).cast(field.type)
        case "date":
            return _cast(pa, values, field.type, plain_date)
        case "timestamp":
            # As text without a zone it is UTC; so the number is the same with the zone beside it.
            plain = _cast(pa, values, pa.timestamp("us"), plain_time)
            return plain.cast(pa.int64()).cast(field.type)
        case "json":
            return pa.array(values, pa.binary()).cast(field.type)
        case "text":
            return _as_texts(pa, values)
    return pa.array(values, field.type)


def _as_texts(pa: Any, values: Sequence[Any]) -> Any:
    try:
        return pa.array(values, pa.string())
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        return pa.array([one if one is None or type(one) is str else str(one) for one in values], pa.string())


def _decimals(pa: Any, values: Sequence[Any]) -> Any:
    """Returns texts that fit the decimal type. Cells are checked one by one only if some do not fit."""
    texts = pa.array(values, pa.string())
    fit = pa.compute.all(pa.compute.match_substring_regex(texts, f"^{_FITTING_NUMBER.pattern}$")).as_py()
    return texts if fit is not False else pa.array(list(map(_decimal, values)), pa.string())


def _cast(pa: Any, values: Sequence[Any], to: Any, readable: Callable[[Any], str | None]) -> Any:
    """Casts all cells at once, or one by one if some cannot be cast."""
    try:
        return pa.array(values, pa.string()).cast(to)
    except pa.ArrowInvalid:
        return pa.array(list(map(readable, values)), pa.string()).cast(to)


@lru_cache(maxsize=20_000)
def _decimal(text: str | None) -> str | None:
    """Returns the number as plain text, None if it is no number or has too many digits; the JSON column keeps
    those.
    """
    if text is None or _FITTING_NUMBER.fullmatch(text):
        return text
    plain = plain_number(text)
    return plain if plain is not None and _FITTING_NUMBER.fullmatch(plain) else None
