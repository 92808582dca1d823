"""After a login: how many of the open bills Precoro knows, by the name that is configured."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from anyio import to_thread

from precoro_daemon.adapters.grants.grant import Grant
from precoro_daemon.adapters.grants.grant_file import GrantFile
from precoro_daemon.app.ledger import open_ledger
from precoro_daemon.app.ledger_grants import see_grant
from precoro_daemon.app.ledger_login import Login, Place, count_matches
from precoro_daemon.app.state import state_of
from precoro_daemon.errors import MalformedAnswer, StoreUnusable
from precoro_daemon.payments.ports.login_directory import OpenBill
from precoro_daemon.settings import Settings
from tests.adapters.grants import books
from tests.adapters.grants.authority import CLIENT, Authority, serving
from tests.contracts.test_journal import invoice, mirrored

BILLS = [
    OpenBill("b-1", ["INV-1"], "Acme"),
    OpenBill("b-2", ["INV-1"], "Another"),
    OpenBill("b-3", [], ""),
    OpenBill("b-4", ["71"], "Acme"),
]


def settings(folder: Path, by: str, **more: object) -> Settings:
    precoro = {"base_url": "http://127.0.0.1:9", "email": "a@example.org", "token": "a-token-of-ours"}
    state = {"url": f"sqlite:///{folder}/state.db"}
    return Settings(precoro=precoro, state=state, mark_invoices_paid={"match_by": by}, **more)  # type: ignore[arg-type]


@pytest.mark.asyncio
@pytest.mark.parametrize(("by", "found"), [("external_id", 1), ("number_and_supplier", 1), ("id", 1), ("idn", 2)])
async def test_open_bills_are_counted_by_the_configured_name(tmp_path: Path, by: str, found: int) -> None:
    given = settings(tmp_path, by)
    async with state_of(given).open() as store:
        names = {"externalId": "b-3", "invoiceNumber": "INV-1", "idn": "INV-1"}
        await mirrored(store, invoice(71, **names), invoice(72, idn="72"))
        assert await count_matches(given, BILLS) == found


@pytest.mark.asyncio
async def test_without_a_mirror_nothing_can_be_said(tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable):
        await count_matches(settings(tmp_path, "idn"), BILLS)


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", ["xero", "quickbooks", "business_central"])
@pytest.mark.parametrize("answer", [{}, [], [{}], {"value": [{}]}, {"CompanyInfo": None}])
async def test_an_answer_of_another_shape_is_no_crash(kind: str, answer: object) -> None:
    with serving(Authority(), lambda *_: (200, answer)) as url:
        place = Place(kind, api=url, tenant="t", environment="e")
        login = Login(place, Grant(kind, url, "client", access_token="a"), company="1")
        with suppress(MalformedAnswer):  # or nothing is in it, and that is no company
            assert [*await login.organisations()] == []


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", ["xero", "quickbooks"])
async def test_a_ledger_sends_what_the_login_gave(tmp_path: Path, kind: str) -> None:
    """Refreshed where that is due; and what is lost is shown, with what to type."""
    authority = Authority()
    company = {"xero": {"tenant_id": books.OURS}, "quickbooks": {"realm_id": "4620816365"}}[kind]
    with serving(authority, {"xero": books.xero, "quickbooks": books.quickbooks}[kind]) as url:
        file = tmp_path / "grant.json"
        grant = Grant(kind, f"{url}/token", CLIENT, refresh_token=authority.new_grant(), whose="Our Company")
        await to_thread.run_sync(GrantFile(file).write, grant)
        named = {"base_url": url, "grant_file": file, **company}
        given = settings(tmp_path, "id", ledger={"kind": kind, "name": "books", kind: named})
        async with open_ledger(given) as ledger:
            assert ledger is not None
            await ledger.probe()
            assert authority.refreshes == 1
            seen = await to_thread.run_sync(see_grant, given)
            assert (seen and seen.whose, seen and seen.lost) == ("Our Company", "")
        authority.good.clear()
        authority.access.clear()
        async with open_ledger(given) as ledger:
            assert ledger is not None
            faults = [one.fault for one in await ledger.probe() if one.fault]
        assert f"ledger login {kind}" in faults[0]
        lost = await to_thread.run_sync(see_grant, given)
        assert lost
        assert "invalid_grant" in lost.lost
