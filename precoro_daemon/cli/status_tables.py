"""the snapshot as tables and sentences for people; what needs them comes last, above the prompt"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from precoro_daemon.catalogue.rules.write_states import State
from precoro_daemon.cli.fact_tables import facts
from precoro_daemon.cli.lines import Block, Blocks, Sentence
from precoro_daemon.cli.shape_tables import shape_changes
from precoro_daemon.cli.tables import count, sheet, unmatched_words
from precoro_daemon.mirror.rules.quarantine import Stage
from precoro_daemon.status.attention import DIRECTIONS, Matter, how_to_type, matters
from precoro_daemon.status.freshness import of_still_lists
from precoro_daemon.values.humanize import a_day, amount, many, moment, span

if TYPE_CHECKING:
    from precoro_daemon.cli.sheets import Sheet
    from precoro_daemon.mirror.ports.mirror import Quarantined
    from precoro_daemon.status.reading import FileState
    from precoro_daemon.status.snapshot import CollectionStatus, PaymentStatus, Quota, Snapshot, Stored

_LIST_NAME_CHARS, _AS_OF_CHARS = 14, 14
"""The widths of the columns for a list's name and age on a narrow screen. Longer texts are wrapped."""

_FILES_NAMED = 10
"""The number of files that are named one by one."""


def status(snapshot: Snapshot) -> Block:
    """Returns freshness, what is due, what is quarantined, the quota, and what needs a person."""
    stored = snapshot.stored
    return Blocks(*(_stored(snapshot, stored) if stored else ()), *_quota(snapshot), *_attention(snapshot))


def _stored(snapshot: Snapshot, stored: Stored) -> Iterator[Block]:
    yield _collections(stored, snapshot.now)
    yield from _hidden(stored)
    yield from _fresh(snapshot, stored)
    yield from _files(stored.files)
    yield from _quarantined(stored.quarantined)
    if stored.payments is not None:
        yield from _payments(stored.payments, snapshot.now)
    if stored.grant is not None:
        yield Sentence(stored.grant.words, style="yellow" if stored.grant.is_ending(snapshot.now) else "")
    yield from _items(snapshot, stored)
    yield from _webhooks(snapshot, stored)
    yield from _exports(stored)
    yield from shape_changes(stored.shape_changes)
    yield from facts(stored.facts)
    yield from _laps(stored, snapshot.now)
    yield from _backfill(snapshot)


def _collections(stored: Stored, now: float) -> Sheet:
    sparse = ("gone", "details", "due", "failed", "census")
    wraps = {"collection": _LIST_NAME_CHARS, "as of": _AS_OF_CHARS}
    numbers = ("records", "gone", "as of", "details", "due", "failed", "census")
    table = sheet("collection", *numbers, sparse=sparse, wraps=wraps)
    for one in stored.collections:
        failed = sum(number for (name, _), number in stored.quarantined_counts.items() if name == one.name)
        table.add(
            one.name.replace("_", " "),
            f"{one.live:,}",
            count(one.vanished),
            _freshness(one, now),
            "" if one.due is None else f"{one.detailed:,}",
            count(one.due or 0),
            count(failed),
            one.census,
        )
    return table


def _hidden(stored: Stored) -> Iterator[Block]:
    """Yields the lists whose total counts rows that Precoro does not return."""
    for one in stored.mirrored:
        name = one.name.replace("_", " ")
        if one.hidden:
            text = f"{name}: Precoro counts {many(one.hidden, 'row')} that this key may not see; all others are here."
            yield Sentence(text)
        elif one.short and one.census == "owed":
            text = f"{name}: the total counts {one.short:,} more than came. If it stays so, the key may not see them."
            yield Sentence(text)


def _fresh(snapshot: Snapshot, stored: Stored) -> Iterator[Block]:
    """Yields how late changes arrived in the last week. Lists without changes share a line."""
    known = [(one, one.freshness) for one in stored.mirrored if one.freshness is not None]
    table = sheet(
        "last 7 days",
        "changes\na day",
        "scans\na day",
        "mean\ndelay",
        "worst\ndelay",
        "next\nscan",
        sparse=("mean\ndelay", "worst\ndelay"),
    )
    for one, found in known:
        if found.changes:
            table.add(
                one.name.replace("_", " "),
                a_day(found.changes),
                a_day(found.scans),
                "" if found.delay is None else span(found.delay),
                "" if found.worst is None else span(found.worst),
                _next_scan(snapshot, one.name),
            )
    if table.rows:
        yield table
    if words := of_still_lists(found for _, found in known):
        yield Sentence(words)


