"""pushes of an export: shown beside who holds the state, sent anew or dropped by that"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import anyio.to_thread

from precoro_daemon.adapters.state.ports import Store
from precoro_daemon.app.control import Probe, send_command
from precoro_daemon.app.state import demand_state, state_of
from precoro_daemon.app.values import clock_for
from precoro_daemon.errors import DecisionRefused, StoreEnrolled, StoreHeld
from precoro_daemon.exports.ports.pushes import Push
from precoro_daemon.payments.commands import Command, Kind
from precoro_daemon.runtime.ports import Clock
from precoro_daemon.settings import Settings
from precoro_daemon.settings.values import read_moment
from precoro_daemon.values.humanize import many

_SHOWN = 20
ALL_DEAD = "all"


@dataclass(frozen=True, slots=True)
class PushLog:
    """How far an export of kind push is, and what was tried last.

    position, behind  the change up to which all was pushed, and how many there are behind it
    counts   pushes by state · stopped: the receiver wants no more
    """

    export: str
    position: int
    behind: int
    counts: dict[str, int]
    stopped: bool
    latest: Sequence[Push]
    dead: Sequence[Push]


async def show_pushes(settings: Settings, names: Sequence[str]) -> Sequence[PushLog]:
    """Raises StoreHeld, StoreUnusable, DecisionRefused."""
    for name in names:
        _demand_push(settings, name)
    chosen = names or [name for name, export in settings.exports.items() if export.kind == "push"]
    async with state_of(settings).open_read_only() as store:
        return [await _log_of(store, name) for name in chosen]


async def _log_of(store: Store, name: str) -> PushLog:
    book, feed = store.push_book, store.export_feed
    position = await feed.position(name)
    return PushLog(
        export=name,
        position=position,
        behind=await feed.newest() - position,
        counts=await book.counts(name),
        stopped=bool(await book.stopped(name)),
        latest=await book.listed(name, dead=False, limit=_SHOWN),
        dead=await book.listed(name, dead=True, limit=_SHOWN),
    )


async def replay_pushes(settings: Settings, name: str, since: str) -> str:
    """`since`: a moment, "0" for everything, "" for the dead ones. What there is to say of it. Done by the service
    that holds the state if one does, or by the worker of a fleet that serves the company.

    Raises StoreHeld, StoreUnusable, DecisionRefused, CommandUnanswered.
    """
    return await _give(settings, "replay_pushes", name, since)


async def drop_pushes(settings: Settings, name: str, ident: str) -> str:
    """`ident`: of one, or ALL_DEAD that are dead. Done as above; raises the same."""
    return await _give(settings, "drop_pushes", name, ident)


async def _give(settings: Settings, kind: Kind, name: str, what: str) -> str:
    _demand_push(settings, name)
    await anyio.to_thread.run_sync(demand_state, settings)
    text = f"{name} {what}"
    try:
        async with state_of(settings).open() as store:
            return await pushes_prober(settings, store, clock_for(settings), kind)(text)
    except StoreEnrolled as enrolled:
        # Who keeps states in files needs no driver.
        from precoro_daemon.app.fleet_commands import give_command  # noqa: PLC0415

        return await give_command(settings, Command(kind, "exports", ident=text), enrolled.company)
    except StoreHeld as held:
        return await anyio.to_thread.run_sync(send_command, settings, Command(kind, "exports", ident=text), held)


def pushes_prober(settings: Settings, store: Store, clock: Clock, kind: str) -> Probe:
    """Does it beside a job that may be pushing just now: each step is one transaction, and that goes by what it
    finds."""

    async def execute(text: str) -> str:
        name, _, what = text.partition(" ")
        _demand_push(settings, name)
        work = _replay if kind == "replay_pushes" else _drop
        return await work(store, clock, name, what)

    return execute


async def _replay(store: Store, clock: Clock, name: str, since: str) -> str:
    book = store.push_book
    if not since:
        revived = await book.revive(name, clock.now())
        return f"{many(revived, 'dead letter')} of {name} to be pushed again"
    seq = 0 if since == "0" else await book.change_before(_moment(since))
    if not await book.rewind(name, seq):
        raise DecisionRefused(f"{name} has not come that far; what changed since is pushed anyway")
    return f"{name} pushes everything anew that changed behind change {seq:,}"


async def _drop(store: Store, clock: Clock, name: str, what: str) -> str:  # noqa: ARG001 - as _replay
    dropped = await store.push_book.drop(name, None if what == ALL_DEAD else what)
    if not dropped:
        raise DecisionRefused(f"{name} has no such push; `exports show {name}` lists those that are not delivered")
    return f"dropped {many(dropped, 'letter')} of {name}; a record goes out again when it changes"


def _moment(text: str) -> float:
    try:
        return read_moment(text).astimezone(UTC).timestamp()
    except ValueError:
        example = datetime.now(UTC).date()
        raise DecisionRefused(f"{text!r} is no moment; write 0 for everything, or a date such as {example}") from None


def _demand_push(settings: Settings, name: str) -> None:
    export = settings.exports.get(name)
    if export is None or export.kind != "push":
        there = ", ".join(known for known, one in settings.exports.items() if one.kind == "push") or "none"
        raise DecisionRefused(f"there is no export {name!r} of kind push in the configuration; there is: {there}")
