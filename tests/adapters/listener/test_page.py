"""The page as HTML: what it says, that it is well-formed, and that nothing Precoro's users wrote becomes markup."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from precoro_daemon.adapters.listener.html import join, tag
from precoro_daemon.adapters.listener.page import page
from precoro_daemon.mirror.ports.mirror import Quarantined
from precoro_daemon.mirror.rules.quarantine import Stage
from precoro_daemon.payments.ports.switch import Switch
from precoro_daemon.quota.limits import Lane
from precoro_daemon.status.attention import matters
from precoro_daemon.status.snapshot import Hour, PaymentStatus, Quota, Snapshot
from tests.status.snapshots import HOSTILE, NOW, quiet, troubled

EMPTY = {"meta", "br", "rect", "line"}


class Reader(HTMLParser):
    """Collects what stands there; a tag that is not closed in order fails."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, name: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((name, dict(attrs)))
        if name not in EMPTY:
            self.open.append(name)

    def handle_startendtag(self, name: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((name, dict(attrs)))

    def handle_endtag(self, name: str) -> None:
        assert self.open.pop() == name

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def named(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for one, attributes in self.tags if one == name]


def read(snapshot: Snapshot) -> Reader:
    return Reader(page(snapshot))


@pytest.mark.parametrize(
    "snapshot", [quiet(), troubled(), replace(quiet(), stored=None), replace(quiet(), quota=Quota())]
)
def test_it_is_well_formed_and_can_be_found_ones_way_in(snapshot: Snapshot) -> None:
    seen = read(snapshot)
    names = [name for name, _ in seen.tags]
    assert names.count("main") == names.count("h1") == names.count("header") == names.count("footer") == 1
    ids = [attributes["id"] for _, attributes in seen.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for section in seen.named("section"):
        assert section["aria-labelledby"] in ids
    assert all(attributes.get("scope") in {"row", "col"} for attributes in seen.named("th"))
    assert all(attributes["role"] == "img" and attributes["aria-label"] for attributes in seen.named("svg"))
    assert seen.named("html") == [{"lang": "en"}]


@pytest.mark.parametrize("snapshot", [quiet(), troubled()])
def test_nothing_runs_and_nothing_comes_from_elsewhere(snapshot: Snapshot) -> None:
    seen = read(snapshot)
    assert not {"script", "link", "img", "iframe", "form", "object", "base"} & {name for name, _ in seen.tags}
    for name, attributes in seen.tags:
        assert not {"src", "style", "action"} & attributes.keys(), name
        assert not [key for key in attributes if key.startswith("on")]
    assert [one["href"] for one in seen.named("a")] == ["?reload", "healthz", "readyz", "metrics"]
    assert "url(" not in page(snapshot)
    assert "@import" not in page(snapshot)


def test_all_is_not_well_while_rows_of_the_books_cannot_be_read() -> None:
    calm = quiet()
    assert calm.stored is not None
    fine = PaymentStatus({}, Switch(armed=True), "/stop", ledger="Books")
    told = read(replace(calm, stored=replace(calm.stored, payments=fine))).text
    assert ("All is well" in told, "match no invoice" in told) == (True, False)
    unreadable = replace(fine, unreadable=1, unmatched=3)
    told = read(replace(calm, stored=replace(calm.stored, payments=unreadable))).text
    assert "All is well" not in told
    assert "1 row of the ledger cannot be read" in told
    assert "in the ledger, without a matching payable invoice 3 payments unmatched" in told


def test_who_made_calls_when_is_drawn_below_its_name() -> None:
    calm = quiet()
    assert calm.stored is not None
    hours = [Hour(3600.0 * number, {Lane.LISTS: number % 3, Lane.PAYMENTS: 0}) for number in range(24)]
    seen = read(replace(calm, stored=replace(calm.stored, hours=hours)))
    small = [one["aria-label"] for one in seen.named("svg") if one["class"] == "hours small"]
    assert small == ["Lists: 24 calls, at most 2 in an hour, at 02:00"], "none where no call was made"


def test_how_late_changes_come_is_drawn_and_told_by_collection() -> None:
    seen = read(quiet())
    drawings = [one["aria-label"] for one in seen.named("svg") if one["class"] == "hours"]
    assert drawings[1] == "Mean delay by the hour of the day in which changes were made: at most 13 min at 23:00 UTC"
    assert "purchase orders 160 120 – now" in seen.text, "a list that was read once: no delay is known"
    assert "invoices 80 60 5 min, 50 min in 30 s" in seen.text
    assert "16 lists brought no change in 7 days; scans a day: 1.0." in seen.text
    calm = quiet()
    assert calm.stored is not None
    unknown = [replace(one, freshness=None) for one in calm.stored.collections]
    assert "How late changes come" not in read(replace(calm, stored=replace(calm.stored, collections=unknown))).text


def test_where_no_call_is_limited_nothing_is_said_of_calls_that_nobody_counts() -> None:
    assert "May still spend" in read(quiet()).text
    lifted = replace(quiet().quota, limits={}, left={}, lanes=dict.fromkeys(Lane))
    told = read(replace(quiet(), quota=lifted)).text
    assert ("A day's calls are not limited." in told, "Spent" in told) == (True, False)


def test_what_users_wrote_stays_text() -> None:
    told = page(troubled())
    assert "<script" not in told
    assert "\u202e" not in told
    assert "\x1b" not in told
    assert "</td><script>alert(1)</script> \"quoted\" 'n' &" in read(troubled()).text


@given(st.text(), st.text())
def test_any_text_comes_back_as_text(words: str, value: str) -> None:
    seen = Reader(tag("p", words, title=value))
    plain = {
        ord(sign): None for sign in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c\r\0"
    }
    if words == words.translate(plain) and value == value.translate(plain) and (words + value).isprintable():
        assert "".join(seen.words) == words
        assert seen.named("p")[0]["title"] == value
    assert [name for name, _ in seen.tags] == ["p"]


def test_parts_are_escaped_once() -> None:
    assert join(tag("b", "<", 1234), "&", None, 5) == "<b>&lt;1,234</b>&amp;5"
    assert tag("rect", width=3000, class_="a", x=None) == '<rect width="3000" class="a"/>'


def test_a_quiet_day_in_words() -> None:
    said = read(quiet()).text
    for words in (
        "All is well",
        "Working on: fetch details. Up for 12 days.",
        "1,033 of 3,000 calls left",
        "Census and back-fill 0 0 in 90 min",
        "purchase orders 3 min ago",
        "No webhook waits; the last came 12 min ago.",
        "mirror collections idle 90 s ago in 60 s",
        "fetch details running for 2 min 8 min ago –",
    ):
        assert words in said
    assert "Needs a person" not in said


def test_what_needs_a_person_stands_first_with_what_to_type() -> None:
    told = page(troubled())
    said = read(troubled()).text
    command = "precoro-daemon --config '/etc/precoro daemon/config.toml'"
    stop = "/srv/precoro/payments stop"
    do = "Adopt it if the payment already exists there, repost it to send it, or drop it."
    assert said.index("Needs a person") < said.index("Quota")
    for words in (
        "Needs you",
        "fetch_attachments is stuck No sign of life for 32 min.",
        "Precoro refuses the key GET /invoices: Precoro answered 401",
        f"2 payments to Precoro need your decision Each says why. {do}",
        f"{do} {command} payments review",
        f"The kill switch is on Payments are held back: the kill-switch file {stop} is there. rm '{stop}'",
        f"Payments are held back: the state was restored from a copy. {command} payments plan {command} payments arm",
        "A census was not believed Purchase orders (1): far more records are missing",
        "No attached file can be kept files: no such directory. 1.0 TB are free.",
        f"Invoices (14). They keep failing when tried again; status says why. {command} status",
        f"2 refused by Precoro, 1 not sent, as Precoro's item changed meanwhile. {command} items show --supplier 12",
        "(id 12): 7 of 40; the rest takes about 6 s.",
        "the service can keep running",
        "Back-fill: 62,386 documents to go, at 1,515 calls a day; some lists were not read to their end yet",
        "1,204 attached files (900 MB).",
        "4 webhooks wait; the last came 40 s ago; 9 changes of the last day came without one.",
        "to the ledger: to be sent 7 10 min payments plan",
        "to the ledger: for a person to decide 1 2 min payments review",
        "first listing: 12,400 of 48,000",
        "first listing: 400",
    ):
        assert words in said, words
    assert told.count("<li>") < 40


def test_a_doubt_of_today_waits_and_an_old_one_is_a_matter() -> None:
    snapshot = troubled()
    assert snapshot.stored is not None
    payments = snapshot.stored.payments
    assert payments is not None
    titles = [matter.title for matter in matters(snapshot)]
    assert "1 payment to Precoro in doubt" in titles
    fresh = replace(payments, intents={("to_precoro", "doubt"): (1, NOW - 60)})
    snapshot = replace(snapshot, stored=replace(snapshot.stored, payments=fresh))
    assert "1 payment to Precoro in doubt" not in [matter.title for matter in matters(snapshot)]
    assert "to Precoro: in doubt, and checked 1 60 s payments review" in read(snapshot).text


def test_what_failed_today_is_tried_again_and_is_no_matter_yet() -> None:
    snapshot = quiet()
    assert snapshot.stored is not None
    for since, matter in ((NOW - 3_600, False), (NOW - 90_000, True)):
        failures = [Quarantined("invoices", "1", Stage.DETAIL, "404", None, 1, since, NOW)]
        stored = replace(snapshot.stored, quarantined=failures, quarantined_counts={("invoices", Stage.DETAIL): 1})
        said = read(replace(snapshot, stored=stored)).text
        assert ("Quarantined: details that could not be fetched" in said) == matter
        assert ("Details that could not be fetched, and are tried again: 1." in said) != matter
    unreadable = replace(snapshot.stored, quarantined_counts={("invoices", Stage.RECORD): 1})
    assert "rows that cannot be read" in next(iter(matters(replace(snapshot, stored=unreadable)))).title


def test_long_and_many_failures_are_cut() -> None:
    snapshot = quiet()
    assert snapshot.stored is not None
    failures = [Quarantined("invoices", str(n), Stage.DETAIL, HOSTILE * 50, None, 1, NOW, None) for n in range(20)]
    told = page(replace(snapshot, stored=replace(snapshot.stored, quarantined=failures)))
    assert len(told) < 30_000
