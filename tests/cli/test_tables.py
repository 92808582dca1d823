"""Status and estimate as tables for people, and status as JSON for programs."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs
from rich.console import Console, RenderableType

from precoro_daemon.cli import status_json, status_tables, tables
from precoro_daemon.files.ports.attachment_book import AttachedFile, FileCounts, Kept, StoredFile
from precoro_daemon.files.rules.attachments import Attachment
from precoro_daemon.files.verify_attachments import Verdict
from precoro_daemon.mirror.ports.mirror import Quarantined
from precoro_daemon.mirror.rules.collections import COLLECTIONS
from precoro_daemon.mirror.rules.cursors import Cursor, Scan
from precoro_daemon.mirror.rules.estimates import Cost, Estimate, Way
from precoro_daemon.mirror.rules.quarantine import Stage
from precoro_daemon.payments.ports.switch import Switch
from precoro_daemon.payments.rules.states import Direction
from precoro_daemon.quota.budget import NO_KEY, Budget
from precoro_daemon.quota.forecast import TimeToGo
from precoro_daemon.quota.limits import Lane, Limits
from precoro_daemon.quota.plan import Demand, plan_quota
from precoro_daemon.quota.watched_hours import WatchedHour
from precoro_daemon.runtime.ports import LapTimes
from precoro_daemon.status.attention import matters
from precoro_daemon.status.reading import CollectionState, FileState, Overview
from precoro_daemon.status.snapshot import Outlook, Snapshot
from precoro_daemon.status.taking import Disks, Scope, describe_state, take_snapshot
from precoro_daemon.values import humanize

NOW = 1_765_875_600.0
DAY = 86_400.0

SCOPE = Scope(
    mirrored=[name for name in COLLECTIONS if name in ("purchase_orders", "invoices", "suppliers", "taxes")],
    detailed={"invoices"},
    census_every=7 * DAY,
    credentials="key",
)
STOPPED = "/stop is there"

FRESH = CollectionState(
    Cursor("invoices", at=NOW - 720, whole_at=NOW - DAY), live=1_300, wanted=1_234, vanished=5, detailed=1_200, due=34
)
FIRST = CollectionState(
    Cursor("purchase_orders"),
    scans=(Scan("purchase_orders", "whole", next_page=3, rows=400, total=9_000),),
    wanted=400,
)
OWED = CollectionState(Cursor("suppliers", at=NOW - 5, unproved=1, unproved_at=NOW), wanted=7)
NEVER = CollectionState(Cursor("taxes"))
STATES = {"taxes": NEVER, "suppliers": OWED, "purchase_orders": FIRST, "invoices": FRESH}

DETAIL = Quarantined(
    "invoices", "77", Stage.DETAIL, "GET /invoices/12: Precoro answered 422", None, 3, NOW - 90, NOW + 3_600
)
ROW = Quarantined("suppliers", "ab12", Stage.RECORD, "its id is missing", '{"name": "A"}', 1, NOW, None)
NO_FILES = FileState({}, FileCounts(0, 0), ())
LARGE = AttachedFile("invoices", 7, 12, Attachment(90, "scan [1].tiff", 3_000_000_000, "tiff", None))
FILES = FileState({"invoices": FileCounts(1_203, 3_400_000_000)}, FileCounts(12, 34_000), (LARGE,))
LIST = Quarantined("taxes", "taxes", Stage.SCAN, "GET /taxes: Precoro answered 403", None, 1, NOW, NOW)


def seen(
    states: Mapping[str, CollectionState] = STATES,
    quarantined: Sequence[Quarantined] = (),
    *,
    limits: Limits | None = None,
    calls: int = 0,
    files: FileState = NO_FILES,
    scope: Scope = SCOPE,
    outlook: Outlook | None = None,
    **more: Any,
) -> Snapshot:
    """What a command shows of a state. more: further fields of the overview."""
    account = Budget(limits or Limits())
    for number in range(calls):
        account.sent(account.charge(NO_KEY, NOW - number / 100), NOW - number / 100)
    counts = {(item.collection, item.stage): 1 for item in quarantined}
    overview = Overview(states, quarantined, counts, (), {}, files, **more)
    stored = describe_state(scope, overview, Disks({}, STOPPED), NOW)
    return take_snapshot(scope, account, NOW, stored, outlook=outlook)


def text(shown: RenderableType, width: int = 120) -> str:
    console = Console(record=True, file=io.StringIO(), width=width)
    console.print(shown, crop=False)
    return console.export_text()


def line(shown: str, title: str) -> str:
    (found,) = [one for one in shown.splitlines() if one.strip().startswith(title)]
    return " ".join(found.split()).removeprefix(title).strip()


def test_status_tells_freshness_in_the_order_of_the_collections() -> None:
    shown = text(status_tables.status(seen()))
    assert line(shown, "invoices") == "1,234 5 12 min ago 1,200 34"
    assert line(shown, "purchase orders") == "400 first scan, page 2 (400 of 9,000)"
    assert line(shown, "suppliers") == "7 5 s ago owed"
    assert line(shown, "taxes") == "0 not yet listed"
    places = [shown.index(name) for name in ("purchase orders", "invoices", "suppliers", "taxes")]
    assert places == sorted(places)


@pytest.mark.parametrize("width", [24, 40, 60, 80, 120])
def test_no_count_is_cut_however_narrow_the_screen(width: int) -> None:
    large = structs.replace(FRESH, wanted=1_234_567, detailed=1_200_000, due=34_567, vanished=5_432)
    told = text(status_tables.status(seen(STATES | {"invoices": large})), width)
    assert max(map(len, told.splitlines())) <= width
    words = re.sub(r"\s", "", told)
    for part in ("1,234,567", "1,200,000", "34,567", "5,432", "12minago", "page2(400of9,000)", "owed"):
        assert part in words, part
    told = text(tables.estimate(ESTIMATE), width)
    assert [part for part in ("4,500", "23", "320") if part not in told] == []


WATCHED = [
    WatchedHour("invoices", int(NOW - 8 * DAY), 3600, changes=900, scans=9, delayed=900, delay=9e6, worst=90_000),
    WatchedHour("invoices", int(NOW - 2 * DAY), 3600, changes=3, scans=30, delayed=2, delay=400, worst=350),
    WatchedHour("invoices", int(NOW - DAY), 32_400, changes=0, scans=10),
    WatchedHour("suppliers", int(NOW - 2 * DAY), 36_000, scans=1),
    WatchedHour("purchase_orders", int(NOW - DAY), DAY, changes=7, scans=0),
]


def test_status_tells_how_late_changes_came_in_the_last_week() -> None:
    outlook = Outlook(scans={"invoices": NOW + 120, "purchase_orders": NOW - 5})
    snapshot = seen(watched=WATCHED, outlook=outlook)
    shown = text(status_tables.status(snapshot)).split("last 7 days")[1]
    assert line(shown, "invoices") == "7.2 20 3 min 6 min in 2 min"
    assert line(shown, "purchase orders") == "7.0 0 due"
    assert "1 list brought no change in 7 days; scans a day: 0.5." in shown
    told = json.loads(status_json.as_json(snapshot))["collections"]
    assert (told["invoices"]["changes_a_day"], told["invoices"]["scans_a_day"]) == (7.2, 20.0)
    assert (told["invoices"]["mean_delay"], told["invoices"]["worst_delay"]) == (200, 350)
    assert (told["invoices"]["next_scan"], told["purchase_orders"]["next_scan"]) == (NOW + 120, NOW)
    shown = text(status_tables.status(seen(watched=WATCHED)))
    assert line(shown.split("last 7 days")[1], "invoices") == "7.2 20 3 min 6 min next run"
    assert "last 7 days" not in text(status_tables.status(seen()))


FILL = plan_quota({"day": 3000.0, "hour": 1500.0}, {}, Demand(bound=25, lists=1200, changes=72, backlog=6_000))
LISTED = {"invoices": FRESH, **dict.fromkeys(("purchase_orders", "suppliers", "taxes"), OWED)}


def test_status_tells_how_much_of_a_first_fill_is_to_go_and_when_it_is_done() -> None:
    assert FILL is not None
    spent = [(NOW - 3600.0, Lane.CENSUS)] * 2_000
    snapshot = seen(LISTED, backlog=5_300, lanes=spent, outlook=Outlook(FILL))
    left = 2 * DAY
    assert snapshot.backfill_time == FILL.time_for(5_300, [3600.0] * 2_000) == (left, left, left)
    shown = text(status_tables.status(snapshot))
    assert "First fill: 5,300 documents to go, at 2,650 calls a day as a service; done in about 2 days" in shown
    told = json.loads(status_json.as_json(snapshot))["plan"]
    assert (told["first_fill"], told["due"], told["seconds_left"], told["backfill"]) == (True, 5_300, left, 2_650)
    served = seen(LISTED, backlog=1, outlook=Outlook(replace(FILL, filling=False), {"invoices": NOW}))
    assert "Back-fill: 1 document to go, at 2,650 calls a day; done in about 0 s" in text(
        status_tables.status(served)
    )


def test_as_long_as_nobody_knows_what_a_day_brings_status_tells_a_range() -> None:
    demand = Demand(bound=25, lists=1200, changes=72, backlog=6_000)
    at_first = replace(
        demand, unknown=1.0, ebbing=[part / 24 for part in range(23, -1, -1)], usual=60, seen=0.0, unsure=True
    )
    plan = plan_quota({"day": 3000.0, "hour": 1500.0}, {}, at_first)
    assert plan is not None
    snapshot = seen(LISTED, backlog=7_000, outlook=Outlook(plan))
    time = snapshot.backfill_time
    assert time is not None
    assert 2 * DAY < time.least <= time.seconds < time.most - DAY / 2
    shown = " ".join(text(status_tables.status(snapshot)).split())
    until = " to ".join(humanize.moment(NOW + each) for each in (time.least, time.most))
    assert f"calls a day as a service; done in 2 to 4.5 days ({until})." in shown
    told = json.loads(status_json.as_json(snapshot))["plan"]
    assert [told[f"seconds_left{which}"] for which in ("", "_at_least", "_at_most")] == list(time)


def test_before_every_list_was_read_nobody_knows_when_the_fill_is_done() -> None:
    snapshot = seen(backlog=34, outlook=Outlook(FILL))
    shown = " ".join(text(status_tables.status(snapshot)).split())
    assert "First fill: 34 documents to go, at 2,650 calls a day as a service; some lists were not read" in shown
    told = json.loads(status_json.as_json(snapshot))["plan"]
    assert (told["due"], told["seconds_left"]) == (None, None)
    assert json.loads(status_json.as_json(seen()))["plan"] is None


def test_status_tells_which_laps_had_failures_and_since_when() -> None:
    laps = {
        "mirror_collections": LapTimes(NOW - 130, NOW - 120, NOW - 120),
        "fetch_details": LapTimes(NOW - 70, NOW - 60, NOW - 3_600),
        "export_payments": LapTimes(NOW - 70, NOW - 60, None),
    }
    shown = text(status_tables.status(seen(laps=laps)))
    assert "Last laps: mirror collections 2 min ago." in shown
    assert "fetch details: its lap 60 s ago had failures; the last without: 60 min ago." in shown
    assert "export payments: its lap 60 s ago had failures; the last without: none yet." in shown


def test_status_tells_that_the_key_is_refused_and_promises_no_call() -> None:
    shown = text(status_tables.status(seen(refusals={"key": NOW - 120, "another": NOW})))
    assert "Precoro refused the key 2 min ago" in shown
    assert "the service can keep running" in " ".join(shown.split()), "`check` has the service make the call"
    assert "may go now" not in shown
    assert "The next call may go now." in text(status_tables.status(seen()))


def test_status_tells_why_no_payment_is_sent_and_what_cannot_be_read() -> None:
    more: dict[str, Any] = {
        "switch": Switch(armed=False, reason="disarmed by root: audit"),
        "unreadable": {"Books": 3, "other": 9},
        "unreadable_since": {"Books": 5.0},
        "unmatched": {"Books": 1_200},
    }
    quiet = seen(**more)
    busy = seen(scope=structs.replace(SCOPE, ledger="Books", pays=list(Direction)), **more)
    shown = text(status_tables.status(busy))
    assert "Payments are held back: disarmed by root: audit." in shown
    assert "Payments are held back: /stop is there." in shown
    assert "3 rows of the ledger cannot be read" in shown
    assert "1,200 payments in the ledger have no matching payable invoice." in shown
    told = json.loads(status_json.as_json(busy))
    assert told["payments_held_back"] == ["disarmed by root: audit", "/stop is there"]
    assert told["ledger"] == {"unreadable": 3, "unreadable_since": 5.0, "unmatched": 1_200}
    assert "books" not in text(status_tables.status(quiet))
    assert json.loads(status_json.as_json(quiet))["ledger"] is None


def test_what_needs_a_person_stands_last_with_what_to_type() -> None:
    command = "precoro-daemon --config '/etc/precoro daemon/config.toml'"
    scope = structs.replace(SCOPE, ledger="Books", pays=list(Direction), kill_switch="/stop", command=command)
    more: dict[str, Any] = {
        "switch": Switch(armed=False, reason="the state was restored from a copy"),
        "payments": {("to_precoro", "review"): (2, NOW - DAY), ("to_ledger", "doubt"): (1, NOW - 2 * DAY)},
        "refusals": {"key": NOW - 60},
    }
    troubled = seen(quarantined=[ROW, DETAIL], scope=scope, **more)
    shown = text(status_tables.status(troubled))
    last = "\n".join(one.rstrip() for one in shown.split("Needs a person\n")[1].splitlines())
    for words in (
        "▲ Precoro refuses the key\n  Precoro refused the key 60 s ago and has answered nothing since. Correct",
        f"  $ {command} check\n",
        "▲ 2 payments to Precoro need your decision\n  Each says why. Adopt",
        "● 1 payment to the ledger in doubt\n  The oldest is 2 days old. They are checked, never sent again blindly.",
        "● The kill switch is on\n  Payments are held back: /stop is there.\n    $ rm /stop\n",
        "● Payments are not armed\n  Payments are held back: the state was restored from a copy.\n",
        f"  $ {command} payments plan\n    $ {command} payments arm\n",
        "● Quarantined: rows that cannot be read\n  Suppliers (1). They stay until Precoro sends them otherwise;",
        "Run these as the service user; the service can keep running.",
    ):
        assert words in last, words
    assert f"$ {command} status" not in shown, "it has just been typed"
    narrow = text(status_tables.status(troubled), 40)
    assert f"    $ {command} payments review\n" in narrow, "what is to be copied is not wrapped"
    told = json.loads(status_json.as_json(troubled))["attention"]
    assert [matter["title"] for matter in told] == [matter.title for matter in matters(troubled)]
    assert (told[0]["weight"], told[0]["commands"]) == ("urgent", [f"{command} check"])


def test_where_all_is_well_nobody_is_needed() -> None:
    assert "Needs a person" not in text(status_tables.status(seen()))
    assert json.loads(status_json.as_json(seen()))["attention"] == []


def test_payments_that_no_job_makes_are_not_held_back_and_need_nobody() -> None:
    idle = seen(scope=structs.replace(SCOPE, ledger="Books"))
    assert matters(idle) == []
    assert json.loads(status_json.as_json(idle))["payments_held_back"] == []


def test_what_is_mirrored_no_more_is_shown_for_as_long_as_the_state_holds_it() -> None:
    scope = structs.replace(SCOPE, mirrored=["suppliers", "receipts"])
    shown = text(status_tables.status(seen(scope=scope)))
    assert line(shown, "suppliers") == "7 5 s ago owed"
    assert line(shown, "receipts") == "0 not yet listed"
    assert line(shown, "invoices") == "1,234 5 12 min ago; mirrored no more 1,200 34"


def test_an_old_census_is_due() -> None:
    old = CollectionState(Cursor("suppliers", at=NOW, whole_at=NOW - 8 * DAY))
    assert line(text(status_tables.status(seen({"suppliers": old}))), "suppliers").endswith("due")


def test_status_tells_what_is_quarantined() -> None:
    field = Quarantined(
        "item_custom_fields", "53", Stage.WITHHELD, "Precoro answered 403", None, 1, NOW, NOW + 7 * DAY
    )
    broken = Quarantined("item_custom_fields", "54", Stage.DEFINITION, "Precoro answered 500", None, 2, NOW, NOW)
    shown = text(status_tables.status(seen(quarantined=[DETAIL, ROW, LIST, field, broken])), width=200)
    assert "item custom fields: field 53, tried once" in shown
    assert "item custom fields: field 54, tried 2 times" in shown
    assert "detail of id 77" in shown
    assert "after 2025-12-16 10:00 UTC" in shown
    assert "GET /invoices/12: Precoro answered 422" in shown
    assert "a row (ab12)" in shown
    assert "when it changes" in shown
    assert "the whole list" in shown
    assert "quarantined" not in text(status_tables.status(seen()))


def test_a_reason_is_never_read_as_markup() -> None:
    item = Quarantined("taxes", "taxes", Stage.SCAN, "GET /taxes?status[]=2 [/bold]", None, 1, NOW, NOW)
    assert "status[]=2 [/bold]" in text(status_tables.status(seen(quarantined=[item])), width=200)


def test_status_tells_the_quota_that_is_left() -> None:
    shown = text(status_tables.status(seen(calls=10)))
    assert "Calls left: 50 this minute, 1,490 this hour, 2,990 this day." in shown
    assert "The next call may go now." in shown
    assert "No limit is set." in text(status_tables.status(seen(limits=Limits(0, 0, 0, 0, 0, 0))))


def test_a_spent_day_is_told_by_lane() -> None:
    limits = Limits(per_second=0, per_minute=0, per_hour=0, per_day=10, reserve={Lane.CENSUS: 5})
    shown = " ".join(text(status_tables.status(seen(limits=limits, calls=6))).split())
    assert "Next call for census: 2025-12-17 09:00 UTC, when the day opens." in shown
    assert "may go now" not in shown


def test_status_as_json_tells_the_same() -> None:
    told = json.loads(status_json.as_json(seen(quarantined=[DETAIL], calls=10)))
    assert told["collections"]["invoices"] == {
        "records": 1_234,
        "vanished": 5,
        "mirrored": True,
        "up_to_date_as_of": NOW - 720,
        "whole_as_of": NOW - DAY,
        "details": 1_200,
        "due": 34,
        "census_owed": False,
        "hidden_from_key": 0,
        "changes_a_day": 0.0,
        "scans_a_day": 0.0,
        "mean_delay": None,
        "worst_delay": None,
        "next_scan": None,
        "open_scans": [],
    }
    assert told["collections"]["suppliers"]["census_owed"]
    assert told["collections"]["purchase_orders"]["open_scans"] == [{"kind": "whole", "next_page": 3}]
    assert told["quarantined"][0]["key"] == "77"
    assert told["quota"]["day"] == 2_990
    assert set(told["next_call"]) == {lane.name.lower() for lane in Lane}


COSTS = [Cost("invoices", 4_500, 23, 4_500), Cost("suppliers", 320, 2, 0)]


ESTIMATE = Estimate(COSTS, 4_845, Way(TimeToGo.exactly(1.9 * DAY), 2_610), Way(TimeToGo.exactly(1.7 * DAY), 2_855))


def test_an_estimate_tells_calls_and_days() -> None:
    shown = text(tables.estimate(ESTIMATE))
    assert line(shown, "invoices") == "4,500 23 4,500"
    assert line(shown, "suppliers") == "320 2"
    assert "4,845 calls in all." in shown
    assert "As a service: about 1 day 21 h, at 2,610 calls a day; lists are scanned meanwhile." in shown
    assert "With --once once a day: about 1 day 16 h, at 2,855 calls a day." in shown


def test_an_estimate_of_what_nobody_knows_yet_is_a_range() -> None:
    found = replace(ESTIMATE, service=Way(TimeToGo(2.3 * DAY, 2.1 * DAY, 3.3 * DAY), 2_610))
    assert "As a service: 2 to 3.5 days, at 2,610 calls a day" in text(tables.estimate(found))
    told = json.loads(tables.estimate_as_json(found, []))["service"]
    assert [told[f"seconds{which}"] / DAY for which in ("", "_at_least", "_at_most")] == [2.3, 2.1, 3.3]


@pytest.mark.parametrize("per_day", [2_610, 0])
def test_what_fits_into_a_day_takes_the_same_either_way(per_day: int) -> None:
    way = Way(TimeToGo.exactly(321), per_day)
    small = Estimate(COSTS[1:], 322, way, way)
    assert "322 calls in all: about 5 min within the limits." in text(tables.estimate(small))


def test_an_answer_shows_nothing_for_null() -> None:
    shown = text(tables.answer(["idn", "sum"], [(7, "10.10"), (8, None)]))
    assert line(shown, "7") == "10.10"
    assert line(shown, "8") == ""


def test_status_tells_of_files_only_where_there_are_some() -> None:
    assert "Files" not in text(status_tables.status(seen()))
    shown = text(status_tables.status(seen(files=FILES)))
    assert "Files: 1,203 kept (3.4 GB), 12 due (34.0 KB)." in shown
    assert "left out: invoices 12, attachment 90 (scan [1].tiff) is too large (3.0 GB); see max_bytes" in shown


def test_status_as_json_tells_of_files_too() -> None:
    told = json.loads(status_json.as_json(seen(files=FILES)))["files"]
    assert told["kept"] == {"invoices": {"files": 1_203, "bytes": 3_400_000_000}}
    assert told["due"] == {"files": 12, "bytes": 34_000}
    assert told["too_large"][0]["attachment_id"] == 90


STORED = StoredFile(3, LARGE, Kept("invoices/12/90__scan.tiff", 5, b"\1" * 32), NOW)


def test_a_verdict_names_what_is_wrong_and_what_nobody_has() -> None:
    good = Verdict(good=FileCounts(4, 1_500))
    assert text(tables.verdict(good)).strip() == "4 files are good (1.5 KB)."
    bad = Verdict(FileCounts(4, 1_500), damaged=[STORED], missing=[STORED], orphans=["mine.txt"])
    shown = text(tables.verdict(bad))
    assert "damaged: invoices/12/90__scan.tiff of invoices 12, attachment 90" in shown
    assert "missing: invoices/12/90__scan.tiff" in shown
    assert "orphan: mine.txt; no document has it, and it was left alone" in shown
    assert "1 missing and 1 damaged, which the next run fetches again." in shown
    told = json.loads(tables.verdict_as_json(bad))
    assert (told["damaged"], told["orphans"]) == (["invoices/12/90__scan.tiff"], ["mine.txt"])


def test_a_total_that_counts_more_rows_than_come_is_told() -> None:
    hidden = CollectionState(Cursor("invoices", at=NOW - 5, short=3, hidden=3), wanted=7)
    owed = CollectionState(Cursor("suppliers", at=NOW - 5, unproved=1, unproved_at=NOW, short=2), wanted=7)
    told = " ".join(text(status_tables.status(seen({"invoices": hidden, "suppliers": owed}))).split())
    assert "invoices: Precoro counts 3 rows that this key may not see; all others are here." in told
    assert "suppliers: the total counts 2 more than came. If it stays so, the key may not see them." in told
