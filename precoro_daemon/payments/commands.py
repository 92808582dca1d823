"""a person's commands about payments, as data, executed by the process that holds the state"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec

from precoro_daemon.errors import DecisionRefused
from precoro_daemon.payments import decisions
from precoro_daemon.payments.intake import plan_ledger_payments
from precoro_daemon.payments.ledger_access import LedgerAccess
from precoro_daemon.payments.recorder import Recorder
from precoro_daemon.payments.rules.states import Direction, State
from precoro_daemon.payments.unmatched import log_unmatched
from precoro_daemon.values.humanize import many

Kind = Literal[
    "plan", "adopt", "repost", "drop", "arm", "disarm", "reread", "dismiss", "check", "doctor", "replay_pushes",
    "drop_pushes",
]  # fmt: skip


InvoiceId = Annotated[int, msgspec.Meta(gt=0, le=2**63 - 1)]
"""The integers that a state can store."""


class Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person's command.

    kind     plan: reads the ledger
             adopt, repost, drop: decides about one payment
             arm, disarm: allows or forbids sending
             reread: reads the whole ledger
             dismiss: hides an unreadable row of the ledger
             check, doctor: makes one call, or a few calls, to Precoro
             replay_pushes, drop_pushes: repeats or drops pushes of an export
    by       the person, for the journal
    ident    the start of the payment's id
             dismiss: the key of the row
             check, doctor: the fingerprint of the credentials
             replay_pushes, drop_pushes: the name of the export, a space, and since when or which
    payment  adopt: the other side's id of it
    invoice  repost: Precoro's id of the invoice that it is for
    force    repost: as for `decisions.repost`
    reason   for the journal
    """

    kind: Kind
    by: str
    ident: str = ""
    payment: str | None = None
    invoice: InvoiceId | None = None
    force: bool = False
    reason: str = ""


def import_warning(imported: Mapping[str, int]) -> Sequence[str]:
    """Returns what to check if Precoro's own connectors know invoices; nothing if none does."""
    if not imported:
        return ()
    known = " and ".join(f"{count:,} invoices from {name}" for name, count in imported.items())
    must = "Its import of payments must be off: two programs that bring the same payment bring it twice."
    return [f"WARNING: Precoro's own connector knows {known}. {must}"]


@dataclass(frozen=True, slots=True)
class CommandHandler:
    """Executes commands with the state, the ledger and the time, without calls to Precoro.

    marks  whether payments of the ledger are recorded at Precoro
    """

    recorder: Recorder
    access: LedgerAccess
    marks: bool

    async def execute(self, command: Command) -> str:
        """Executes the command and returns the answer. Raises DecisionRefused, StaleIntent, and what reading the
        ledger raises.

        A decision may arrive while payments are sent: the journal moves an intent only if it is unchanged since it
        was read.
        """
        match command.kind:
            case "plan":
                if self.marks:
                    await self.access.read()
                    await plan_ledger_payments(self.access, self.recorder)
                    await log_unmatched(self.recorder.journal, self.access)
                return ""
            case "arm":
                await self.recorder.journal.arm(self.access.clock.now())
                armed = "armed: payments are sent from the next lap on"
                return "\n".join((armed, *import_warning(await self.access.payments.imported())))
            case "disarm":
                return await self._disarm(command)
            case "reread":
                return await self._reread(command)
            case "dismiss":
                return await self._dismiss(command)
        return await self._decide(command)

    async def _reread(self, command: Command) -> str:
        await self.access.reread(f"{command.by} wants it")
        if not self.marks:
            return "the next lap reads the whole ledger again"
        await self.access.read()
        await plan_ledger_payments(self.access, self.recorder)
        left = len(await self.access.payments.unreadable(self.access.name))
        return f"the whole ledger was read again; {many(left, 'row')} cannot be read"

    async def _dismiss(self, command: Command) -> str:
        access = self.access
        said = f"{command.by} does not want row {command.ident} shown"
        if not await access.payments.dismiss(access.name, command.ident, access.clock.now(), said):
            raise DecisionRefused(f"no unreadable row has the key {command.ident!r}; `payments plan` shows them")
        return f"row {command.ident} is shown again only if it changes; no payment is made of it"

    async def _disarm(self, command: Command) -> str:
        journal = self.recorder.journal
        said = f"disarmed by {command.by}" + (f": {command.reason}" if command.reason else "")
        await journal.disarm(self.access.clock.now(), said)
        leaving = [one for direction in Direction for one in await journal.in_state(direction, State.SENDING)]
        last = f"; these are on their way: {', '.join(map(str, leaving))}" if leaving else ""
        return f"Payments are disarmed{last}. Run `payments arm` to allow sending."

    async def _decide(self, command: Command) -> str:
        recorder, access = self.recorder, self.access
        intent = await decisions.find(recorder, command.ident)
        if command.kind == "adopt":
            intent = await decisions.adopt(recorder, access, intent, command.payment, command.by)
        elif command.kind == "drop":
            intent = await decisions.drop(recorder, access, intent, command.by, command.reason)
        elif command.invoice is not None:
            intent = await decisions.assign(recorder, access, intent, command.invoice, command.by)
        else:
            intent = await decisions.repost(recorder, access, intent, command.by, force=command.force)
        return f"{intent.id}  {intent}: now {intent.state}"
