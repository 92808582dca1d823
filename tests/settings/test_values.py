"""What each setting takes, what it refuses, and the sentence it refuses with."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precoro_daemon.errors import ConfigurationError
from precoro_daemon.mirror.rules.collections import COLLECTIONS, DOCUMENTS
from precoro_daemon.mirror.rules.filters import Filter
from precoro_daemon.quota.limits import Lane
from precoro_daemon.settings import Limits
from precoro_daemon.settings.values import read_moment, read_seconds
from tests.settings.conftest import Load, Mistake, Mistakes


@given(st.integers(0, 400), st.integers(0, 30), st.integers(0, 90), st.integers(0, 90))
def test_a_duration_is_the_sum_of_its_parts(days: int, hours: int, minutes: int, seconds: int):
    total = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds()
    parts = [(days, "d"), (hours, "h"), (minutes, "m"), (seconds, "s")]
    text = "".join(f"{count}{unit}" for count, unit in parts if count)
    assert read_seconds(text or "0s") == total
    assert read_seconds(str(int(total))) == read_seconds(int(total)) == total


@pytest.mark.parametrize("value", ["", "5min", "5m30", "30s5m", "-5m", "1.5h", " 5m", "m", "٣m", True, 1.5, [], "0s"])
def test_what_is_no_duration_of_at_least_a_second(value: object, mistake: Mistake):
    shown = {True: "true"}.get(value, f'"{value}"') if isinstance(value, bool | str) else value
    assert mistake(f"[take_census]\nevery = {shown}") == (
        f"config.toml:4: take_census.every: {shown} is not valid; expected a duration from 1s to 366d,"
        ' such as "90s", "5m", "1h30m", "7d", or whole seconds'
    )


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://api.precoro.com", "https://api.precoro.com"),
        ("HTTPS://Proxy.Example:8443/", "https://proxy.example:8443"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost", "http://localhost"),
        ("http://[::1]:80", "http://[::1]:80"),
    ],
)
def test_an_address_in_its_one_spelling(url: str, origin: str, read: Load):
    assert read(precoro=f'[precoro]\nbase_url = "{url}"\n').precoro.origin == origin


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("api.precoro.com", '"api.precoro.com" is not valid; expected an address that begins with https://'),
        ("ftp://api.precoro.com", "begins with https://"),
        ("", "begins with https://"),
        ("https://", "names no host"),
        ("https://a b", "names no host"),
        ("https://höst", "names no host"),
        ("https://host:99999", "is no address"),
        ("https://[::1", "is no address"),
        ("https://host/api", "more than scheme, host and port"),
        ("https://host?", "more than scheme, host and port"),
        ("https://user:hunter2@host", "more than scheme, host and port"),
        ("ftp://user:hunter2@host", "//***@host"),
        ("http://api.precoro.com", "unencrypted"),
        ("http://127.0.0.1.example.com", "unencrypted"),
        ("http://localhost.example.com", "unencrypted"),
    ],
)
def test_what_is_no_address(url: str, reason: str, mistake: Mistake):
    line = mistake(precoro=f'[precoro]\nbase_url = "{url}"\n')
    assert line.startswith("config.toml:2: precoro.base_url: ")
    assert reason in line
    assert "hunter2" not in line


def test_regions(read: Load):
    assert read(precoro='[precoro]\nregion = "US"\n').precoro.origin == "https://api.precoro.us"
    assert read().precoro.origin == "https://api.precoro.com"


@pytest.mark.parametrize(("url", "path"), [("sqlite:///a/b.db", "a/b.db"), ("sqlite:////var/b.db", "/var/b.db")])
def test_where_the_store_is(url: str, path: str, read: Load, file: Path):
    assert read(f'[state]\nurl = "{url}"').state.path == file.parent / path


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql://me@host/db", '"mysql" is not supported; allowed: sqlite:///relative.db or'),
        ("postgresql://me:hunter2@host/db", "has a password in it; put it into a file of its own and name that as"),
        ("postgresql://me@host", '"postgresql://***@host" is not valid; expected '),
        (
            "sqlite://b.db",
            '"sqlite://b.db" is not valid; expected sqlite:///relative.db or sqlite:////absolute.db, a file',
        ),
        ("sqlite:///", "a file"),
        ("sqlite:////var/", "a file"),
        ("sqlite:///:memory:", "a file"),
        ("sqlite:///b.db?mode=ro", "a file"),
        ("precoro.db", "a file"),
    ],
)
def test_what_is_no_store(url: str, reason: str, mistake: Mistake):
    line = mistake(f'[state]\nurl = "{url}"')
    assert line.startswith("config.toml:4: state.url: ")
    assert reason in line
    assert "hunter2" not in line


@pytest.mark.parametrize("value", ['"fast"', "-1", "1.5", "true", "[1]", "{}"])
def test_what_is_no_limit(value: str, mistake: Mistake):
    assert mistake(f"[limits]\nper_second = {value}") == (
        f"config.toml:4: limits.per_second: {value} is not valid; expected a whole number ≥ 0 (0 lifts the limit)"
    )


def test_reserves_are_by_lane(read: Load):
    reserves = read().limits.reserves
    assert list(reserves) == list(Lane)
    assert list(reserves.values()) == [0, 20, 40, 100, 110, 120]


@given(st.integers(1, 5000))
def test_default_reserves_fit_every_day(per_day: int):
    kept = list(Limits(per_day=per_day).reserves.values())
    assert kept == sorted(kept)
    assert kept[-1] < per_day


def test_default_reserves_are_whole_where_the_day_is_unlimited_or_longer(read: Load):
    whole = read().limits.reserves
    assert read("[limits]\nper_day = 0").limits.reserves == whole
    assert read("[limits]\nper_day = 90000").limits.reserves == whole


def test_a_reserve_of_ones_own_beside_the_defaults(read: Load):
    reserve = read("[limits]\nper_day = 300\nreserve.census = 250").limits.reserve
    assert (reserve.files, reserve.census) == (11, 250)


def test_lanes_that_are_not_named_leave_what_the_lane_above_leaves(read: Load):
    assert list(read("[limits]\nreserve.lists = 200").limits.reserves.values()) == [0, 20, 200, 200, 200, 200]


@pytest.mark.parametrize("lane", ["deliveries", "lists", "census"])
def test_a_reserve_above_the_day_is_one_mistake(mistakes: Mistakes, lane: str):
    (told,) = mistakes(f"[limits]\nper_day = 500\n[limits.reserve]\n{lane} = 700\n")
    assert told.startswith(f"config.toml:6: limits.reserve.{lane}: 700 leaves {lane} nothing of 500 calls a day;")


def test_reserves_out_of_order_or_as_large_as_the_day(mistake: Mistake):
    assert mistake("[limits.reserve]\nfiles = 50\n") == (
        "config.toml:4: limits.reserve.files: 50 is less than 100 of details, which comes before it"
    )
    assert mistake("[limits]\nper_day = 100\n[limits.reserve]\ncensus = 100\n") == (
        "config.toml:6: limits.reserve.census: 100 leaves census nothing of 100 calls a day;"
        " allowed: less than per_day (see limits.per_day, config.toml:4)"
    )


@pytest.mark.parametrize("value", ["0.5", "nan", "inf", '"x"', "true"])
def test_time_never_runs_slower_than_real(value: str, mistake: Mistake):
    line = mistake(f"[limits]\ntime_scale = {value}", precoro='[precoro]\nbase_url = "http://localhost"\n')
    assert re.match(r"config.toml:4: limits.time_scale: .+ is not valid; expected ", line)


def test_time_runs_faster_on_this_machine_only(read: Load, mistake: Mistake):
    text = "[limits]\ntime_scale = 60"
    assert read(text, precoro='[precoro]\nbase_url = "http://127.0.0.1:1"\n').limits.time_scale == 60
    assert mistake(text) == (
        "config.toml:4: limits.time_scale: 60 is for rehearsals;"
        " allowed: 1, unless precoro.base_url is on this machine"
    )


def test_a_filter_of_everything(read: Load):
    text = """
    [mirror_collections.filters.invoices]
    status = [2, "partly paid", "Partly_Paid", 77, "12"]
    approved_from = 2026-01-01
    approved_to = "2026-01-31"
    modified_since = 2026-01-01T08:00:00+02:00
    supplier = [7, "8"]
    attached_files_only = true
    """
    assert read(text).mirror_collections.filter_of("invoices") == Filter(
        status=frozenset({2, 4, 77, 12}),
        approved_from=date(2026, 1, 1),
        approved_to=date(2026, 1, 31),
        modified_since=datetime(2026, 1, 1, 6, tzinfo=UTC),
        supplier=frozenset({7, 8}),
        attached_files_only=True,
    )


def test_without_a_filter_everything_is_wanted(read: Load):
    assert read().mirror_collections.filter_of("invoices") == Filter()


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (date(2026, 1, 31), datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T08:00:00", datetime(2026, 1, 31, 8, tzinfo=UTC)),
        ("2026-01-31T08:00:00Z", datetime(2026, 1, 31, 8, tzinfo=UTC)),
        (datetime(2026, 1, 31, 8, tzinfo=timezone(timedelta(hours=-3))), datetime(2026, 1, 31, 11, tzinfo=UTC)),
    ],
)
def test_moments_are_in_utc(value: object, moment: datetime):
    assert read_moment(value) == moment
    assert read_moment(value).tzinfo is UTC


@pytest.mark.parametrize("value", ['"soon"', "20260131", '"0001-01-01T00:00:00+05:00"', "12:00:00", "true"])
def test_what_is_no_moment(value: str, mistake: Mistake):
    line = mistake(f"[mirror_collections.filters.items]\nmodified_since = {value}")
    assert re.match(r"config.toml:4: mirror_collections.filters.items.modified_since: .+ is not valid; ", line)


@pytest.mark.parametrize("value", ['"31.01.2026"', '"2026-02-30"', "2026-01-31T00:00:00", "20260131", '"20260131"'])
def test_what_is_no_date(value: str, mistake: Mistake):
    line = mistake(f"[mirror_collections.filters.invoices]\napproved_from = {value}")
    assert re.match(r"config.toml:4: mirror_collections.filters.invoices.approved_from: .+ is not valid; ", line)
    assert line.endswith("expected a date: 2026-01-31")


def test_filters_that_a_collection_does_not_understand_are_all_named(mistakes: Mistakes):
    text = "[mirror_collections.filters]\ntaxes.status = [2]\nitems = { supplier = [1], status = [2] }\n"
    key = "mirror_collections.filters"
    assert mistakes(text) == [
        f"config.toml:4: {key}.taxes.status: taxes has no such filter; allowed: modified_since",
        f"config.toml:5: {key}.items.status: items has no such filter; allowed: modified_since, supplier",
    ]


def test_days_of_approval_in_their_order(mistake: Mistake):
    text = "[mirror_collections.filters.invoices]\napproved_to = 2025-01-01\napproved_from = 2026-01-01\n"
    assert mistake(text) == (
        "config.toml:4: mirror_collections.filters.invoices.approved_to:"
        " 2025-01-01 is before approved_from, 2026-01-01"
    )


def test_details_of_what_is_mirrored(read: Load, mistake: Mistake):
    assert read().fetch_details.collections == DOCUMENTS
    mirror = '[mirror_collections]\ncollections = ["taxes", "invoices", "taxes"]\n'
    settings = read(mirror)
    assert settings.mirror_collections.collections == ("taxes", "invoices")
    assert settings.fetch_details.collections == ("invoices",)
    assert read(mirror + "[fetch_details]\ncollections = []").fetch_details.collections == ()
    assert mistake(mirror + '[fetch_details]\ncollections = ["suppliers", "invoices"]') == (
        "config.toml:6: fetch_details.collections: not mirrored, so there is nothing to detail: suppliers"
        " (see mirror_collections.collections, config.toml:4)"
    )


def test_names_are_guessed(mistakes: Mistakes):
    lines = mistakes('[mirror_collections]\ncollections = [\n"invoices",\n"invoces"]\n[log]\nlevel = "warn"\n')
    assert lines[0].startswith(
        'config.toml:6: mirror_collections.collections[1]: "invoces" is not valid (did you mean "invoices"?); expected '  # noqa: E501
    )
    assert ", ".join(COLLECTIONS) in lines[0]
    assert lines[1].startswith(
        'config.toml:8: log.level: "warn" is not valid (did you mean "warning"?); expected one of: '
    )


def test_a_mirror_of_nothing_is_a_mistake(mistake: Mistake):
    line = mistake("[mirror_collections]\ncollections = []")
    assert "mirror_collections.collections: [] is not valid; expected a list of: purchase_orders" in line


def test_page_sizes(read: Load, mistake: Mistake):
    assert read("[mirror_collections]\nper_page = 50").mirror_collections.per_page == 50
    assert mistake("[mirror_collections]\nper_page = 150") == (
        "config.toml:4: mirror_collections.per_page: 150 is not valid; expected one of: 10, 20, 50, 100, 200"
    )


def test_a_share_is_no_percentage(mistake: Mistake):
    assert mistake("[take_census]\nmax_vanished = 20") == (
        "config.toml:4: take_census.max_vanished: 20 is not valid; expected a number from 0 to 1"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '[mirror_collections]\nevery = "soon"',
            'mirror_collections.every: "soon" is not valid; expected auto, a duration',
        ),
        (
            "[mirror_collections]\nevery.invoices = 0",
            "mirror_collections.every.invoices: 0 is not valid; expected auto",
        ),
        (
            '[mirror_collections]\nevery.invoises = "5m"',
            '"invoises" is not valid (did you mean "invoices"?); expected one of',
        ),
        (
            '[mirror_collections]\ncollections = ["taxes"]\nevery = { invoices = "5m", users = "1h" }',
            "every.invoices: not mirrored, so there is nothing to scan: invoices, users; allowed: all, or",
        ),
        ("[freshness]\nlist_calls = 0", "freshness.list_calls: 0 is not valid; expected a whole number ≥ 1"),
        ("[freshness]\noldest = 59", "freshness.oldest: 59 is not valid; expected a duration of at least 60s"),
        (
            "[freshness.weights]\ninvoices = 1001",
            "weights.invoices: 1001 is not valid; expected a number from 0 to 1000",
        ),
        (
            "[freshness.weights]\ninvoices = nan",
            "weights.invoices: NaN is not valid; expected a number from 0 to 1000",
        ),
        (
            '[mirror_collections]\ncollections = ["taxes"]\n[freshness.weights]\ntaxes = 2\ninvoices = 3\nusers = 4',
            "freshness.weights.invoices: not mirrored, so there is nothing to weigh: invoices, users; allowed",
        ),
        ("[freshness.weights]\ninvoises = 2", '"invoises" is not valid (did you mean "invoices"?); expected one of'),
    ],
)
def test_wrong_wishes_for_freshness_are_told_in_a_sentence(read: Load, text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(text)
    assert said in str(caught.value)


def test_a_proxy_is_an_address_without_a_password(read: Load, mistake: Mistake) -> None:
    assert read('proxy = "http://proxy.example:3128/"').precoro.proxy == "http://proxy.example:3128"
    assert "which belong in HTTPS_PROXY; allowed: http://host:port" in mistake('proxy = "http://a:b@proxy.example:1"')
    for wrong in ("socks5://proxy.example:1", "proxy.example:1", "http://proxy.example/path"):
        said = mistake(f'proxy = "{wrong}"')
        assert "expected http://host:port" in said
