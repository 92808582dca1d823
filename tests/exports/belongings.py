"""A mirror whose documents, suppliers and items have files and custom fields, and what may become of these."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from precoro_daemon.adapters.state.ports import Store
from precoro_daemon.files.follow_details import attachment_follower
from precoro_daemon.files.ports.attachment_book import AttachedFile, Kept, WantedFiles
from precoro_daemon.mirror.ports import change_log
from precoro_daemon.mirror.ports.custom_fields import DueField
from precoro_daemon.mirror.ports.precoro import Detail
from precoro_daemon.mirror.resolve_custom_fields import field_follower
from precoro_daemon.mirror.rules.collections import WITH_FILES
from tests.contracts.listing import T0, listed, record, scan

PARTS = (
    "attachments", "document_custom_values", "line_custom_values", "item_custom_values", "supplier_custom_values",
)  # fmt: skip
EVER = T0 * 2
_EVERY_FILE = WantedFiles(WITH_FILES, 10**9)


async def mirrored(store: Store) -> None:
    """An invoice and a receipt of the same id; values by id, by name, and of a field that nobody knows yet."""
    await listed(store.mirror, *(_invoice(n, _of_field(4, ("A", "B", "C")[n % 3])) for n in range(1, 7)))
    await listed(store.mirror, _invoice(1, _of_field(4, {"id": 11, "name": "A"})), collection="receipts")
    supplied = {"dataSupplierCustomFields": [{"supplierCustomField": {"id": 6}, "value": "12.50"}]}
    await listed(
        store.mirror, record(1, **supplied), record(2, **supplied), record(3, **supplied), collection="suppliers"
    )
    itemized = {"dataItemCustomFields": {"data": [{"itemCustomField": {"id": 5}, "value": "X"}]}}
    await listed(store.mirror, record(1, **itemized), record(2), collection="items")
    await _detail(store, "invoices", 1, [_file(1), _file(2)])
    await _detail(store, "receipts", 1, [_file(1)])
    await _detail(store, "suppliers", 1, [_file(9)])
    await _read_log(store)


async def define(store: Store) -> None:
    await _define(store, "document_custom_fields", 4, {"11": "A", "12": "B"}, at=T0 + 10)
    await _define(store, "item_custom_fields", 5, {"21": "X"}, at=T0 + 10)
    await _define(store, "supplier_custom_fields", 6, {}, at=T0 + 10, typeString="number")


async def fetch_files(store: Store) -> None:
    for file in await _due(store):
        if file.attachment.id != 2:
            await _keep(store, file)


async def read_again(store: Store) -> None:
    """A definition comes as it was."""
    await _define(store, "document_custom_fields", 4, {"11": "A", "12": "B"}, at=T0 + 20)


async def rename_option(store: Store) -> None:
    """Documents that name it as it was called mean the same one."""
    await _define(store, "document_custom_fields", 4, {"11": "Alpha", "12": "B", "13": "C"}, at=T0 + 30)
    await _define(store, "item_custom_fields", 5, {"22": "X"}, at=T0 + 30)


async def rename_field(store: Store) -> None:
    options = {"11": "Alpha", "12": "B", "13": "C"}
    await _define(store, "document_custom_fields", 4, options, at=T0 + 40, name="Cost centre")
    await _define(store, "supplier_custom_fields", 6, {}, at=T0 + 40, typeString="text")


async def take_option_away(store: Store) -> None:
    """Another one bears its name from now on."""
    await _define(store, "document_custom_fields", 4, {"12": "B", "14": "C"}, at=T0 + 50, name="Cost centre")


async def change_files(store: Store) -> None:
    """One is lost, one new, one another by its size; and one that was there is to be fetched again."""
    await _detail(store, "invoices", 1, [_file(2, size=7), _file(3, name="new.pdf")])
    await _read_log(store)
    await store.attachments.requeue([("suppliers", 1, 9)])


async def bring_back_a_file(store: Store) -> None:
    await _detail(store, "invoices", 1, [_file(1), _file(2, size=7)])
    await _read_log(store)


async def change_records(store: Store) -> None:
    """One has no values any more, one no line, one is hidden by a filter, one is gone, one new, one another kind."""
    rows = [
        record(2, sum="2.75"),
        _invoice(3, _of_field(4, "B"), items=[]),
        _invoice(4, _of_field(4, "B"), wanted=False),
        _invoice(9, _of_field(8, "new")),
        _invoice(5, _of_field(4, "C"), logicType=1),
    ]
    await scan(store.mirror, rows, kind="changes", at=T0 + 100)
    gone = await scan(store.mirror, [record(2)], collection="suppliers", at=T0 + 200)
    await store.mirror.mark_vanished(gone.scan, [1, 3], at=T0 + 201)
    await _read_log(store)


async def hide_one_with_files(store: Store) -> None:
    await store.mirror.refilter("receipts", "none", lambda _, __: False)
    await store.mirror.refilter("invoices", "some", lambda one, _: one.id > 1)


async def show_it_again(store: Store) -> None:
    await store.mirror.refilter("receipts", "all", lambda _, __: True)
    await store.mirror.refilter("invoices", "all", lambda _, __: True)


STEPS: Sequence[Callable[[Store], Awaitable[None]]] = (
    mirrored, define, fetch_files, read_again, rename_option, rename_field, take_option_away, change_files,
    bring_back_a_file, change_records, hide_one_with_files, show_it_again,
)  # fmt: skip


async def made(store: Store) -> None:
    for step in STEPS[:3]:
        await step(store)


async def renamed(store: Store) -> None:
    for step in STEPS[3:7]:
        await step(store)


async def changed(store: Store) -> None:
    for step in STEPS[7:11]:
        await step(store)


ACTS = (made, renamed, changed, show_it_again)
"""What comes between two turns of an export."""


def _of_field(id_: int, value: Any) -> dict[str, Any]:
    return {"id": id_ * 10, "value": value, "documentCustomField": {"id": id_}}


def _invoice(id_: int, *values: dict[str, Any], **more: Any) -> Any:
    line = {"id": id_ * 7, "dataItemCustomFields": [{"itemCustomField": {"id": 5, "name": "Size"}, "value": "X"}]}
    return record(id_, **{"dataDocumentCustomFields": {"data": list(values)}, "items": [line], "sum": "1.50"} | more)


def _file(id_: int, **more: Any) -> dict[str, Any]:
    return {"id": id_, "name": f"{id_}.pdf", "size": 100, "uploadDate": "2026-01-01T00:00:00"} | more


async def _detail(store: Store, collection: str, id_: int, files: Sequence[dict[str, Any]]) -> None:
    """Of a row that changed."""
    row = _invoice(id_, _of_field(4, "A"), changed=[one["id"] for one in files])
    await scan(store.mirror, [row], kind="changes", collection=collection, at=T0 + 5)
    due = await store.mirror.due_details([collection], before=EVER, limit=99)
    [asked] = [one for one in due if one.id == id_]
    raw = json.dumps(json.loads(row.raw) | {"attachments": {"data": files}})
    await store.mirror.save_detail(asked, Detail(id_, raw), at=T0 + 6)


async def _read_log(store: Store) -> None:
    await change_log.follow(store.change_log, attachment_follower(store.attachments), 500)
    await change_log.follow(store.change_log, field_follower(store.custom_fields), 500)


async def _define(
    store: Store, collection: str, id_: int, options: dict[str, str], *, at: float, **more: Any
) -> None:
    listing = {"data": [{"id": option, "name": name} for option, name in options.items()]}
    said = {"id": id_, "name": f"Field {id_}", "options": listing} | more
    await store.custom_fields.save(DueField(collection, id_), Detail(id_, json.dumps(said)), asked_at=at)


async def _due(store: Store) -> Sequence[AttachedFile]:
    return await store.attachments.due_files(_EVERY_FILE, before=EVER, limit=99)


async def _keep(store: Store, file: AttachedFile) -> None:
    path = "/".join(map(str, file.key))
    kept = Kept(path, 101, bytes([file.attachment.id]) * 32)
    await store.attachments.reserve({file.key: path})
    await store.attachments.save_kept(file, kept, at=T0 + 9)
