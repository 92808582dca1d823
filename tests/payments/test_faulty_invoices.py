"""An invoice that Precoro does not give waits alone, ever longer; where it gives none, no invoice is to blame."""

from __future__ import annotations

import pytest

from precoro_daemon.errors import MalformedAnswer
from precoro_daemon.mirror.ports.mirror import Quarantined
from precoro_daemon.mirror.rules.quarantine import Stage
from precoro_daemon.payments.forecast import forecast_lap
from precoro_daemon.payments.rules.caps import Caps
from precoro_daemon.payments.rules.states import State
from precoro_daemon.sandbox.rows import Row
from tests.payments.books import DAY
from tests.payments.scene import payments
from tests.payments.watched import Watched, learn
from tests.payments.world import HOUR, MINUTE, answered, carried_out_then_cut, open_bank

FIVE_TRIES = 5
LONG = f'"note": {"7" * 5000}'


def owed(shown: Watched, count: int) -> list[Row]:
    """So many invoices that the ledger has paid."""
    invoices = [shown.invoice() for _ in range(count)]
    for invoice in invoices:
        shown.pays(invoice)
    return invoices


async def quarantined(shown: Watched, invoice: Row) -> Quarantined | None:
    async with shown.life() as life:
        return await life.store.mirror.quarantined("invoices", str(invoice.idn), Stage.PAYMENT)


async def nothing_is_quarantined(shown: Watched) -> bool:
    async with shown.life() as life:
        return not await life.store.mirror.count_quarantined()


def asked(shown: Watched, invoice: Row) -> int:
    return sum(f"/invoices/{invoice.idn}" in call for call in shown.calls)


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.asyncio
async def test_an_invoice_that_precoro_does_not_give_waits_alone_and_ever_longer(place: int) -> None:
    shown = Watched.made()
    invoices = owed(shown, 3)
    bad = invoices[place]
    shown.faulty = [bad]
    report = await shown.watched_lap()
    assert report.ended is None
    assert [payments(one) for one in invoices] == [[] if one is bad else [10_000] for one in invoices]
    kept = await quarantined(shown, bad)
    assert kept is not None
    assert "500" in kept.reason
    assert asked(shown, bad) == FIVE_TRIES
    # Each wait is twice the one before.
    for tries, wait in ((2, 15 * MINUTE), (3, 30 * MINUTE), (4, 60 * MINUTE)):
        await shown.watched_lap(wait - MINUTE)
        assert asked(shown, bad) == FIVE_TRIES * (tries - 1)
        await shown.watched_lap(2 * MINUTE)
        assert asked(shown, bad) == FIVE_TRIES * tries
    shown.faulty = []
    await shown.watched_lap(3 * HOUR)
    assert payments(bad) == [10_000]
    assert await nothing_is_quarantined(shown)


@pytest.mark.parametrize("status", [400, 403, 422])
@pytest.mark.asyncio
async def test_an_invoice_that_precoro_refuses_to_show_is_not_asked_for_in_each_lap(status: int) -> None:
    """Precoro blocks keys that keep failing."""
    shown = Watched.made()
    [good] = owed(shown, 1)
    shown.stop_file = True
    await shown.watched_lap()  # so that it goes first, and shows that the key is welcome
    shown.stop_file = False
    [bad] = owed(shown, 1)
    shown.faulty, shown.fault = [bad], status
    await shown.watched_lap(MINUTE)
    for _ in range(14):
        await shown.watched_lap(MINUTE)
    assert (payments(good), asked(shown, bad)) == ([10_000], 1)
    kept = await quarantined(shown, bad)
    assert kept is not None
    assert str(status) in kept.reason
    shown.faulty = []
    await shown.watched_lap(HOUR)
    assert payments(bad) == [10_000]


@pytest.mark.asyncio
async def test_where_precoro_refuses_to_show_any_invoice_none_is_to_blame() -> None:
    """The key lost its role."""
    shown = Watched.made()
    invoices = owed(shown, 4)
    shown.faulty, shown.fault = invoices, 422
    for _ in range(4):
        await shown.watched_lap(HOUR)
        assert await nothing_is_quarantined(shown)
    shown.faulty = []
    await shown.watched_lap(2 * MINUTE)
    assert [payments(invoice) for invoice in invoices] == [[10_000]] * 4


@pytest.mark.asyncio
async def test_it_is_asked_for_within_six_hours_however_long_it_failed() -> None:
    shown = Watched.made()
    [bad] = owed(shown, 1)
    shown.faulty = [bad]
    for _ in range(60):
        await shown.watched_lap(HOUR)
    shown.faulty = []
    await shown.watched_lap(7 * HOUR)
    assert payments(bad) == [10_000]


@pytest.mark.asyncio
async def test_the_only_invoice_costs_five_calls_and_one_that_shows_that_precoro_is_well() -> None:
    shown = Watched.made()
    [bad] = owed(shown, 1)
    shown.faulty = [bad]
    for _ in range(10):
        await shown.watched_lap(MINUTE)
    assert len(shown.calls) == FIVE_TRIES + 1
    async with shown.life() as life:
        job = shown.job(life)
        ahead = await forecast_lap(life.store.journal, job.access, Caps(), job.stopped)
    [held] = ahead.forecasts
    assert held.fate == "held"
    assert "500" in held.reason


@pytest.mark.parametrize("count", [1, 2, 3, 8])
@pytest.mark.asyncio
async def test_where_precoro_is_down_no_invoice_is_to_blame(count: int) -> None:
    shown = Watched.made()
    invoices = owed(shown, count)
    shown.down = True
    for _ in range(4):
        before = len(shown.calls)
        assert (await shown.watched_lap(HOUR)).failed
        assert len(shown.calls) - before <= 3 * FIVE_TRIES
        assert await nothing_is_quarantined(shown)
    shown.down = False
    assert not (await shown.watched_lap(MINUTE * 2)).failed
    assert [payments(invoice) for invoice in invoices] == [[10_000]] * count


