"""reads the lines of many documents at once, numbered as in the views of lines"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from precoro_daemon.adapters.state import view_values as values
from precoro_daemon.adapters.state.record_columns import LINE_FIELDS
from precoro_daemon.adapters.state.session import Row
from precoro_daemon.adapters.state.view_reading import GIVEN_COLUMNS, Batch, FieldReader, getter
from precoro_daemon.exports.ports.tables import RowBatch


class _Document(msgspec.Struct):
    items: msgspec.Raw = msgspec.Raw()


_decode_document = msgspec.json.Decoder(_Document).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class LineReader:
    """Reads the lines of documents.

    kind  the only kind of documents to read, "" for all
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._documents = FieldReader(["currency", "logicType"])
        self._lines = FieldReader(["id", *(column.path for column in LINE_FIELDS)])
        self._getters = [getter(column) for column in LINE_FIELDS]

    def columns(self, rows: Sequence[Row]) -> RowBatch:
        """Returns the columns for rows of `record_rows.sql`, all of one collection."""
        given = list(zip(*rows, strict=True)) or [()] * GIVEN_COLUMNS
        collections, ids, idns, _, _, _, vanished, data, detail, *_ = given
        said = self._documents.read(data)
        kinds = values.kinds_of(collections, said["logicType"])
        texts = [more or own for own, more in zip(data, detail, strict=True)]
        shown = [
            text if not self._kind or kind == self._kind else b"" for text, kind in zip(texts, kinds, strict=True)
        ]
        at, positions, lines = tuple(zip(*_numbered(shown), strict=True)) or ((), (), ())
        codes = [values.said(said["currency"][one]) for one in at]
        fields = self._lines.read(lines)
        batch = Batch((), (), fields, {}, {}, {}, values.digits_of(codes))
        return [
            *([ids[one] for one in at], [idns[one] for one in at], positions),
            values.integers(fields["id"]),
            *[get(batch) for get in self._getters],
            *(codes, values.moments([vanished[one] for one in at]), lines),
        ]


def _numbered(documents: Iterable[bytes]) -> Iterator[tuple[int, int, bytes]]:
    """Yields the index of a line's document, its position there, and the line."""
    for at, text in enumerate(documents):
        for position, line in enumerate(_lines_of(text), start=1):
            yield at, position, line


def _lines_of(text: bytes) -> Sequence[bytes]:
    """Returns the lines from {"data": [...]}, [...], a dict keyed by id, or nothing in one of several forms."""
    try:
        members = _members(bytes(_decode_document(text).items))
    except (msgspec.DecodeError, RecursionError):
        return ()
    return [line for line in map(bytes, members) if line.startswith(b"{")]


def _members(value: bytes) -> Iterable[msgspec.Raw]:
    if not value.startswith(b"{"):
        return _decode_list(value) if value.startswith(b"[") else ()
    by_name = _decode_object(value)
    data = bytes(by_name.get("data", b""))
    if data.startswith(b"["):
        return _decode_list(data)
    return (_decode_object(data) if data.startswith(b"{") else by_name).values()
