"""What becomes of a push that is refused, and what a failure says of others."""

from __future__ import annotations

import pytest

from precoro_daemon.errors import (
    AddressRefused,
    ConnectionFault,
    DaemonError,
    PushRefused,
    RateLimited,
    ReceiverBusy,
    ReceiverGone,
)
from precoro_daemon.exports.rules.pushing import (
    PATIENCE_S,
    Settled,
    is_of_the_record,
    new_push,
    read_settled,
    refused,
)


@pytest.mark.parametrize(
    ("failure", "others_taken", "waited", "expected"),
    [
        (PushRefused("422"), False, 0.0, True),
        (ReceiverBusy("500"), False, 0.0, False),
        (ReceiverBusy("500"), True, 0.0, True),
        (ReceiverBusy("500"), False, PATIENCE_S, True),
        (ReceiverBusy("503", wait=60.0), True, 0.0, False),
        (ReceiverBusy("503", wait=60.0), False, PATIENCE_S, True),
        (RateLimited("429", wait=60.0), True, PATIENCE_S, False),
        (ConnectionFault("reset"), True, 0.0, True),
        (ConnectionFault("reset"), False, PATIENCE_S * 99, False),
        (ReceiverGone("410"), True, PATIENCE_S, False),
        (AddressRefused("inside"), True, PATIENCE_S, False),
    ],
)
def test_a_failure_is_of_one_record_or_of_all(
    failure: DaemonError, others_taken: bool, waited: float, expected: bool
) -> None:
    assert is_of_the_record(failure, others_taken=others_taken, waited=waited) is expected


def test_it_waits_for_longer_each_time_until_it_is_dead() -> None:
    push, now, pauses = new_push("shop", "invoices", 7, 12, 1000.0), 1000.0, []
    assert push.id == "shop-invoices-7-12-1000"
    while push.state != "dead":
        push = refused(push, "no", now, 86_400.0)
        pauses.append(push.due_at - now)
        now = push.due_at
    assert pauses[:3] == [60.0, 120.0, 240.0]
    assert max(pauses) == 21_600.0
    assert pauses == sorted(pauses)
    assert now - 1000.0 > 86_400.0


def test_a_range_is_read_as_it_was_noted() -> None:
    settled = Settled(5, 9, 1.25)
    assert read_settled(settled.text) == settled
    assert read_settled(None) is None
