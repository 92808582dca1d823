"""what a person wants done with payments, as data: carried out by whoever holds the state"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec

from precoro_daemon.payments import decisions
from precoro_daemon.payments.intake import Books, plan_ledger_payments, read_books
from precoro_daemon.payments.recorder import Recorder
from precoro_daemon.payments.rules.transitions import State

Kind = Literal["plan", "adopt", "repost", "drop", "arm", "disarm"]


InvoiceId = Annotated[int, msgspec.Meta(gt=0, le=2**63 - 1)]
"""What a state can keep as a number."""


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """plan: read the books · adopt, repost, drop: what becomes of one payment · arm, disarm: whether any is sent

    by       who wants it; stands in the journal
    ident    how the id of the payment begins
    payment  adopt: the other side's id of it · invoice, force: of repost · reason: kept in the journal
    """

    kind: Kind
    by: str
    ident: str = ""
    payment: str | None = None
    invoice: InvoiceId | None = None
    force: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Desk:
    """What orders and looks work on: the state, the books and time; nothing here calls Precoro.

    marks  payments of the books are to be recorded at Precoro
    """

    recorder: Recorder
    books: Books
    marks: bool


async def carry_out(order: Order, desk: Desk) -> str:
    """What there is to say of it. Raises DecisionRefused; StaleIntent; what reading the books raises.

    A decision may come while payments are sent: the journal moves what is still as it was read, and nothing else.
    """
    recorder, books = desk.recorder, desk.books
    now = books.clock.now()
    match order.kind:
        case "plan":
            if desk.marks:
                await read_books(books)
                await plan_ledger_payments(books, recorder)
            return ""
        case "arm":
            await recorder.journal.arm(now)
            return "armed: payments are sent from the next lap on"
        case "disarm":
            said = f"disarmed by {order.by}" + (f": {order.reason}" if order.reason else "")
            await recorder.journal.disarm(now, said)
            leaving = [
                *await recorder.journal.in_state("to_precoro", State.SENDING),
                *await recorder.journal.in_state("to_ledger", State.SENDING),
            ]
            last = f" but what is on its way: {', '.join(map(str, leaving))}" if leaving else ""
            return f"disarmed: nothing is sent until `payments arm`{last}"
    intent = await decisions.find(recorder, order.ident)
    if order.kind == "adopt":
        intent = await decisions.adopt(recorder, books, intent, order.payment, order.by)
    elif order.kind == "drop":
        intent = await decisions.drop(recorder, books, intent, order.by, order.reason)
    elif order.invoice is not None:
        intent = await decisions.assign(recorder, books, intent, order.invoice, order.by)
    else:
        intent = await decisions.repost(recorder, books, intent, order.by, force=order.force)
    return f"{intent.id}  {intent}: now {intent.state}"
