"""Snapshots of a program on a quiet day, and on one on which everything happens at once."""

from __future__ import annotations

from collections import Counter

from msgspec.structs import replace

from precoro_daemon.catalogue.ports.plans import PlanState
from precoro_daemon.catalogue.rules.suppliers import Supplier
from precoro_daemon.catalogue.rules.write_states import State
from precoro_daemon.errors import AuthenticationError, LedgerMisfit
from precoro_daemon.files.ports.attachment_book import AttachedFile, FileCounts
from precoro_daemon.files.rules.attachments import Attachment
from precoro_daemon.mirror.ports.deliveries import DeliveryCounts
from precoro_daemon.mirror.ports.mirror import Quarantined
from precoro_daemon.mirror.rules.collections import COLLECTIONS
from precoro_daemon.mirror.rules.cursors import Scan
from precoro_daemon.mirror.rules.quarantine import Stage
from precoro_daemon.mirror.rules.shapes import ShapeChange
from precoro_daemon.payments.ports.switch import Switch
from precoro_daemon.quota.budget import Opening
from precoro_daemon.quota.limits import Lane
from precoro_daemon.quota.plan import Demand, plan_quota
from precoro_daemon.runtime.job import LapReport
from precoro_daemon.runtime.job_state import JobStatus
from precoro_daemon.status.freshness import Freshness
from precoro_daemon.status.grants import GrantStatus
from precoro_daemon.status.history import Day
from precoro_daemon.status.pulse import Pulse
from precoro_daemon.status.reading import FileState
from precoro_daemon.status.snapshot import (
    CollectionStatus,
    Hour,
    Live,
    Outlook,
    PaymentStatus,
    Quota,
    Snapshot,
    Stored,
    Tallies,
)

NOW = 1_795_600_000.0
DAY_S = 86_400.0

HOSTILE = "</td><script>alert(1)</script> \"quoted\" 'n' & \u202egnp.exe\u202c \x1b[31m \ud800" + "Ä" * 400

READABLE = HOSTILE.replace("\ud800", "")
"""As hostile as JSON can be that was read."""

JOBS = (
    "mirror_collections", "mark_invoices_paid", "export_payments", "find_attachments", "fetch_details",
    "resolve_custom_fields", "fetch_attachments", "backfill_details", "take_census", "apply_deliveries",
)  # fmt: skip

PLAN = plan_quota(
    {"second": 1, "minute": 60, "hour": 1500, "day": 3000},
    {Lane.DETAILS: 100},
    Demand(bound=25, lists=1200, changes=100),
)

KEPT = {"invoices": FileCounts(8_000, 3_000_000_000), "receipts": FileCounts(120, 300_000_000)}

LARGE = AttachedFile("invoices", 7, 12, Attachment(90, "scan.tiff", 3_000_000_000, "tiff", None))


