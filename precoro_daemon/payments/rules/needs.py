"""the fields of Precoro's answers that payments need: nothing is sent without them"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from precoro_daemon.mirror.rules.shapes import Place, ShapeChange
from precoro_daemon.payments.rules.states import Direction

_OF_AN_INVOICE = frozenset(
    {"id", "idn", "status", "sum", "sumPaid", "currency", "logicType", "supplier", "supplier.id"}
)
_ON_INVOICE = frozenset(
    {"payments", "payments[].id", "payments[].sumPaid", "payments[].status", "payments[].externalId"}
)
_OF_A_PAYMENT = frozenset({"id", "sumPaid", "currency", "status", "payDate", "createDate", "externalId"})

_INVOICES = {Place("invoices"): _OF_AN_INVOICE, Place("invoices", detail=True): _OF_AN_INVOICE | _ON_INVOICE}

NEEDS: Mapping[Direction, Mapping[Place, frozenset[str]]] = {
    Direction.TO_PRECORO: _INVOICES,
    Direction.TO_LEDGER: {**_INVOICES, Place("payments"): _OF_A_PAYMENT},
}
"""The fields that payments need, by direction. Other fields may change: `matching` and `exports` judge what they
read.
"""

VITAL: Mapping[Place, frozenset[str]] = NEEDS[Direction.TO_LEDGER]
"""The fields of both directions."""


def lacking(direction: Direction, changes: Iterable[ShapeChange], accepted: Collection[str] = ()) -> str:
    """Returns why payments of that direction wait, "" if they need not. A field that only one invoice lacks does not
    count here: only that invoice waits.

    accepted  fields that a person says changed for good
    """
    needs = NEEDS[direction]
    found = [
        str(one)
        for one in changes
        if one.breaks and one.only is None and one.field not in accepted
        if one.field in needs.get(Place(one.collection, one.detail), ())
    ]
    return f"Precoro's answers changed: {'; '.join(found)}" if found else ""
