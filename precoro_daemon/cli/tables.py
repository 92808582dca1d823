"""status and estimate as tables for people, and status as JSON for programs"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import orjson
from rich.console import Group, RenderableType
from rich.text import Text

from precoro_daemon.app import Look
from precoro_daemon.catalogue.rules.item_writes import State
from precoro_daemon.cli.sheets import Sheet
from precoro_daemon.files.verify_attachments import Verdict
from precoro_daemon.mirror.ports.mirror import Quarantined
from precoro_daemon.mirror.rules.collections import COLLECTIONS
from precoro_daemon.mirror.rules.cursors import census_due
from precoro_daemon.mirror.rules.estimates import Cost, duration
from precoro_daemon.quota.budget import NO_KEY, Lane, Limits
from precoro_daemon.status.reading import CollectionState, FileState
from precoro_daemon.values.humanize import amount, moment, span

_SHOWN = 10
"""Files that are named one by one."""


def status(look: Look) -> RenderableType:
    """Freshness per collection, what is due, what was set aside, the quota."""
    overview = look.overview
    return Group(
        _collections(look),
        *_files(overview.files),
        *_aside(overview.quarantined),
        *_payments(look),
        *_books(look),
        *_items(look),
        *_webhooks(look),
        *_laps(look),
        *_backfill(look),
        _quota(look),
    )


def _webhooks(look: Look) -> Iterable[RenderableType]:
    counts = look.overview.deliveries
    if counts.last_at is not None:
        words = f"Webhooks: {counts.received:,} came, the last {span(look.now - counts.last_at)} ago"
        words += f"; {counts.waiting:,} wait" if counts.waiting else ""
        missed = f"; {counts.unheard:,} changes of the last day came without one" if counts.unheard else ""
        yield Text(f"{words}{missed}.", style="yellow" if missed else "")
    elif look.webhooks:
        yield Text("Webhooks: none came yet. `precoro-daemon status --webhook-url` shows what to enter in Precoro.")


def _laps(look: Look) -> Iterable[RenderableType]:
    """Of a program that runs as a service; others keep no account of laps."""
    if laps := look.overview.laps:
        well = {name: times for name, times in laps.items() if times.good_at == times.ended_at}
        if well:
            said = ", ".join(f"{name} {span(look.now - times.ended_at)} ago" for name, times in well.items())
            yield Text(f"Last laps: {said}.")
        for name, times in laps.items():
            if name not in well:
                good = "none yet" if times.good_at is None else f"{span(look.now - times.good_at)} ago"
                ago = span(look.now - times.ended_at)
                yield Text(f"{name}: its lap {ago} ago had failures; the last without: {good}.", style="yellow")


def _backfill(look: Look) -> Iterable[RenderableType]:
    """As a service does it, beside its schedules."""
    due = sum(state.due for name, state in look.overview.collections.items() if name in look.with_details)
    if due and look.plan:
        days = span(86_400.0 * look.plan.days(due))
        yield Text(f"Details due: {due:,}; as a service, at {look.plan.backfill:,} calls a day, in about {days}.")


_DIRECTIONS = {"to_precoro": "payments to Precoro", "to_ledger": "payments to the books"}


def _payments(look: Look) -> Iterable[RenderableType]:
    """How many are in which state; a doubt that grows old is a matter for a person."""
    for direction, title in _DIRECTIONS.items():
        states = {state: found for (way, state), found in look.overview.payments.items() if way == direction}
        if states:
            said = ", ".join(f"{count:,} {state}" for state, (count, _) in sorted(states.items()))
            doubt = states.get("doubt")
            since = f"; the oldest doubt is {span(look.now - doubt[1])} old" if doubt else ""
            style = "yellow" if {"doubt", "review", "sending"} & states.keys() else ""
            yield Text(f"{title}: {said}{since}. See `precoro-daemon payments review`.", style=style)


def _books(look: Look) -> Iterable[RenderableType]:
    for reason in look.held_back:
        yield Text(f"Payments are held back: {reason}.", style="yellow")
    if look.unreadable:
        text = f"Rows of the books that cannot be read: {look.unreadable:,}. See `precoro-daemon payments plan`."
        yield Text(text, style="yellow")
    if look.unmatched:
        yield Text(f"Payments in the books that meet no invoice that can be paid: {look.unmatched:,}.")


def _items(look: Look) -> Iterable[RenderableType]:
    """How far each plan is, and how long the rest takes if nothing else is in its way."""
    for plan in look.overview.items:
        counts = ", ".join(f"{count:,} {state}" for state, count in plan.counts.items())
        left = plan.open - plan.counts.get(State.DOUBT, 0)
        when = f"; the rest takes about {span(_time_left(left, look))}" if left else ""
        text = f"items of {plan.supplier}: {counts}{when}. See `precoro-daemon items show`."
        yield Text(text, style="yellow" if {State.DOUBT, State.REFUSED, State.CONFLICT} & plan.counts.keys() else "")


def _time_left(calls: int, look: Look) -> float:
    """Until the next call may go, and from there on."""
    opening = look.account.opening(Lane.DETAILS, NO_KEY, look.now)
    return max(0.0, opening.at - look.now) + _time_for(calls, look.account.limits)


def _time_for(calls: int, limits: Limits) -> float:
    per_day = max(limits.per_day - limits.reserved("day", Lane.DETAILS), 0)
    windows = [(1.0, limits.per_second), (60.0, limits.per_minute), (3600.0, limits.per_hour), (86400.0, per_day)]
    return duration(calls, windows)


def _collections(look: Look) -> Sheet:
    table = _sheet("collection", "records", "gone", "as of", "details", "due", "aside", "census")
    for name in COLLECTIONS:
        if (state := look.overview.collections.get(name)) is None:
            continue
        aside = sum(count for (one, _), count in look.overview.quarantined_counts.items() if one == name)
        detailed = name in look.with_details
        table.add(
            name.replace("_", " "),
            f"{state.wanted:,}",
            _count(state.vanished),
            _freshness(state, look.now),
            f"{state.detailed:,}" if detailed else "",
            _count(state.due) if detailed else "",
            _count(aside),
            _census(state, look),
        )
    return table


def _census(state: CollectionState, look: Look) -> str:
    if state.cursor.unproved:
        return "owed"
    return "due" if census_due(state.cursor, look.census_every, look.now) else ""


def _freshness(state: CollectionState, now: float) -> str:
    if state.cursor.at is not None:
        return f"{span(now - state.cursor.at)} ago"
    for scan in state.scans:
        rows = f" ({scan.rows:,} of {scan.total:,})" if scan.total else ""
        return f"first pass, page {scan.next_page - 1}{rows}"
    return "not yet listed"


def _files(files: FileState) -> Iterable[RenderableType]:
    """How many are kept, what is missing, and each that is too large."""
    kept = sum(one.files for one in files.stored.values())
    if kept or files.due.files or files.too_large:
        words = f"Files: {kept:,} kept ({amount(sum(one.bytes for one in files.stored.values()))})"
        words += f", {files.due.files:,} due ({amount(files.due.bytes)})" if files.due.files else ""
        yield Text(f"{words}.")
    for file in files.too_large[:_SHOWN]:
        yield Text(
            f"left out: {file} is too large ({amount(file.attachment.size or 0)}); see max_bytes", style="yellow"
        )
    if len(files.too_large) > _SHOWN:
        yield Text(f"left out: {len(files.too_large) - _SHOWN:,} more are too large", style="yellow")


def _aside(items: Sequence[Quarantined]) -> Iterable[RenderableType]:
    """What was set aside, newest first: two lines each, as a reason needs the width of the screen."""
    for item in items:
        what = {
            "pass": "the whole list",
            "census": "the census",
            "record": f"a row ({item.key})",
            "detail": f"the detail of id {item.key}",
            "file": f"attached file {item.key}",
            "folder": "all files",
            "definition": f"field {item.key}",
            "withheld": f"field {item.key}",
        }
        again = "when it changes" if item.retry_at is None else f"after {moment(item.retry_at)}"
        where = f"{item.collection.replace('_', ' ')}: {what[item.stage]}"
        times = "once" if item.attempts == 1 else f"{item.attempts} times"
        yield Text(f"set aside: {where}, tried {times} since {moment(item.since)}, again {again}", style="yellow")
        yield Text(f"           {item.reason}\n")


def _quota(look: Look) -> RenderableType:
    left = look.account.left(look.now)
    said = ", ".join(f"{calls:,} this {window}" for window, calls in left.items() if window != "second")
    lines = [Text(f"Calls left: {said}." if said else "No limit is set.")]
    held: dict[str, list[str]] = {}
    for lane in Lane:
        opening = look.account.opening(lane, NO_KEY, look.now)
        if opening.at > look.now and opening.window != "second":
            held.setdefault(f"{moment(opening.at)}, when the {opening.window} opens", []).append(lane.name.lower())
    lines += [Text(f"Next call for {', '.join(lanes)}: {when}.", style="yellow") for when, lanes in held.items()]
    if look.refused_at is not None:
        ago = span(look.now - look.refused_at)
        words = f"Precoro refused the key {ago} ago and has answered nothing since. `precoro-daemon check` says more"
        words += " (stop a running service for it), and so does the log."
        lines.append(Text(words, style="yellow"))
    elif not held:
        lines.append(Text("The next call may go now."))
    return Group(*lines)


def status_as_json(look: Look) -> str:
    """The same for programs: times in Unix seconds."""
    document: dict[str, Any] = {
        "now": look.now,
        "collections": {name: _state(state, look) for name, state in look.overview.collections.items()},
        "files": _file_state(look.overview.files),
        "set_aside": [_item(item) for item in look.overview.quarantined],
        "payments": [
            {"direction": direction, "state": state, "count": count, "oldest": oldest}
            for (direction, state), (count, oldest) in look.overview.payments.items()
        ],
        "payments_held_back": list(look.held_back),
        "books": None if look.books is None else {"misread": look.unreadable, "unmet": look.unmatched},
        "items": [
            {
                "plan": plan.number,
                "supplier": plan.supplier.id,
                "counts": {str(state): count for state, count in plan.counts.items()},
                "seconds_left": _time_left(plan.open, look) if plan.open else 0,
            }
            for plan in look.overview.items
        ],
        "webhooks": asdict(look.overview.deliveries),
        "laps": {name: asdict(times) for name, times in look.overview.laps.items()},
        "quota": look.account.left(look.now),
        "next_call": {
            lane.name.lower(): max(look.now, look.account.opening(lane, NO_KEY, look.now).at) for lane in Lane
        },
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()


def _state(state: CollectionState, look: Look) -> Mapping[str, Any]:
    return {
        "records": state.wanted,
        "vanished": state.vanished,
        "up_to_date_as_of": state.cursor.at,
        "whole_as_of": state.cursor.whole_at,
        "details": state.detailed,
        "due": state.due if state.cursor.collection in look.with_details else 0,
        "census_owed": bool(state.cursor.unproved),
        "open_passes": [{"kind": scan.kind, "next_page": scan.next_page} for scan in state.scans],
    }


def _file_state(files: FileState) -> Mapping[str, Any]:
    return {
        "kept": {name: {"files": one.files, "bytes": one.bytes} for name, one in files.stored.items()},
        "due": {"files": files.due.files, "bytes": files.due.bytes},
        "too_large": [
            {"collection": one.collection, "document_id": one.record_id, "attachment_id": one.attachment.id,
             "name": one.attachment.name, "bytes": one.attachment.size}
            for one in files.too_large
        ],
    }  # fmt: skip


def _item(item: Quarantined) -> Mapping[str, Any]:
    fields = ("collection", "key", "stage", "reason", "raw", "attempts", "since", "retry_at")
    return {field: getattr(item, field) for field in fields}


def estimate(costs: Sequence[Cost], limits: Limits) -> RenderableType:
    """Calls per collection, and how long they take in all."""
    table = _sheet("collection", "records", "list calls", "detail calls")
    for cost in costs:
        table.add(cost.collection.replace("_", " "), f"{cost.rows:,}", _count(cost.pages), _count(cost.details))
    calls = sum(cost.calls for cost in costs)
    per_day = max(limits.per_day - limits.reserved("day", Lane.DETAILS), 0)
    words = f"{calls:,} calls in all: about {span(_time_for(calls, limits))} within the limits"
    if per_day and calls > per_day:
        words += f", as {per_day:,} of {limits.per_day:,} calls a day may go into it"
    return Group(table, Text(f"{words}.", style="bold"))


def verdict(found: Verdict) -> RenderableType:
    """What reading files again brought to light."""
    lines = [Text(f"missing: {one.kept.path} of {one.file}", style="yellow") for one in found.missing]
    lines += [Text(f"damaged: {one.kept.path} of {one.file}", style="yellow") for one in found.damaged]
    lines += [Text(f"stranger: {path}; no document has it, and it was left alone") for path in found.orphans]
    words = f"{found.good.files:,} files are good ({amount(found.good.bytes)})"
    if not found.all_good:
        words += f"; {len(found.missing)} missing and {len(found.damaged)} damaged, which the next run fetches again"
    return Group(*lines, Text(f"{words}.", style="bold"))


def verdict_as_json(found: Verdict) -> str:
    """The same for programs."""
    document = {
        "good": {"files": found.good.files, "bytes": found.good.bytes},
        "missing": [one.kept.path for one in found.missing],
        "damaged": [one.kept.path for one in found.damaged],
        "strangers": found.orphans,
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()


def answer(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> Sheet:
    """What a query gave."""
    table = Sheet(titles)
    for row in rows:
        table.add(*("" if value is None else str(value) for value in row))
    return table


def _count(number: int) -> str:
    return f"{number:,}" if number else ""


def _sheet(first: str, *numbers: str) -> Sheet:
    return Sheet((first, *numbers), right=numbers)