def quiet() -> Snapshot:
    jobs = [
        JobStatus(name, next_at=NOW + 60 * n, ended_at=NOW - 90 * n, good_at=NOW - 90 * n, laps=40 + n)
        for n, name in enumerate(JOBS, 1)
    ]
    jobs[4].running_since, jobs[4].heard_at, jobs[4].next_at = NOW - 130, NOW - 2, NOW
    lists = [
        CollectionStatus(name, as_of=NOW - 200 - n, live=1_000 * n, vanished=n, freshness=_fresh(n))
        for n, name in enumerate(COLLECTIONS)
    ]
    hours = [
        Hour(NOW // 3600 * 3600 - 3600 * back, {Lane.LISTS: 60, Lane.DETAILS: (back * 37) % 90, None: back % 3})
        for back in reversed(range(24))
    ]
    return Snapshot(
        now=NOW,
        live=Live(
            pulse=Pulse(NOW - 12 * 86_400, jobs),
            tallies=Tallies(
                Counter({("GET", "/invoices", "2xx"): 812, ("GET", "/invoices/{id}", "429"): 3}),
                Counter({("info", "lap_finished"): 99, ("error", "job_blocked"): 2}),
                Counter({204: 31, 404: 2}),
            ),
            up=12 * 86_400,
        ),
        quota=Quota(
            limits={"second": 1, "minute": 60, "hour": 1500, "day": 3000},
            left={"second": 1, "minute": 41, "hour": 1386, "day": 1033},
            lanes=dict(zip(Lane, (1033, 600, 993, 413, 170, 0), strict=True)),
            opens={lane: Opening(NOW + 5_400 if lane == Lane.CENSUS else NOW - 1, "day") for lane in Lane},
        ),
        outlook=Outlook(PLAN, {name: NOW + 90 * n - 60 for n, name in enumerate(COLLECTIONS)}),
        stored=Stored(
            read_at=NOW - 3,
            collections=[replace(lists[0], detailed=990, due=0), *lists[1:]],
            files=FileState(KEPT, FileCounts(0, 0), ()),
            deliveries=DeliveryCounts(0, 31, NOW - 700, 0),
            hours=hours,
            free={"state": 10**11, "files": 10**12},
            delays=[None if hour < 5 else 60.0 * abs(hour - 13) + 200 for hour in range(24)],
            days=[
                Day(
                    NOW // DAY_S * DAY_S - DAY_S * back, 40, (back * 137) % 900, 0, None if back > 9 else 300.0 + back
                )
                for back in reversed(range(14))
            ],
        ),
        webhooks=True,
    )


def _fresh(number: int) -> Freshness:
    """The first nine change; of one of them only before its list was first read."""
    if number > 8:
        return Freshness(0.0, 1.0)
    return Freshness(160.0 / (number + 1), 120.0 / (number + 1), *((290.0 * number, 3_000.0) if number else ()))


def _plan() -> PlanState:
    counts = {State.PLANNED: 7, State.DONE: 30, State.REFUSED: 2, State.CONFLICT: 1}
    supplier = Supplier(12, f"<b>{HOSTILE[:40]}")
    return PlanState(1, supplier, "wanted.csv", 40, NOW, NOW, NOW, NOW, "list", "", counts)


def troubled() -> Snapshot:
    """Names and reasons are as hostile as Precoro's users can make them."""
    calm = quiet()
    assert calm.stored is not None
    jobs = list(calm.pulse.jobs)
    jobs[0].trouble = AuthenticationError("GET /invoices: Precoro answered 401; token, e-mail or region is wrong")
    jobs[1].trouble = LedgerMisfit("the books have no table payments")
    jobs[3].lap = LapReport(failed=[f"attached file {HOSTILE}"])
    jobs[6].running_since, jobs[6].heard_at, jobs[6].stuck = NOW - 9_000, NOW - 1_900, True
    failures = [
        Quarantined("invoices", str(n), Stage.DETAIL, HOSTILE, HOSTILE, n, NOW - 6_600 * n, NOW + 60)
        for n in range(1, 15)
    ]
    stored = replace(
        calm.stored,
        days=[replace(day, failed=number % 3) for number, day in enumerate(calm.stored.days)],
        collections=[
            CollectionStatus(
                "purchase_orders", as_of=NOW - 90_000, live=150_000, vanished=12, detailed=100_000, due=50_000,
                census="owed",
            ),
            CollectionStatus(
                "invoices", scans=[Scan("invoices", "whole", rows=12_400, total=48_000)], live=12_400, due=12_400
            ),
            CollectionStatus("receipts", scans=[Scan("receipts", "whole", rows=400)]),
            *calm.stored.collections[3:],
        ],
        files=FileState(KEPT, FileCounts(1_204, 900_000_000), [LARGE] * 3),
        backlog=62_386,
        quarantined=[
            Quarantined("attachments", "directory", Stage.FOLDER, "files: no such directory", None, 1, NOW, NOW),
            *failures,
        ],
        quarantined_counts={
            ("invoices", Stage.DETAIL): 14, ("purchase_orders", Stage.CENSUS): 1, ("attachments", Stage.FOLDER): 1,
            ("suppliers", Stage.RECORD): 2,
        },
        payments=PaymentStatus(
            {
                ("to_precoro", "review"): (2, NOW - 90_000), ("to_precoro", "doubt"): (1, NOW - 200_000),
                ("to_precoro", "confirmed"): (900, NOW - 9_000_000), ("to_ledger", "planned"): (7, NOW - 600),
                ("to_ledger", "review"): (1, NOW - 100),
            },
            Switch(armed=False, reason="the state was restored from a copy"),
            "/srv/precoro/payments stop",
            "the kill-switch file /srv/precoro/payments stop is there",
            ledger="Books",
            unreadable=2,
            unmatched=40,
        ),
        grant=GrantStatus("xero", "<b>A & B</b>", NOW - 5e6, NOW - 9e5, NOW - 8e5, NOW + 864_000, trouble="503"),
        items=[_plan()],
        shape_changes=[
            ShapeChange("invoices", detail=False, field=READABLE, what="new", said=READABLE, at=NOW - 9e4),
            ShapeChange("payments", detail=False, field="payDate", what="type", said="text", at=NOW - 9e3),
        ],
        exports={"lake": 12, "warehouse": None},
        deliveries=DeliveryCounts(4, 35, NOW - 40, 9),
    )  # fmt: skip
    return replace(
        calm,
        stored=stored,
        company="<b>Ä & Söhne</b>",
        command="precoro-daemon --config '/etc/precoro daemon/config.toml'",
    )