def _next_scan(snapshot: Snapshot, name: str) -> str:
    if (at := snapshot.outlook.scans.get(name)) is None:
        return "next run"
    return f"in {span(at - snapshot.now)}" if at > snapshot.now else "due"


def _freshness(one: CollectionStatus, now: float) -> str:
    if one.as_of is not None:
        ago = f"{span(now - one.as_of)} ago"
        return ago if one.mirrored else f"{ago}; mirrored no more"
    for scan in one.scans:
        rows = f" ({scan.rows:,} of {scan.total:,})" if scan.total else ""
        return f"first scan, page {scan.next_page - 1}{rows}"
    return "not yet listed"


def _files(files: FileState) -> Iterator[Block]:
    """Yields the number of files kept and missing, and each file that is too large."""
    kept = files.kept
    if kept.files or files.due.files or files.too_large:
        words = f"Files: {kept.files:,} kept ({amount(kept.bytes)})"
        words += f", {files.due.files:,} due ({amount(files.due.bytes)})" if files.due.files else ""
        yield Sentence(f"{words}.")
    for file in files.too_large[:_FILES_NAMED]:
        size = amount(file.attachment.size or 0)
        yield Sentence(f"left out: {file} is too large ({size}); see max_bytes", style="yellow")
    if len(files.too_large) > _FILES_NAMED:
        yield Sentence(f"left out: {len(files.too_large) - _FILES_NAMED:,} more are too large", style="yellow")


def _quarantined(items: Sequence[Quarantined]) -> Iterator[Block]:
    """Yields two lines for each, newest first, because a reason needs the width of the screen."""
    for item in items:
        what = {
            Stage.SCAN: "the whole list",
            Stage.CENSUS: "the census",
            Stage.RECORD: f"a row ({item.key})",
            Stage.DETAIL: f"the detail of id {item.key}",
            Stage.FILE: f"attached file {item.key}",
            Stage.PAYMENT: f"payments of number {item.key}",
            Stage.FOLDER: "all files",
            Stage.DEFINITION: f"field {item.key}",
            Stage.WITHHELD: f"field {item.key}",
        }
        again = "when it changes" if item.retry_at is None else f"after {moment(item.retry_at)}"
        where = f"{item.collection.replace('_', ' ')}: {what[item.stage]}"
        times = "once" if item.attempts == 1 else f"{item.attempts} times"
        yield Sentence(f"quarantined: {where}, tried {times} since {moment(item.since)}, again {again}", style="red")
        yield Sentence(item.reason, indent=4)
        yield Sentence()


def _payments(payments: PaymentStatus, now: float) -> Iterator[Block]:
    """Yields the number of payments in each state, and the age of the oldest doubt."""
    for direction, way in DIRECTIONS.items():
        states = {state: found for (one, state), found in payments.intents.items() if one == direction}
        if states:
            said = ", ".join(f"{number:,} {state}" for state, (number, _) in sorted(states.items()))
            doubt = states.get("doubt")
            since = f"; the oldest doubt is {span(now - doubt[1])} old" if doubt else ""
            style = "yellow" if {"doubt", "review", "sending"} & states.keys() else ""
            hint = " `payments review` lists what was refused." if "rejected" in states else ""
            yield Sentence(f"Payments {way}: {said}{since}.{hint}", style=style)
    if payments.unmatched:
        said = f"{unmatched_words(payments.unmatched)}."
        yield Sentence(f"{said} `payments unmatched` lists them.")


def _items(snapshot: Snapshot, stored: Stored) -> Iterator[Block]:
    """Yields the progress of each plan, and how long the rest takes if nothing else delays it."""
    for plan in stored.items:
        counts = ", ".join(f"{number:,} {state}" for state, number in plan.counts.items())
        left = snapshot.seconds_left(plan)
        when = f"; the rest takes about {span(left)}" if left else ""
        style = "yellow" if {State.DOUBT, State.REFUSED, State.CONFLICT} & plan.counts.keys() else ""
        yield Sentence(f"Items of {plan.supplier}: {counts}{when}.", style=style)


