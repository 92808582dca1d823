"""what needs a person, and what to type"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from precoro_daemon.catalogue.rules.write_states import State
from precoro_daemon.errors import AnswersChanged, AuthenticationError, DaemonError
from precoro_daemon.mirror.rules.quarantine import Stage
from precoro_daemon.status.health import silence
from precoro_daemon.values.humanize import amount, many, span

if TYPE_CHECKING:
    from precoro_daemon.catalogue.ports.plans import PlanState
    from precoro_daemon.status.grants import GrantStatus
    from precoro_daemon.status.snapshot import PaymentStatus, Snapshot, Stored

_DOUBT_IS_OLD_S = 86_400.0
"""Seconds after which a payment in doubt is no longer resolved by checking alone."""

_FAILURE_IS_OLD_S = 86_400.0
"""Seconds after which something that is retried needs a person."""

_LEAST_FREE_BYTES = 10_000_000
"""Least bytes free on the disk of the state. With less, the next commits may find no room."""

_FOR_A_PERSON = {
    State.REFUSED: "refused by Precoro",
    State.CONFLICT: "not sent, as Precoro's item changed meanwhile",
    State.DOUBT: "in doubt, and checked again and again",
}

DIRECTIONS = {"to_precoro": "to Precoro", "to_ledger": "to the ledger"}
"""The directions of payments, for people."""

QUARANTINED = {
    Stage.SCAN: "lists that could not be read to their end",
    Stage.RECORD: "rows that cannot be read",
    Stage.DETAIL: "details that could not be fetched",
    Stage.FILE: "attached files that could not be fetched",
    Stage.DEFINITION: "definitions of custom fields that could not be read",
}
"""What is quarantined, by stage."""


@dataclass(frozen=True, slots=True)
class Matter:
    """One thing for a person.

    subject  what it is about: the same as long as it lasts, however its title changes
    """

    subject: str
    title: str
    text: str
    commands: tuple[str, ...] = ()
    weight: Literal["urgent", "soon"] = "soon"


def matters(snapshot: Snapshot) -> list[Matter]:
    """Returns what needs a person, most severe first."""
    found = [*_of_parts(snapshot), *_of_configuration(snapshot), *_of_jobs(snapshot)]
    if snapshot.unreadable:
        found.append(Matter("state", "The state cannot be read", snapshot.unreadable, weight="urgent"))
    if snapshot.stored is not None:
        found += _of_disk(snapshot.stored.free)
        found += _of_skew(snapshot.stored.skew)
        found += _of_payments(snapshot, snapshot.stored.payments)
        found += _of_grant(snapshot, snapshot.stored.grant)
        found += _of_items(snapshot, snapshot.stored.items)
        found += _of_exports(snapshot, snapshot.stored)
        found += _of_quarantine(snapshot, snapshot.stored)
    return sorted(found, key=lambda matter: matter.weight != "urgent")


def how_to_type(found: Sequence[Matter]) -> str:
    """Returns as which user, and beside what, to type the commands; "" if there are none."""
    if not any(matter.commands for matter in found):
        return ""
    return "Run these as the service user; the service can keep running."


def _of_parts(snapshot: Snapshot) -> Iterator[Matter]:
    for part in snapshot.pulse.parts:
        if part.stuck:
            text = (
                f"No sign of life for {silence(part, snapshot.now)}. A service manager that watches starts the"
                " program again; else restart it. Nothing is lost."
            )
            yield Matter(f"stuck {part.name}", f"{part.name} is stuck", text, weight="urgent")


def _of_configuration(snapshot: Snapshot) -> Iterator[Matter]:
    if mistakes := " ".join(snapshot.pulse.refused.split()):
        text = f"The former one stays in use, and the next start would fail. {mistakes}"
        yield Matter(
            "configuration", "The configuration was changed and cannot be used", text, (f"{snapshot.command} check",)
        )


def _of_jobs(snapshot: Snapshot) -> Iterator[Matter]:
    """Yields one matter for each reason, however many jobs it stops."""
    troubles: dict[str, list[tuple[str, DaemonError]]] = {}
    for job in snapshot.pulse.jobs:
        if job.trouble is not None and not isinstance(job.trouble, AnswersChanged):  # which payments are shown with
            troubles.setdefault(str(job.trouble), []).append((job.name, job.trouble))
    for reason, jobs in troubles.items():
        if any(isinstance(trouble, AuthenticationError) for _, trouble in jobs):
            yield _refused_key(snapshot, reason)
        else:
            names = ", ".join(name for name, _ in jobs)
            yield Matter(f"jobs {names}", f"{names}: cannot work at present", _sentence(reason), weight="urgent")
    refused_at = snapshot.stored.refused_at if snapshot.stored else None
    if refused_at is not None and not troubles:
        ago = span(snapshot.now - refused_at)
        yield _refused_key(snapshot, f"Precoro refused the key {ago} ago and has answered nothing since")


def _refused_key(snapshot: Snapshot, reason: str) -> Matter:
    commands = (f"{snapshot.command} check",)
    text = f"{_sentence(reason)} Correct it, and reload a running service (SIGHUP): it goes on where it stopped."
    return Matter("key", "Precoro refuses the key", text, commands, weight="urgent")


def _of_payments(snapshot: Snapshot, payments: PaymentStatus | None) -> Iterator[Matter]:
    if payments is None:
        return
    yield from _to_decide(snapshot, payments)
    if payments.enabled and payments.lacking:
        text = (
            f"{_sentence(payments.lacking)} Payments wait, and none is lost. They go on by themselves once a document"
            " has it again as it was. If it stays so, look for a newer version of this program, or put the field into"
            " accept_changed in [payments]."
        )
        yield Matter("answers", "Payments wait: Precoro's answers changed", text, weight="urgent")
    if payments.unreadable:
        since = (
            f" The oldest is {span(snapshot.now - payments.unreadable_since)} old."
            if payments.unreadable_since
            else ""
        )
        text = f"These payments are skipped until you correct the rows in the ledger; all others continue.{since}"
        commands = (f"{snapshot.command} payments plan", f"{snapshot.command} ledger reread")
        yield Matter(
            "unreadable rows", f"{many(payments.unreadable, 'row')} of the ledger cannot be read", text, commands
        )
    if payments.enabled and payments.stopped:
        remove = f"rm {shlex.quote(payments.kill_switch)}"
        yield Matter(
            "kill switch", "The kill switch is on", f"Payments are held back: {payments.stopped}.", (remove,)
        )
    if payments.enabled and not payments.switch.armed:
        both = (f"{snapshot.command} payments plan", f"{snapshot.command} payments arm")
        yield Matter("armed", "Payments are not armed", f"Payments are held back: {payments.switch.reason}.", both)


def _of_grant(snapshot: Snapshot, grant: GrantStatus | None) -> Iterator[Matter]:
    if grant is None:
        return
    commands = (f"{snapshot.command} ledger login {grant.kind}",)
    left = grant.seconds_left(snapshot.now)
    if left == 0:
        reason = grant.lost or "Nobody has used it for too long"
        text = f"{_sentence(reason)} Payments wait until then, and none is lost."
        yield Matter("grant", f"Log in at {grant.kind} again", text, commands, "urgent")
    elif grant.is_stuck(snapshot.now):
        yield Matter("grant", f"The login at {grant.kind} is not refreshed", _sentence(grant.trouble))
    elif left is not None and grant.is_ending(snapshot.now):
        text = "Nobody has used it for long. A service whose payments are enabled prolongs it; so does a login."
        yield Matter("grant ends", f"The login at {grant.kind} runs out in {span(left)}", text, commands)


def _to_decide(snapshot: Snapshot, payments: PaymentStatus) -> Iterator[Matter]:
    commands = (f"{snapshot.command} payments review",)
    for direction, way in DIRECTIONS.items():
        count, _ = payments.intents.get((direction, "review"), (0, 0.0))
        if count:
            text = "Each says why. Adopt it if the payment already exists there, repost it to send it, or drop it."
            title = f"{many(count, 'payment')} {way} need{'s' if count == 1 else ''} your decision"
            yield Matter(f"review {direction}", title, text, commands, "urgent")
        count, since = payments.intents.get((direction, "doubt"), (0, 0.0))
        if count and snapshot.now - since > _DOUBT_IS_OLD_S:
            text = f"The oldest is {span(snapshot.now - since)} old. They are checked, never sent again blindly."
            yield Matter(f"doubt {direction}", f"{many(count, 'payment')} {way} in doubt", text, commands)


def _of_disk(free: Mapping[str, int]) -> Iterator[Matter]:
    """Yields full disks: a program that cannot store anything cannot report it in the state."""
    room = free.get("state", _LEAST_FREE_BYTES)
    if room < _LEAST_FREE_BYTES:
        text = f"{amount(room)} are free. Nothing is mirrored or sent without room. What was stored before is whole."
        yield Matter("disk", "The disk of the state is full", text, weight="urgent")


def _of_skew(seconds: float) -> Iterator[Matter]:
    if seconds:
        text = (
            f"Every scan of changes reaches back {span(seconds)} further, so nothing is missed; that costs rows. It"
            " stays so. Once the time zone of the key's user and company at Precoro is UTC, change overlap in"
            " [mirror_collections] by a minute: then it is found out anew."
        )
        yield Matter("skew", "Precoro reads times in another time zone", text)


def _of_items(snapshot: Snapshot, plans: Sequence[PlanState]) -> Iterator[Matter]:
    for plan in plans:
        counts = {state: plan.counts[state] for state in _FOR_A_PERSON if plan.counts.get(state)}
        if counts:
            text = f"{', '.join(f'{count:,} {_FOR_A_PERSON[state]}' for state, count in counts.items())}."
            commands = (f"{snapshot.command} items show --supplier {plan.supplier.id}",)
            yield Matter(f"items of {plan.supplier.id}", f"Item changes of {plan.supplier}", text, commands)


def _of_exports(snapshot: Snapshot, stored: Stored) -> Iterator[Matter]:
    """Yields what receivers refuse."""
    for name in stored.gone:
        text = (
            f"It answered 410 Gone. Give [exports.{name}] another url, or go on with the same one. Nothing is lost."
        )
        replay = f"{snapshot.command} exports replay {name}"
        yield Matter(f"export {name}", f"The receiver of export {name} wants no more", text, (replay,), "urgent")
    for name, count in stored.dead_letters.items():
        text = "They are not pushed any more. See what it answers to them; push them again, or drop them."
        commands = (f"{snapshot.command} exports show {name}", f"{snapshot.command} exports replay {name}")
        title = f"{many(count, 'dead letter')} of export {name}"
        yield Matter(f"dead letters {name}", title, text, commands)


def _of_quarantine(snapshot: Snapshot, stored: Stored) -> Iterator[Matter]:
    stages: dict[Stage, dict[str, int]] = {}
    for (collection, stage), count in stored.quarantined_counts.items():
        stages.setdefault(stage, {})[collection] = count
    status = (f"{snapshot.command} status",)
    if refused := stages.pop(Stage.CENSUS, None):
        text = (
            f"{_names(refused)}: far more records are missing than usual, and none was marked as gone. Does the key's"
            " user still have its roles in Precoro? If the records are really gone, raise max_vanished in"
            " [take_census]."
        )
        yield Matter("census", "A census was not believed", text, status, weight="urgent")
    if stages.pop(Stage.FOLDER, None):
        reasons = (one.reason for one in stored.quarantined if one.stage is Stage.FOLDER)
        reason = next(reasons, "The directory cannot be used")
        room = f" {amount(stored.free['files'])} are free." if "files" in stored.free else ""
        yield Matter("files", "No attached file can be kept", f"{reason.removesuffix('.')}.{room}", weight="urgent")
    if counts := stages.pop(Stage.PAYMENT, None):
        yield _unfit_invoices(snapshot, sum(counts.values()))
    for stage, counts in stages.items():
        if stage in QUARANTINED and not heals(stage, stored, snapshot.now):
            stay = stage is Stage.RECORD
            fate = "stay until Precoro sends them otherwise" if stay else "keep failing when tried again"
            text = f"{_names(counts)}. They {fate}; status says why."
            yield Matter(f"quarantined {stage.value}", f"Quarantined: {QUARANTINED[stage]}", text, status)


def _unfit_invoices(snapshot: Snapshot, count: int) -> Matter:
    text = (
        "What Precoro sends of them lacks what payments go by, and other invoices have it; or Precoro answers with an"
        " error, and not to others. status says which. Their payments wait and none is lost; all others go on. Save"
        " the invoice anew in Precoro: it is read again by itself. If it stays so, put the field that it lacks into"
        " accept_changed in [payments], or record its payments by hand and drop them."
    )
    commands = (f"{snapshot.command} status", f"{snapshot.command} payments plan")
    return Matter("unfit invoices", f"Payments wait for {many(count, 'invoice')}", text, commands, weight="urgent")


def heals(stage: Stage, stored: Stored, now: float) -> bool:
    """Returns whether what is quarantined at that stage is retried, and has not failed for long yet."""
    return stage is not Stage.RECORD and not any(
        one.stage is stage and now - one.since > _FAILURE_IS_OLD_S for one in stored.quarantined
    )


def _names(counts: dict[str, int]) -> str:
    return _capital(", ".join(f"{name.replace('_', ' ')} ({count:,})" for name, count in counts.items()))


def _sentence(reason: str) -> str:
    return f"{_capital(reason).removesuffix('.')}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
