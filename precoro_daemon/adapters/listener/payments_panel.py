"""payments for people: how many are in which state, since when, and what to type"""

from __future__ import annotations

from collections.abc import Iterator

from precoro_daemon.adapters.listener.html import Html, tag
from precoro_daemon.adapters.listener.panels import sheet, titles
from precoro_daemon.status.attention import DIRECTIONS
from precoro_daemon.status.snapshot import PaymentStatus, Snapshot
from precoro_daemon.values.humanize import span

_STATE_WORDS = {
    "planned": ("to be sent", "plan"),
    "sending": ("being sent", ""),
    "doubt": ("in doubt, and checked", "review"),
    "review": ("for a person to decide", "review"),
    "confirmed": ("confirmed on the other side", ""),
    "rejected": ("refused or dropped", "review"),
}
"""Each state in words, and the command that shows its payments."""

_OVER = frozenset({"confirmed", "rejected"})


def payments_by_state(snapshot: Snapshot) -> Iterator[Html]:
    """Yields nothing if payments are not configured."""
    payments = snapshot.stored.payments if snapshot.stored else None
    if payments is None or not (payments.enabled or payments.intents):
        return
    rows = [*_rows(snapshot, payments), *_unmatched(snapshot, payments)]
    switch = "Payments are armed." if payments.switch.armed else "Payments are not armed; none is sent."
    table = tag("table", titles("Payments", "How many", "Since", "To see them"), tag("tbody", *rows))
    yield sheet("Payments", tag("p", switch, class_="soft"), *([table] if rows else []))


def _rows(snapshot: Snapshot, payments: PaymentStatus) -> Iterator[Html]:
    for direction, way in DIRECTIONS.items():
        for state, (words, command) in _STATE_WORDS.items():
            count, since = payments.intents.get((direction, state), (0, 0.0))
            if count:
                age = "" if state in _OVER else span(snapshot.now - since)
                yield _row(f"{way}: {words}", count, age, command)


def _unmatched(snapshot: Snapshot, payments: PaymentStatus) -> Iterator[Html]:
    if payments.unmatched:
        yield _row("in the ledger, without a matching payable invoice", payments.unmatched, "", "unmatched")
    if payments.unreadable:
        age = span(snapshot.now - payments.unreadable_since) if payments.unreadable_since else ""
        yield _row("rows of the ledger that cannot be read", payments.unreadable, age, "plan")


def _row(what: str, count: int, age: str, command: str) -> Html:
    shown = tag("code", f"payments {command}") if command else None
    return tag("tr", tag("th", what, scope="row"), tag("td", count), tag("td", age), tag("td", shown))
