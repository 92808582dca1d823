"""the snapshot as JSON for programs: times in Unix seconds"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import orjson

from precoro_daemon.mirror.ports.mirror import Quarantined
from precoro_daemon.status.attention import matters
from precoro_daemon.status.freshness import Freshness
from precoro_daemon.status.reading import FileState
from precoro_daemon.status.snapshot import CollectionStatus, PaymentStatus, Snapshot, Stored


def as_json(snapshot: Snapshot) -> str:
    stored = snapshot.stored
    document = {
        "now": snapshot.now,
        "attention": [asdict(matter) for matter in matters(snapshot)],
        **(_stored(snapshot, stored) if stored else {}),
        "quota": snapshot.quota.left,
        "plan": _plan(snapshot),
        "next_call": {lane.name.lower(): max(snapshot.now, at) for lane, (at, _) in snapshot.quota.opens.items()},
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()


def _stored(snapshot: Snapshot, stored: Stored) -> Mapping[str, Any]:
    return {
        "collections": {one.name: _collection(snapshot, one) for one in stored.collections},
        "files": _files(stored.files),
        "quarantined": [_quarantined(one) for one in stored.quarantined],
        **_payments(stored.payments),
        "grant": asdict(stored.grant) if stored.grant else None,
        "items": [
            {
                "plan": plan.number,
                "supplier": plan.supplier.id,
                "counts": {str(state): count for state, count in plan.counts.items()},
                "seconds_left": snapshot.seconds_left(plan),
            }
            for plan in stored.items
        ],
        "webhooks": asdict(stored.deliveries),
        "shape_changes": [asdict(one) for one in stored.shape_changes],
        "facts": [asdict(one) for one in stored.facts],
        "exports": {
            name: {
                "changes_behind": behind,
                "waiting": stored.waiting_pushes.get(name, 0),
                "dead_letters": stored.dead_letters.get(name, 0),
                "gone": name in stored.gone,
            }
            for name, behind in stored.exports.items()
        },
        "laps": {name: asdict(times) for name, times in stored.laps.items()},
        "disk_free": stored.free,
    }


def _plan(snapshot: Snapshot) -> Mapping[str, Any] | None:
    """Returns how a service spends a day's calls, and how long the missing details of documents take. None without a
    plan.
    """
    if (plan := snapshot.plan) is None:
        return None
    left = snapshot.backfill_time
    return {
        "per_day": plan.granted,
        "lists": plan.lists,
        "documents": plan.documents,
        "backfill": plan.backfill,
        "first_fill": plan.filling,
        "due": snapshot.stored.backlog if snapshot.stored and snapshot.stored.listed else None,
        "seconds_left": left and left.seconds,
        "seconds_left_at_least": left and left.least,
        "seconds_left_at_most": left and left.most,
    }


def _collection(snapshot: Snapshot, one: CollectionStatus) -> Mapping[str, Any]:
    fresh = one.freshness or Freshness()
    next_scan = snapshot.outlook.scans.get(one.name)
    return {
        "records": one.live,
        "vanished": one.vanished,
        "mirrored": one.mirrored,
        "up_to_date_as_of": one.as_of,
        "whole_as_of": one.whole_as_of,
        "details": one.detailed,
        "due": one.due or 0,
        "census_owed": one.census == "owed",
        "hidden_from_key": one.hidden,
        "changes_a_day": fresh.changes,
        "scans_a_day": fresh.scans,
        "mean_delay": fresh.delay,
        "worst_delay": fresh.worst,
        "next_scan": None if next_scan is None else max(snapshot.now, next_scan),
        "open_scans": [{"kind": scan.kind, "next_page": scan.next_page} for scan in one.scans],
    }


def _payments(payments: PaymentStatus | None) -> Mapping[str, Any]:
    if payments is None:
        return {"payments": [], "payments_held_back": [], "ledger": None}
    read = {
        "unreadable": payments.unreadable,
        "unreadable_since": payments.unreadable_since or None,
        "unmatched": payments.unmatched,
    }
    return {
        "payments": [
            {"direction": direction, "state": state, "count": count, "oldest": oldest}
            for (direction, state), (count, oldest) in payments.intents.items()
        ],
        "payments_held_back": payments.held_back,
        "ledger": None if payments.ledger is None else read,
    }


def _files(files: FileState) -> Mapping[str, Any]:
    return {
        "kept": {name: {"files": one.files, "bytes": one.bytes} for name, one in files.stored.items()},
        "due": {"files": files.due.files, "bytes": files.due.bytes},
        "too_large": [
            {"collection": one.collection, "document_id": one.record_id, "attachment_id": one.attachment.id,
             "name": one.attachment.name, "bytes": one.attachment.size}
            for one in files.too_large
        ],
    }  # fmt: skip


def _quarantined(item: Quarantined) -> Mapping[str, Any]:
    fields = ("collection", "key", "stage", "reason", "raw", "attempts", "since", "retry_at")
    return {field: getattr(item, field) for field in fields}
