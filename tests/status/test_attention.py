"""What needs a person, and what to type: each matter once, the most severe first."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from precoro_daemon.errors import AuthenticationError, ConnectionFault
from precoro_daemon.mirror.rules.quarantine import Stage
from precoro_daemon.payments.ports.switch import Switch
from precoro_daemon.status.attention import how_to_type, matters
from precoro_daemon.status.grants import GrantStatus
from precoro_daemon.status.snapshot import PaymentStatus
from tests.status.snapshots import NOW, quiet, troubled

DAY = 86_400


def test_a_configuration_that_was_refused_is_told_until_it_is_mended() -> None:
    snapshot = quiet()
    snapshot.pulse.refused = "config.toml:3: precoro.region: read 'moon'\nconfig.toml:9: watch.listen: read '1'"
    [matter] = matters(snapshot)
    assert matter.title == "The configuration was changed and cannot be used"
    assert "'moon' config.toml:9" in matter.text


def test_of_one_reason_that_many_jobs_share_there_is_one_matter() -> None:
    snapshot = quiet()
    for job in snapshot.pulse.jobs[:5]:
        job.trouble = ConnectionFault("no route to host")
    [matter] = matters(snapshot)
    assert matter.title.startswith("mirror_collections, mark_invoices_paid")
    assert matter.text == "No route to host."


def test_the_most_severe_stand_first() -> None:
    weights = [matter.weight for matter in matters(troubled())]
    assert weights == sorted(weights, key=lambda weight: weight != "urgent")
    assert {"urgent", "soon"} == set(weights)


def test_a_refused_key_is_one_matter_whoever_noticed_it() -> None:
    """The job that was refused, or the state, which another process reads."""
    snapshot = quiet()
    assert snapshot.stored is not None
    snapshot = replace(snapshot, stored=replace(snapshot.stored, refused_at=NOW - 120))
    [matter] = matters(snapshot)
    assert (matter.title, matter.weight) == ("Precoro refuses the key", "urgent")
    mended = "Correct it, and reload a running service (SIGHUP): it goes on where it stopped."
    assert matter.text == f"Precoro refused the key 2 min ago and has answered nothing since. {mended}"
    snapshot.pulse.jobs[0].trouble = AuthenticationError("GET /invoices: Precoro answered 401")
    [matter] = matters(snapshot)
    assert matter.text == f"GET /invoices: Precoro answered 401. {mended}"


@pytest.mark.parametrize(
    ("free", "needed"), [({"state": 0}, True), ({"state": 10**9, "files": 0}, False), ({}, False)]
)
def test_a_full_disk_of_the_state_needs_a_person(free: dict[str, int], needed: bool) -> None:
    snapshot = quiet()
    assert snapshot.stored is not None
    found = matters(replace(snapshot, stored=replace(snapshot.stored, free=free)))
    assert [matter.title for matter in found] == ["The disk of the state is full"] * needed


def test_payments_need_a_person_only_where_a_job_makes_some() -> None:
    snapshot = quiet()
    assert snapshot.stored is not None
    idle = PaymentStatus({}, Switch(armed=False, reason="not yet"), "/stop", "the file is there", enabled=False)
    assert matters(replace(snapshot, stored=replace(snapshot.stored, payments=idle))) == []
    wanted = replace(snapshot, stored=replace(snapshot.stored, payments=replace(idle, enabled=True)))
    assert [matter.text for matter in matters(wanted)] == [
        "Payments are held back: the file is there.",
        "Payments are held back: not yet.",
    ]


def test_who_has_nothing_to_type_is_not_told_how() -> None:
    snapshot = quiet()
    assert how_to_type(matters(snapshot)) == ""
    snapshot.pulse.jobs[0].trouble = ConnectionFault("no route to host")
    assert how_to_type(matters(snapshot)) == ""
    snapshot.pulse.jobs[0].trouble = AuthenticationError("401")
    assert "the service can keep running" in how_to_type(matters(snapshot))


def test_times_that_precoro_reads_in_another_zone_are_told_with_what_to_do() -> None:
    snapshot = quiet()
    assert snapshot.stored is not None
    [matter] = matters(replace(snapshot, stored=replace(snapshot.stored, skew=8 * 3600.0)))
    assert matter.title == "Precoro reads times in another time zone"
    assert "Every scan of changes reaches back 8 h further" in matter.text
    assert "change overlap" in matter.text


LOGIN = ("precoro-daemon ledger login xero",)


@pytest.mark.parametrize(
    ("grant", "title", "weight", "commands"),
    [
        (GrantStatus("xero", ends_at=NOW + 20 * DAY), "", "", ()),
        (GrantStatus("xero", ends_at=NOW + 13 * DAY), "The login at xero runs out in 13 days", "soon", LOGIN),
        (GrantStatus("xero", ends_at=NOW - DAY), "Log in at xero again", "urgent", LOGIN),
        (GrantStatus("xero", lost="invalid_grant"), "Log in at xero again", "urgent", LOGIN),
        (GrantStatus("xero", lost="invalid_grant", trouble="x"), "Log in at xero again", "urgent", LOGIN),
        (GrantStatus("xero", token_until=NOW - 60, trouble="503", ends_at=NOW + 60 * DAY), "", "", ()),
        (
            GrantStatus("xero", token_until=NOW - 7200, trouble="503"),
            "The login at xero is not refreshed",
            "soon",
            (),
        ),
        (GrantStatus("business_central"), "", "", ()),
    ],
)
def test_a_login_needs_a_person_before_it_runs_out(
    grant: GrantStatus, title: str, weight: str, commands: tuple[str, ...]
) -> None:
    snapshot = quiet()
    assert snapshot.stored is not None
    found = matters(replace(snapshot, stored=replace(snapshot.stored, grant=grant)))
    assert [(one.title, one.weight, one.commands) for one in found] == ([(title, weight, commands)] if title else [])


def test_dead_letters_and_a_receiver_that_is_gone_need_a_person() -> None:
    snapshot = quiet()
    assert snapshot.stored is not None
    stored = replace(snapshot.stored, dead_letters={"shop": 2}, gone=["crm"])
    gone, dead = matters(replace(snapshot, stored=stored))
    assert (gone.title, gone.weight) == ("The receiver of export crm wants no more", "urgent")
    assert gone.commands == ("precoro-daemon exports replay crm",)
    assert (dead.title, dead.weight) == ("2 dead letters of export shop", "soon")
    assert dead.commands == ("precoro-daemon exports show shop", "precoro-daemon exports replay shop")


def test_invoices_that_payments_cannot_go_by_are_told_at_once_with_the_way_out() -> None:
    snapshot = quiet()
    assert snapshot.stored is not None
    stored = replace(snapshot.stored, quarantined_counts={("invoices", Stage.PAYMENT): 2})
    [matter] = matters(replace(snapshot, stored=stored))
    assert (matter.title, matter.weight) == ("Payments wait for 2 invoices", "urgent")
    assert "accept_changed" in matter.text
    assert any(command.endswith("payments plan") for command in matter.commands)
