"""What Precoro offers: the table holds together."""

from __future__ import annotations

import pytest

from precoro_daemon.mirror.rules.collections import COLLECTIONS, DOCUMENTS, PAGE_SIZES, WITH_DETAIL, Collection
from precoro_daemon.sandbox.schema import COLLECTIONS as SERVED


@pytest.mark.parametrize("collection", COLLECTIONS.values(), ids=lambda one: one.name)
def test_a_collection_is_named_in_plain_words_and_has_a_path(collection: Collection) -> None:
    assert COLLECTIONS[collection.name] is collection
    assert collection.name.replace("_", "").isalpha()
    assert collection.name.islower()
    assert collection.path.startswith("/")
    assert not collection.path.endswith("/")
    assert "modified_since" in collection.filters


def test_no_two_share_a_path() -> None:
    assert len({collection.path for collection in COLLECTIONS.values()}) == len(COLLECTIONS)


def test_the_sandbox_serves_them_all() -> None:
    assert {collection.path.removeprefix("/") for collection in COLLECTIONS.values()} == set(SERVED)


def test_documents_have_a_number_a_detail_and_lines() -> None:
    assert DOCUMENTS == (
        "purchase_orders",
        "invoices",
        "receipts",
        "expenses",
        "purchase_requisitions",
        "warehouse_requests",
        "requests_for_proposals",
    )
    for name in DOCUMENTS:
        assert COLLECTIONS[name].key == "idn"
        assert COLLECTIONS[name].lines == "items"


def test_what_has_lines_or_is_a_document_has_a_detail() -> None:
    assert {name for name, one in COLLECTIONS.items() if one.lines or one.is_document} <= set(WITH_DETAIL)
    assert not any(COLLECTIONS[name].small for name in WITH_DETAIL)


def test_payments_have_a_number_but_no_detail() -> None:
    payments = COLLECTIONS["payments"]
    assert payments.key == "idn"
    assert not payments.detail
    assert not payments.is_document


def test_page_sizes_rise() -> None:
    assert list(PAGE_SIZES) == sorted(set(PAGE_SIZES))