def _webhooks(snapshot: Snapshot, stored: Stored) -> Iterator[Block]:
    counts = stored.deliveries
    if counts.last_at is not None:
        words = f"Webhooks: {counts.received:,} came, the last {span(snapshot.now - counts.last_at)} ago"
        words += f"; {counts.waiting:,} wait" if counts.waiting else ""
        missed = f"; {counts.unheard:,} changes of the last day came without one" if counts.unheard else ""
        yield Sentence(f"{words}{missed}.", style="yellow" if missed else "")
    elif snapshot.webhooks:
        shown = f"`{snapshot.command} status --webhook-url`"
        yield Sentence(f"Webhooks: none came yet. {shown} shows what to enter in Precoro.")


def _exports(stored: Stored) -> Iterator[Block]:
    """Yields the progress of each export."""
    if stored.exports:
        yield Sentence(f"Exports: {'; '.join(_export(stored, name, left) for name, left in stored.exports.items())}.")


def _export(stored: Stored, name: str, left: int | None) -> str:
    behind = {None: "has not begun", 0: "has everything"}.get(left) or f"has {many(left or 0, 'change')} to go"
    waiting, dead = stored.waiting_pushes.get(name, 0), stored.dead_letters.get(name, 0)
    counts = [f"{waiting:,} {'waits' if waiting == 1 else 'wait'} to be pushed again"] if waiting else []
    counts += [many(dead, "dead letter")] if dead else []
    return ", ".join((f"{name} {behind}", *counts))


def _laps(stored: Stored, now: float) -> Iterator[Block]:
    """Yields the last laps of a service. Other runs record no laps."""
    well = {name: times for name, times in stored.laps.items() if times.good_at == times.ended_at}
    if well:
        said = ", ".join(f"{name.replace('_', ' ')} {span(now - times.ended_at)} ago" for name, times in well.items())
        yield Sentence(f"Last laps: {said}.")
    for name, times in stored.laps.items():
        if name not in well:
            good = "none yet" if times.good_at is None else f"{span(now - times.good_at)} ago"
            ago = span(now - times.ended_at)
            yield Sentence(
                f"{name.replace('_', ' ')}: its lap {ago} ago had failures; the last without: {good}.", style="yellow"
            )


def _backfill(snapshot: Snapshot) -> Iterator[Block]:
    """Yields how long a service needs for the backfill beside its scans."""
    if words := snapshot.to_go:
        yield Sentence(words)


def _quota(snapshot: Snapshot) -> Iterator[Block]:
    quota = snapshot.quota
    said = ", ".join(f"{calls:,} this {window}" for window, calls in quota.left.items() if window != "second")
    yield Sentence(f"Calls left: {said}." if said else "No limit is set.")
    held = _held(quota, snapshot.now)
    for when, lanes in held.items():
        yield Sentence(f"Next call for {', '.join(lanes)}: {when}.", style="yellow")
    refused = snapshot.stored is not None and snapshot.stored.refused_at is not None
    if not held and not refused:
        yield Sentence("The next call may go now.")


def _held(quota: Quota, now: float) -> dict[str, list[str]]:
    """Returns the lanes whose next call must wait, by the time when it may leave."""
    held: dict[str, list[str]] = {}
    for lane, (at, window) in quota.opens.items():
        if at > now and window != "second":
            held.setdefault(f"{moment(at)}, when the {window} opens", []).append(lane.name.lower())
    return held


def _attention(snapshot: Snapshot) -> Iterator[Block]:
    found = matters(snapshot)
    if not found:
        return
    yield Sentence("\nNeeds a person", style="bold")
    for matter in found:
        yield from _matter(matter, own=f"{snapshot.command} status")
    if advice := how_to_type(found):
        yield Sentence(f"\n{advice}", style="dim")


def _matter(matter: Matter, own: str) -> Iterator[Block]:
    """Yields a matter and its commands, without `own`, the command that printed it. Commands are not wrapped, so that
    people
    can copy them.
    """
    urgent = matter.weight == "urgent"
    yield Sentence(f"\n{'▲' if urgent else '●'} {matter.title}", style="bold red" if urgent else "bold yellow")
    yield Sentence(matter.text, indent=2)
    for command in matter.commands:
        if command != own:
            yield Sentence(f"    $ {command}", style="cyan", whole=True)
