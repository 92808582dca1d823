"""one write to an item: its content, and what its answer proves"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from precoro_daemon.catalogue.ports.gateway import ItemContent, ItemGateway, ItemReplacement, NewItem
from precoro_daemon.catalogue.ports.plans import Catalogue, PlanState, Probed
from precoro_daemon.catalogue.rules.item_writes import Write
from precoro_daemon.catalogue.rules.items import Fields, read_item
from precoro_daemon.catalogue.rules.losses import absent, falls_short, lost, says_more, unsayable
from precoro_daemon.catalogue.rules.plan import Kind
from precoro_daemon.errors import DaemonError, NotFound, PermanentError, TemporaryError
from precoro_daemon.writes.outcome import Outcome
from precoro_daemon.writes.permit import Permit

_CHANGED = "the item changed at Precoro since the plan was made"
_BY_HAND = "change the item in Precoro by hand"
_GONE = "the item is gone from Precoro since the plan was made"


class Withheld(DaemonError):
    """The item changed since the plan was made, so it is not written."""


@dataclass(frozen=True, slots=True)
class PreparedWrite:
    """The content of a write."""

    content: ItemContent

    @property
    def before(self) -> str:
        """The item before the write, "" for a new one."""
        return self.content.before if isinstance(self.content, ItemReplacement) else ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What an answer proves.

    reason  what differs from the wanted item, "" for nothing
    lost    whether the write removed something
    """

    item: int
    reason: str = ""
    lost: bool = False


class ItemWriter:
    """The writes of one plan.

    keep  fields beyond the documented ones that are sent back as they are
    """

    def __init__(
        self, catalogue: Catalogue, gateway: ItemGateway, plan: PlanState, fields: Fields, keep: Sequence[str]
    ) -> None:
        self._catalogue = catalogue
        self._gateway = gateway
        self._plan = plan
        self._fields = fields
        self._keep = keep
        self._verified = False

    async def prepare(self, write: Write) -> PreparedWrite:
        """Returns the content of a write. Raises Withheld."""
        if write.step.kind is Kind.CREATE:
            return PreparedWrite(NewItem(self._plan.supplier.id, write.step.wanted))
        before = await self._before(write)
        if odd := unsayable(before, write.step.wanted, self._fields):
            raise Withheld(f"its {', '.join(odd)} cannot be read, so it could not be sent back; {_BY_HAND}")
        ident = write.step.item or 0
        return PreparedWrite(ItemReplacement(ident, before, write.step.wanted, self._fields, self._keep))

    async def send(self, prepared: PreparedWrite, permit: Permit) -> Outcome[str]:
        if isinstance(prepared.content, NewItem):
            return await self._gateway.create_item(prepared.content, permit)
        return await self._gateway.replace_item(prepared.content, permit)

    async def _before(self, write: Write) -> str:
        """Returns the present item, which the write builds on.

        The list's row is enough if details show no more than it does; each plan checks that once.
        """
        ident = write.step.item or 0
        found = await self._catalogue.raw(ident)
        if found is None:
            raise Withheld(_GONE)
        raw, version = found
        if version != write.step.version:
            raise Withheld(_CHANGED)
        return raw if self._plan.probed == "list" else await self._detail(ident, raw)

    async def _detail(self, ident: int, raw: str) -> str:
        try:
            detail = await self._gateway.read_item(ident)
        except NotFound:
            raise Withheld(_GONE) from None
        if not self._plan.probed:
            probed: Probed = "detail" if says_more(raw, detail) else "list"
            await self._catalogue.note(self._plan.number, probed=probed)
            self._plan = replace(self._plan, probed=probed)
        if lost(raw, detail, (), self._fields):
            raise Withheld(_CHANGED)
        return detail

    async def examine(self, write: Write, answer: str, prepared: PreparedWrite) -> Finding:
        """Compares the answer with the wanted values and with the former item."""
        item = read_item(answer, self._fields)
        assert item is not None
        wanted = write.step.wanted
        if gone := await self._lost(write, answer, prepared.before):
            reason = f"the write took away {', '.join(gone)}, though nobody wanted that"
            return Finding(item.id, reason, lost=True)
        short = falls_short(item, wanted)
        said = ""
        if write.step.kind is Kind.CREATE and "externalId" in short:
            # As with payments, a POST may not keep the name it was given.
            short.remove("externalId")
            said = await self._name(item.id, str(wanted["externalId"]))
        return Finding(item.id, f"Precoro took {', '.join(short)} otherwise than it was sent" if short else said)

    async def _name(self, ident: int, external_id: str) -> str:
        """Sets the external id and returns why that failed, "" if it did not. The next plan tries again."""
        try:
            await self._gateway.name_item(ident, external_id)
        except (TemporaryError, PermanentError) as error:
            return f"its externalId could not be set: {error}"
        return ""

    async def _lost(self, write: Write, answer: str, before: str) -> Sequence[str]:
        """Returns what the write removed. If answers leave fields out, the first item of a lap is read again."""
        if not before:
            return ()
        if absent(before, answer):
            if self._verified:
                return ()
            answer = await self._gateway.read_item(write.step.item or 0)
        self._verified = True
        return lost(before, answer, write.step.wanted, self._fields)