@pytest.mark.asyncio
async def test_where_precoro_gives_no_invoice_at_all_none_is_to_blame() -> None:
    """Its lists come."""
    shown = Watched.made()
    invoices = owed(shown, 8)
    shown.faulty = invoices
    for _ in range(4):
        before = len(shown.calls)
        await shown.watched_lap(HOUR)
        assert len(shown.calls) - before <= 3 * FIVE_TRIES
        assert await nothing_is_quarantined(shown)
    shown.faulty = []
    await shown.watched_lap(MINUTE * 2)
    assert [payments(invoice) for invoice in invoices] == [[10_000]] * 8


@pytest.mark.asyncio
async def test_several_that_fail_for_good_keep_no_other_waiting() -> None:
    shown = Watched.made()
    *bad, good = owed(shown, 5)
    shown.faulty = bad
    await shown.watched_lap()
    await shown.watched_lap(HOUR)
    assert payments(good) == [10_000]
    for _ in range(24):
        invoice = shown.invoice()
        shown.pays(invoice)
        await shown.watched_lap(HOUR)
        assert payments(invoice) == [10_000]
    assert all([await quarantined(shown, one) for one in bad])
    before = len(shown.calls)
    await shown.watched_lap(24 * HOUR)
    assert len(shown.calls) - before <= (len(bad) + 1) * FIVE_TRIES
    shown.faulty = []
    await shown.watched_lap(24 * HOUR)
    assert [payments(one) for one in bad] == [[10_000]] * 4


@pytest.mark.asyncio
async def test_a_doubt_about_an_invoice_that_does_not_come_is_never_sent_again() -> None:
    shown = Watched.made(repost="guarded")
    [bad] = owed(shown, 1)
    shown.posts.append(carried_out_then_cut)
    await shown.watched_lap()
    shown.faulty = [bad]
    for _ in range(30):
        await shown.watched_lap(HOUR)
    assert shown.intent.state is State.DOUBT
    shown.faulty = []
    for _ in range(3):
        await shown.watched_lap(7 * HOUR)
    assert shown.intent.state is State.CONFIRMED
    assert payments(bad) == [10_000]


@pytest.mark.parametrize("refused", [False, True])
@pytest.mark.asyncio
async def test_what_precoro_fails_to_note_is_not_sent_for_ever(refused: bool) -> None:
    """Our id of a payment, and on the invoice the reason why one was refused."""
    shown = Watched(open_bank(keep_external_id=False), noted=503)
    [invoice] = owed(shown, 1)
    shown.posts += [answered(422, {"errors": {"payDate": ["too early"]}})] if refused else []
    for _ in range(26):
        await shown.watched_lap(HOUR)
    noted = [call for call in shown.calls if call.startswith("PATCH")]
    assert len(noted) > FIVE_TRIES
    await shown.watched_lap(HOUR)
    assert [call for call in shown.calls if call.startswith("PATCH")] == noted
    assert (shown.intent.state, payments(invoice)) == (
        (State.REJECTED, []) if refused else (State.CONFIRMED, [10_000])
    )


@pytest.mark.asyncio
async def test_an_export_of_one_that_does_not_come_stops_no_other() -> None:
    shown = Watched.made()
    await shown.watched_lap(exporting=True)
    invoices = [shown.invoice() for _ in range(3)]
    for invoice in invoices:
        shown.bank.person_pays(invoice, 10_000, DAY.isoformat())
    bad = invoices[1]
    shown.faulty = [bad]
    await shown.watched_lap(HOUR, exporting=True)
    assert len(shown.ledger.entries) == 2
    for _ in range(10):
        await shown.watched_lap(MINUTE, exporting=True)
    assert asked(shown, bad) == FIVE_TRIES
    shown.faulty = []
    await shown.watched_lap(HOUR, exporting=True)
    assert len(shown.ledger.entries) == 3


@pytest.mark.parametrize("field", ['"payments": [{"sumPaid": 1}]', '"payments": {"data": [7, {"id": null}]}', LONG])
@pytest.mark.asyncio
async def test_a_list_row_whose_payments_cannot_be_read_costs_only_itself(field: str) -> None:
    """Its detail is as odd, but for what payments do not go by."""
    shown = Watched.made()
    await learn(shown)
    odd, *others = owed(shown, 3)
    shown.listed, shown.reshaped, shown.odd = {odd.id: field}, ("payments", "text"), odd
    shown.reshaped = None if field is LONG else shown.reshaped
    report = await shown.watched_lap()
    assert report.ended is None
    assert [payments(one) for one in others] == [[10_000]] * 2
    kept = await quarantined(shown, odd)
    if field is LONG:
        assert payments(odd) == [10_000]
        assert kept is None
    else:
        assert payments(odd) == []
        assert kept is not None
        assert str(odd.idn) in (kept.raw or "")
    shown.listed, shown.reshaped = {}, None
    await shown.watched_lap(2 * HOUR)
    assert [payments(one) for one in (odd, *others)] == [[10_000]] * 3


@pytest.mark.asyncio
async def test_an_answer_that_is_no_list_does_not_say_that_precoro_has_no_payment_of_ours() -> None:
    shown = Watched.made()
    owed(shown, 2)
    async with shown.life() as life:
        life.wire.lists = b'{"data": [{"id": 7'
        with pytest.raises(MalformedAnswer):
            await life.gateway.find_payments({"ours"})
