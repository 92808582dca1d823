"""A filter says what the user wants kept, not what may be known."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.mirror.comparing import Json
from tests.mirror.machine import keeps
from tests.mirror.stage import Stage, stage

pytestmark = pytest.mark.asyncio

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
COUNTS = {"purchaseorders": 60, "suppliers": 4}


def filtered(**chosen: Any) -> dict[str, dict[str, Any]]:
    return {"mirror_collections": {"collections": ("purchase_orders",), "filters": {"purchase_orders": chosen}}}


def shown_ids(stage: Stage) -> set[int]:
    return {row["id"] for row in stage.query("SELECT id FROM purchase_orders WHERE vanished_at IS NULL")}


@pytest.mark.parametrize(
    "chosen",
    [
        {"status": [2]},
        {"status": [2, 11]},
        {"approved_from": "2026-01-10"},
        {"approved_to": "2026-01-20"},
        {"approved_from": "2026-01-05", "approved_to": "2026-02-10"},
        {"modified_since": "2026-02-01T00:00:00"},
        {"attached_files_only": True},
        {"status": [2, 8, 11], "attached_files_only": True, "approved_from": "2024-06-01"},
    ],
    ids=str,
)
async def test_what_shows_is_what_precoro_says_the_filter_keeps(tmp_path: Path, chosen: dict[str, Any]) -> None:
    async with stage(tmp_path, sections=filtered(**chosen), counts=COUNTS, start=START) as shown:
        wanted = lambda _, document: keeps(chosen, document)  # noqa: E731
        await shown.run()
        assert shown.differences(wanted=wanted) == []
        assert 0 < len(shown_ids(shown)) < 60
        for row in list(shown.sandbox.company["purchaseorders"])[::3]:
            shown.sandbox.company.edit(
                row, status=4 if row.status == 2 else 2, approved=int(START.timestamp()) - 30 * 86_400
            )
        await shown.run()
        assert shown.differences(wanted=wanted) == []


async def test_a_purchase_order_that_is_no_longer_approved_is_updated_and_leaves_the_view(tmp_path: Path) -> None:
    async with stage(tmp_path, sections=filtered(status=[2]), counts=COUNTS) as shown:
        await shown.run()
        order = next(row for row in shown.sandbox.company["purchaseorders"] if row.status == 2)
        assert order.id in shown_ids(shown)
        shown.sandbox.company.edit(order, status=8)
        await shown.run()
        assert order.id not in shown_ids(shown)
        [row] = shown.query("SELECT status FROM records WHERE id = ?", order.id)
        assert row["status"] == 8


async def test_days_of_approval_are_days_in_utc(tmp_path: Path) -> None:
    """Some rows tell their times with the offset of the user's own zone."""
    async with stage(tmp_path, sections=filtered(approved_to="2026-01-31"), counts=COUNTS) as shown:
        late = int(datetime(2026, 1, 31, 23, 30, tzinfo=UTC).timestamp())
        for row in shown.sandbox.company["purchaseorders"]:
            shown.sandbox.company.edit(row, approved=late)
        await shown.run()
        assert len(shown_ids(shown)) == 60


async def test_by_supplier(tmp_path: Path) -> None:
    async with stage(tmp_path, counts=COUNTS) as shown:
        supplier = next(iter(shown.sandbox.company["suppliers"]))
        shown.sections |= filtered(supplier=[supplier.id])

        def wanted(_name: str, document: Json) -> bool:
            return int(document["supplier"]["id"]) == supplier.id

        await shown.run()
        assert shown_ids(shown)
        assert shown.differences(wanted=wanted) == []
        other = next(row for row in shown.sandbox.company["purchaseorders"] if row.supplier is not supplier)
        shown.sandbox.company.edit(other, supplier=supplier)
        await shown.run()
        assert other.id in shown_ids(shown)
        assert shown.differences(wanted=wanted) == []


async def test_by_supplier_where_rows_do_not_name_theirs(tmp_path: Path) -> None:
    """Receipts are listed without their supplier; what Precoro's own filter lists is believed."""
    async with stage(tmp_path, counts=COUNTS | {"receipts": 30}) as shown:
        supplier = next(row.supplier for row in shown.sandbox.company["receipts"] if row.supplier)
        shown.sections["mirror_collections"] = {
            "collections": ("receipts",), "filters": {"receipts": {"supplier": [supplier.id]}}
        }  # fmt: skip
        await shown.run()
        expected = {row.id for row in shown.sandbox.company["receipts"] if row.supplier is supplier}
        assert {row["id"] for row in shown.query("SELECT id FROM receipts")} == expected


async def test_only_what_the_filter_keeps_gets_a_detail(tmp_path: Path) -> None:
    async with stage(tmp_path, sections=filtered(status=[2]), counts=COUNTS) as shown:
        await shown.run()
        approved = [row for row in shown.sandbox.company["purchaseorders"] if row.status == 2]
        assert len(shown.calls("/purchaseorders/")) == len(approved)


async def test_a_changed_filter_is_applied_to_what_is_there_and_fetches_what_is_not(tmp_path: Path) -> None:
    async with stage(tmp_path, sections=filtered(status=[2]), counts=COUNTS) as shown:
        await shown.run()
        for chosen in ({"status": [1]}, {}, {"status": [2, 11]}):
            shown.sections |= filtered(**chosen)
            await shown.run()
            wanted = lambda _, document, chosen=chosen: keeps(chosen, document)  # noqa: E731
            assert shown.differences(wanted=wanted) == []


async def test_passes_of_changes_ask_for_nothing_that_a_record_can_leave(tmp_path: Path) -> None:
    async with stage(tmp_path, sections=filtered(status=[2], approved_from="2026-01-01"), counts=COUNTS) as shown:
        await shown.run()
        shown.sandbox.journal.clear()
        await shown.run()
        [call] = shown.calls("/purchaseorders?")
        assert "modifiedSince" in call
        assert "status" not in call
        assert "approval" not in call


async def test_a_filter_on_files_set_later_judges_by_the_details_there_are(tmp_path: Path) -> None:
    async with stage(tmp_path, counts={"purchaseorders": 40}) as shown:
        shown.sections["mirror_collections"] = {"collections": ("purchase_orders",)}
        await shown.run()
        with_files = {row.id for row in shown.sandbox.company["purchaseorders"] if row.files}
        assert 0 < len(with_files) < 40
        shown.sandbox.journal.clear()
        shown.sections["mirror_collections"]["filters"] = {"purchase_orders": {"attached_files_only": True}}
        assert (await shown.run()).failed == []
        assert {row["id"] for row in shown.query("SELECT id FROM purchase_orders")} == with_files
        assert shown.query("SELECT id FROM records WHERE vanished_at IS NOT NULL") == []
        assert shown.calls("/purchaseorders/") == [], "every detail is there already"
