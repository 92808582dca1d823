"""what needs a person, and what to type"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from precoro_daemon.catalogue.ports import PlanState
from precoro_daemon.catalogue.rules.item_writes import State
from precoro_daemon.errors import AuthenticationError
from precoro_daemon.status.health import silence
from precoro_daemon.status.snapshot import PaymentStock, Snapshot, Stored
from precoro_daemon.values.humanize import amount, span

_OLD_DOUBT = 86_400.0
"""Seconds after which a payment in doubt is no longer settled by looking alone."""

_OLD_FAILURE = 86_400.0
"""Seconds after which something that is tried again by itself is a matter for a person."""

_FOR_A_PERSON = {
    State.REFUSED: "refused by Precoro",
    State.CONFLICT: "not sent, as Precoro's item changed meanwhile",
    State.DOUBT: "in doubt, and looked for",
}

_STUBBORN = "They are tried again, but have failed for long"

_WAYS = {"to_precoro": "to Precoro", "to_ledger": "to the books"}

ASIDE = {
    "pass": "lists that could not be read to their end",
    "record": "rows that cannot be read",
    "detail": "details that could not be fetched",
    "file": "attached files that could not be fetched",
    "definition": "definitions of custom fields that could not be read",
}
"""What stands aside, by its stage."""


@dataclass(frozen=True, slots=True)
class Matter:
    """One thing for a person. `alone`: the commands need the state to themselves, so the program must be stopped."""

    title: str
    text: str
    commands: tuple[str, ...] = ()
    weight: Literal["urgent", "soon"] = "soon"
    alone: bool = False


def matters(snapshot: Snapshot) -> Iterator[Matter]:
    """The gravest first."""
    found = [*_of_jobs(snapshot)]
    if snapshot.unreadable:
        found.append(Matter("The state cannot be read", snapshot.unreadable, weight="urgent"))
    if snapshot.stored is not None:
        found += _of_payments(snapshot, snapshot.stored.payments)
        found += _of_items(snapshot, snapshot.stored.items)
        found += _of_what_stands_aside(snapshot, snapshot.stored)
    yield from sorted(found, key=lambda matter: matter.weight != "urgent")


def _of_jobs(snapshot: Snapshot) -> Iterator[Matter]:
    for part in snapshot.pulse.parts:
        if part.stuck:
            text = (
                f"No sign of life for {silence(part, snapshot.now)}. A service manager that watches starts the"
                " program anew; else restart it. Nothing is lost."
            )
            yield Matter(f"{part.name} is stuck", text, weight="urgent")
    if mistakes := " ".join(snapshot.pulse.refused.split()):
        text = f"The former one stays in use, and the next start would fail. {mistakes}"
        yield Matter("The configuration was changed and cannot be used", text, (f"{snapshot.command} check",))
    troubles: dict[str, list[str]] = {}
    for job in snapshot.pulse.jobs:
        if job.trouble is not None:
            troubles.setdefault(str(job.trouble), []).append(job.name)
            if isinstance(job.trouble, AuthenticationError):
                troubles[str(job.trouble)].insert(0, "")
    for reason, names in troubles.items():
        refused = "" in names
        jobs = ", ".join(name for name in names if name)
        title = "Precoro refuses the key" if refused else f"{jobs}: cannot work at present"
        commands = (f"{snapshot.command} check",) if refused else ()
        text = f"{reason[:1].upper()}{reason[1:].removesuffix('.')}."
        yield Matter(title, text, commands, weight="urgent", alone=refused)


def _of_payments(snapshot: Snapshot, payments: PaymentStock | None) -> Iterator[Matter]:
    if payments is None:
        return
    for direction, way in _WAYS.items():
        count, _ = payments.intents.get((direction, "review"), (0, 0.0))
        if count:
            text = "Each tells why. Adopt what the other side has, repost what it has not, drop what is not wanted."
            commands = (f"{snapshot.command} payments review",)
            yield Matter(f"{_many(count, 'payment')} {way}: a person decides", text, commands, "urgent")
        count, since = payments.intents.get((direction, "doubt"), (0, 0.0))
        if count and snapshot.now - since > _OLD_DOUBT:
            text = f"The oldest is {span(snapshot.now - since)} old. They are looked for, never sent again blindly."
            commands = (f"{snapshot.command} payments review",)
            yield Matter(f"{_many(count, 'payment')} {way} in doubt", text, commands)
    if payments.unreadable:
        text = "They are payments that nobody will see until they are corrected in the books; the others go on."
        commands = (f"{snapshot.command} payments plan",)
        yield Matter(f"{_many(payments.unreadable, 'row')} of the books cannot be read", text, commands)
    if payments.stopped:
        remove = f"rm {shlex.quote(payments.kill_switch)}"
        yield Matter("The kill switch is on", "No payment is sent while its file is there.", (remove,))
    if not payments.switch.armed:
        both = (f"{snapshot.command} payments plan", f"{snapshot.command} payments arm")
        text = f"Payments are planned, none is sent: {payments.switch.reason}."
        yield Matter("Payments are not armed", text, both)


def _of_items(snapshot: Snapshot, plans: Sequence[PlanState]) -> Iterator[Matter]:
    for plan in plans:
        told = {state: plan.counts[state] for state in _FOR_A_PERSON if plan.counts.get(state)}
        if told:
            text = f"{', '.join(f'{count:,} {_FOR_A_PERSON[state]}' for state, count in told.items())}."
            commands = (f"{snapshot.command} items show --supplier {plan.supplier.id}",)
            yield Matter(f"Item changes of {plan.supplier}", text, commands)


def _of_what_stands_aside(snapshot: Snapshot, stored: Stored) -> Iterator[Matter]:
    stages: dict[str, dict[str, int]] = {}
    for (collection, stage), count in stored.quarantined_counts.items():
        stages.setdefault(stage, {})[collection] = count
    look = (f"{snapshot.command} status",)
    if refused := stages.pop("census", None):
        text = (
            f"{_names(refused)}: far more records are missing than usual, and none was marked as gone. Does the key's"
            " user still have its roles in Precoro? If the records are really gone, raise max_vanished in"
            " [take_census]."
        )
        yield Matter("A census was not believed", text, look, weight="urgent")
    if stages.pop("folder", None):
        reason = next((one.reason for one in stored.aside if one.stage == "folder"), "The directory cannot be used")
        room = f" {amount(stored.free['files'])} are free." if "files" in stored.free else ""
        yield Matter("No attached file can be kept", f"{reason.removesuffix('.')}.{room}", weight="urgent")
    for stage, counts in stages.items():
        if stage in ASIDE and not heals(stage, stored, snapshot.now):
            fate = "They are kept until Precoro sends them otherwise" if stage == "record" else _STUBBORN
            text = f"{_names(counts)}. {fate}. This tells why:"
            yield Matter(f"Set aside: {ASIDE[stage]}", text, look)


def heals(stage: str, stored: Stored, now: float) -> bool:
    """What stands aside in that stage is tried again by itself, and has not failed for long yet."""
    return stage != "record" and not any(
        one.stage == stage and now - one.since > _OLD_FAILURE for one in stored.aside
    )


def _names(counts: dict[str, int]) -> str:
    said = ", ".join(f"{name.replace('_', ' ')} ({count:,})" for name, count in counts.items())
    return said[:1].upper() + said[1:]


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
