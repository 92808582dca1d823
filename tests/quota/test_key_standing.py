"""What 401 and 403 say of a key, by what was known before."""

from __future__ import annotations

from precoro_daemon.quota.circuit_breaker import IDLE_S
from precoro_daemon.quota.key_standing import KeyStanding, Ruling

NOW = 1e9


def welcome(*collections: str) -> KeyStanding:
    standing = KeyStanding()
    for collection in collections:
        standing.proved(collection)
    return standing


def forbidden(standing: KeyStanding, *targets: str, collection: str = "invoices", at: float = NOW) -> list[Ruling]:
    """One after the other, each sent when the one before had been answered."""
    return [standing.forbidden(collection, target, at + number, at + number) for number, target in enumerate(targets)]


def test_before_any_success_one_is_enough() -> None:
    assert forbidden(KeyStanding(), "/invoices/1") == [Ruling.NEVER_WELCOME]


def test_a_collection_that_never_was_open_says_nothing() -> None:
    standing = welcome("suppliers")
    assert forbidden(standing, "/invoices/1", "/invoices/2", "/invoices/3", "/invoices/4") == [Ruling.NOTHING] * 4
    assert standing.proven


def test_two_in_a_row_bring_doubt_and_the_third_refuses_the_key() -> None:
    standing = welcome("invoices")
    assert forbidden(standing, "/invoices/1", "/invoices/2") == [Ruling.NOTHING, Ruling.IN_DOUBT]
    assert standing.is_doubted(NOW + 2)
    assert not standing.proven
    assert forbidden(standing, "/invoices/3", at=NOW + 5) == [Ruling.BLOCKED]


def test_a_success_between_them_and_a_quarter_of_an_hour_end_the_doubt() -> None:
    standing = welcome("invoices")
    forbidden(standing, "/invoices/1", "/invoices/2")
    assert not standing.is_doubted(NOW + 2 + IDLE_S)
    standing.proved("suppliers")
    assert not standing.is_doubted(NOW + 2)
    assert forbidden(standing, "/invoices/3", at=NOW + 3) == [Ruling.NOTHING]


def test_calls_that_were_under_way_together_say_it_once() -> None:
    standing = welcome("invoices")
    together = [standing.forbidden("invoices", f"/invoices/{n}", NOW, NOW + n) for n in range(1, 20)]
    assert set(together) == {Ruling.NOTHING}


def test_a_refused_key_waits_and_a_success_ends_that() -> None:
    standing = KeyStanding()
    standing.refused(NOW)
    assert standing.is_refused(NOW + IDLE_S - 1)
    assert not standing.is_refused(NOW + IDLE_S)
    assert standing.proved("invoices")
    assert not standing.is_refused(NOW)
    assert not standing.proved("invoices"), "there is nothing left to forget"


def test_the_next_process_tries_at_once_unless_the_key_was_refused_three_times() -> None:
    for refusals, waits in ((2, False), (3, True)):
        standing = KeyStanding()
        standing.recall(refusals, NOW - 10, NOW)
        assert standing.is_refused(NOW) is waits
        standing.refused(NOW)
        assert standing.refusals == refusals + 1


def test_a_refusal_in_the_future_of_a_clock_that_was_set_back_waits_no_longer() -> None:
    standing = KeyStanding()
    standing.recall(3, NOW + 86_400, NOW)
    assert standing.reopens_at == NOW + IDLE_S
