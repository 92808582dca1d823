"""Many companies in one real process: each for itself, whatever befalls the others."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import anyio.to_thread
import pytest
from structlog.testing import capture_logs

from precoro_daemon.app.company_files import read_companies
from precoro_daemon.app.fleet import FleetHost, serve_fleet
from precoro_daemon.runtime.ports import Unsupervised
from tests.system.companies import SECRETS, companies
from tests.system.program import finish

pytestmark = pytest.mark.asyncio


async def test_each_company_is_served_for_itself(tmp_path: Path) -> None:
    """A bad file, a state that another process holds, webhooks, status, kill -9, and the next start."""
    async with companies(tmp_path, "acme", "bolt", "held", "oops") as (fleet, _):
        fleet.write("acme")
        fleet.write("bolt")
        bad = fleet.write("oops", limits={"per_day": -1})
        fleet.write("held")
        holder = os.open(f"{fleet.state('held')}.lock", os.O_RDWR | os.O_CREAT)
        fcntl.flock(holder, fcntl.LOCK_EX)
        async with fleet.running() as process:
            await fleet.until("acme", "SELECT count(*) FROM details")
            await fleet.until("bolt", "SELECT count(*) FROM details")
            page = await fleet.shows(
                "/", "acme", "bolt", f"{bad}:", "limits.per_day", "is held by", "2 of 4 companies"
            )
            assert 'href="companies/acme/"' in page
            assert "<h1>acme</h1>" in await fleet.asked("/companies/acme/")
            assert "404" in await fleet.asked("/companies/oops/")
            metrics = await fleet.asked("/metrics")
            assert 'precoro_daemon_company_served{company="acme"} 1.0' in metrics
            assert 'precoro_daemon_company_served{company="oops"} 0.0' in metrics
            assert 'precoro_daemon_records{collection="invoices",company="bolt"} 4.0' in metrics
            assert '"healthy": true' in await fleet.asked("/healthz")
            told = await fleet.asked(f"/{SECRETS['bolt']}", "hooks", "POST", b'{"id": 1, "type": 0}')
            assert " 204 " in told.splitlines()[0] or " 202 " in told.splitlines()[0], told
            assert " 404 " in (await fleet.asked("/nobody", "hooks", "POST", b"{}")).splitlines()[0]
            answers = await fleet.asked("/metrics")
            assert 'precoro_daemon_delivery_answers_total{company="bolt"' in answers
            assert 'precoro_daemon_delivery_answers_total{company="acme"' not in answers
            process.kill()
            await process.wait()
        os.close(holder)
        async with fleet.running() as process:
            await fleet.until("held", "SELECT count(*) FROM details")
            shown = await fleet.typed("fleet", "status", "--companies", str(fleet.files))
            process.send_signal(signal.SIGTERM)
            done = await finish(process)
    assert (done.code, done.stderr) == (0, "")
    assert max(map(len, shown.stdout.splitlines())) <= 80 + len(str(tmp_path)), shown.stdout
    assert [line.split()[:2] for line in shown.stdout.splitlines() if " served" in line] == [
        ["acme", "served"],
        ["bolt", "served"],
        ["held", "served"],
    ]
    assert f"{bad}:" in shown.stdout
    started = {line["company"] for line in done.only("company_started")}
    assert started == {"acme", "bolt", "held"}
    assert all("company" in line for line in done.only("lap_finished"))
    assert {line["company"] for line in done.only("company_ended")} == started
    [refused] = done.only("company_refused")
    assert (refused["company"], refused["reason"].startswith(f"{bad}:")) == ("oops", True)


async def test_a_reload_touches_those_alone_whose_files_changed(tmp_path: Path) -> None:
    async with companies(tmp_path, "acme", "bolt", "coal") as (fleet, sandboxes):
        fleet.write("acme")
        fleet.write("bolt")
        async with fleet.running() as process:
            await fleet.until("acme", "SELECT count(*) FROM details")
            await fleet.until("bolt", "SELECT count(*) FROM details")
            await anyio.sleep(0.5)
            calls = sandboxes["acme"].journal.total
            fleet.write("coal")
            fleet.write("bolt", mirror_collections={"collections": ["invoices", "suppliers"]})
            process.send_signal(signal.SIGHUP)
            await fleet.until("coal", "SELECT count(*) FROM details")
            await fleet.until("bolt", "SELECT count(*) FROM records WHERE collection = 'suppliers'")
            fleet.write("coal", state=fleet.state("bolt"))
            fleet.write("bolt", limits={"per_day": "many"})
            (fleet.files / "acme.toml").unlink()
            process.send_signal(signal.SIGHUP)
            page = await fleet.shows("/", "per_day", "2 of 2 companies")
            assert "acme" not in page
            assert sandboxes["acme"].journal.total == calls, "it was left alone, and then ended"
            fleet.write("acme", state=fleet.state("bolt"))
            fleet.write("bolt")
            process.send_signal(signal.SIGHUP)
            await fleet.shows("/", "is also that of", "acme", "2 of 3 companies")
            process.send_signal(signal.SIGTERM)
            done = await finish(process)
    assert (done.code, done.stderr) == (0, "")
    assert [line["company"] for line in done.only("company_started")].count("acme") == 1
    ends = [line["company"] for line in done.only("company_ended")]
    assert ends[0] == "acme"
    assert sorted(ends) == ["acme", "bolt", "coal"]
    refused = [(line["company"], line["reason"]) for line in done.only("company_refused")]
    assert any(name == "acme" and "bolt.toml" in reason and "the state" in reason for name, reason in refused)
    assert any(name == "bolt" and "acme.toml" in reason for name, reason in refused), "both are told"


async def test_a_company_that_hangs_is_named_and_started_again_alone(tmp_path: Path) -> None:
    """In this process. Its time runs a hundred times faster, so that a minute without a sign of life is soon over."""
    async with companies(tmp_path, "acme", "bolt") as (fleet, sandboxes):
        fleet.write("acme")
        fleet.write("bolt", limits={"time_scale": 100}, daemon={"stuck_after": 60})
        sandboxes["bolt"].faults.add("hang", path="^/invoices")
        files = await anyio.to_thread.run_sync(read_companies, fleet.files, {})
        host = FleetHost(
            Unsupervised(), lambda: files, lambda _: None, lambda _: None, lambda _: None, lambda name: name
        )
        with capture_logs() as logs:
            task = asyncio.create_task(serve_fleet(files, host))
            with anyio.fail_after(60):
                while not [one for one in logs if one["event"] == "company_failed"] and not task.done():  # noqa: ASYNC110
                    await anyio.sleep(0.05)
            page = await fleet.asked("/")
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    [stuck] = [one for one in logs if one["event"] == "company_stalled"]
    assert (stuck["company"], stuck["part"]) == ("bolt", "mirror_collections")
    assert "mirror_collections gave no sign of life" in page
    assert "1 of 2 companies" in page
    assert fleet.count("acme", "SELECT count(*) FROM details") == 3


@pytest.fixture
def place_of_another() -> Iterator[Path]:
    """A directory of a user's, where others may pass."""
    with TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o755)
        os.chown(place, 65_534, 65_534)
        (place / "of-another").mkdir()
        os.chown(place / "of-another", 65_533, 65_533)
        yield place


def owner_of(path: Path) -> int:
    return path.stat().st_uid


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
async def test_root_serves_companies_as_the_owner_of_their_states_or_not_at_all(place_of_another: Path) -> None:
    place = place_of_another
    async with companies(place, "acme", "bolt") as (fleet, _):
        fleet.write("acme")
        fleet.write("bolt")
        async with fleet.running() as process:
            await fleet.until("bolt", "SELECT count(*) FROM details")
            made = Path(f"/proc/{process.pid}"), fleet.state("acme"), place / "watch.sock"
            assert set(map(owner_of, made)) == {65_534}
        fleet.write("bolt", state=place / "of-another" / "bolt.db")
        done = await fleet.typed("fleet", "run", "--companies", str(fleet.files))
    assert done.code == 4
    assert "belongs to nobody and user 65533, so root leaves it alone" in done.stderr
