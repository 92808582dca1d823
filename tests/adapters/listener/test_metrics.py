"""What Prometheus reads: every metric declared, told in the manual, understood by its own parsers, and bounded."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_open_metrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from precoro_daemon.adapters.listener.metrics import METRICS, families, rendered
from precoro_daemon.mirror.rules.collections import COLLECTIONS
from precoro_daemon.status.snapshot import Snapshot
from tests.status.snapshots import HOSTILE, NOW, quiet, troubled

OPERATIONS = Path(__file__).parents[3] / "precoro_daemon" / "docs" / "operations.md"
ALERTS = Path(__file__).parents[3] / "precoro_daemon/adapters/listener/alerts.yml"

promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed here")


def text(snapshot: Snapshot) -> str:
    return rendered(families(snapshot), "")[0].decode()


def values(snapshot: Snapshot) -> dict[tuple[str, ...], float]:
    return {
        (sample.name.removeprefix("precoro_daemon_"), *sample.labels.values()): sample.value
        for family in read_text(text(snapshot))
        for sample in family.samples
    }


def test_the_manual_tells_every_metric() -> None:
    table = OPERATIONS.read_text("utf-8").split("### Prometheus")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `([a-z_]+)(?:\{([a-z_,]+)\})?` \| (.+?) \|$", table, re.MULTILINE)
    told = {name: (labels, meaning) for name, labels, meaning in rows}
    assert told == {name: (",".join(meaning.labels), meaning.text) for name, meaning in METRICS.items()}


def test_every_metric_is_given_on_a_day_on_which_everything_happens() -> None:
    of_fill = {f"backfill_remaining{which}_seconds" for which in ("", "_at_least", "_at_most")}
    assert names(troubled()) == METRICS.keys() - of_fill, "how many there are nobody knows yet"
    assert of_fill <= names(quiet())


def names(snapshot: Snapshot) -> set[str]:
    return {sample.name.removeprefix("precoro_daemon_") for family in families(snapshot) for sample in family.samples}


def test_every_name_follows_the_conventions() -> None:
    for name, meaning in METRICS.items():
        assert name.endswith("_total") == (meaning.kind == "counter")
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", name)
        assert not {"job", "instance", "le", "quantile"} & set(meaning.labels), "these belong to Prometheus"


def test_what_the_numbers_say() -> None:
    told = values(troubled())
    assert told["ready",] == 0
    assert told["collection_age_seconds", "purchase_orders"] == 90_000
    assert ("collection_age_seconds", "invoices") not in told  # never listed: it has no age
    assert told["details_due", "invoices"] == 12_400
    assert told["collection_changes_per_day", "expenses"] == 40
    assert told["collection_scans_per_day", "expenses"] == 30
    assert told["collection_delay_seconds", "expenses"] == 870
    assert told["quota_left", "day"] == 1033
    assert told["lane_calls_left", "census"] == 0
    assert told["calls_total", "GET", "429", "/invoices/{id}"] == 3
    assert told["log_lines_total", "job_blocked", "error"] == 2
    assert told["intents", "to_precoro", "review"] == 2
    assert told["oldest_intent_age_seconds", "to_precoro", "doubt"] == 200_000
    assert told["oldest_intent_age_seconds", "to_ledger", "doubt"] == 0
    assert (told["payments_armed",], told["kill_switch",]) == (0, 1)
    assert told["item_changes", "refused"] == 2
    assert told["grant_remaining_seconds", "xero"] == 864_000
    assert told["job_stuck", "fetch_attachments"] == 1
    assert told["job_running_seconds", "fetch_attachments"] == 9_000
    assert told["job_running_seconds", "mirror_collections"] == 0
    assert told["good_lap_age_seconds", "mirror_collections"] == 90
    assert told["quarantined", "invoices", "detail"] == 14
    assert told["delivery_answers_total", "204"] == 31
    assert told["process_resident_memory_bytes",] > 10**6


def test_quiet_and_without_payments() -> None:
    told = values(quiet())
    assert told["ready",] == 1
    assert not [name for name in told if name[0] in {"intents", "payments_armed", "oldest_intent_age_seconds"}]


def test_ages_are_never_negative_though_a_clock_runs_back() -> None:
    assert min(values(replace(quiet(), now=NOW - 100_000)).values()) >= 0


def test_the_state_may_be_unknown() -> None:
    told = values(replace(quiet(), stored=None, unreadable="the disk is gone"))
    assert (told["state_readable",], told["ready",]) == (0, 0)
    assert told["quota_left", "day"] == 1033


@pytest.mark.parametrize("snapshot", [quiet(), troubled()])
def test_both_forms_are_understood(snapshot: Snapshot) -> None:
    assert list(read_text(text(snapshot)))
    open_metrics, kind = rendered(families(snapshot), "application/openmetrics-text; version=1.0.0")
    assert kind.startswith("application/openmetrics-text")
    assert list(read_open_metrics(open_metrics.decode()))


@pytest.mark.parametrize("accept", ["application/openmetrics-text; version=1.x", "text/plain;version=\udcff, */*"])
def test_who_asks_for_a_version_that_is_none_is_given_the_plain_form(accept: str) -> None:
    assert rendered(families(quiet()), accept)[1] == rendered(families(quiet()), "")[1]


def test_nothing_that_users_wrote_becomes_a_label_and_labels_are_few() -> None:
    told = text(troubled())
    assert HOSTILE[:10] not in told
    assert "<script" not in told
    assert len(told.splitlines()) < 30 * (len(COLLECTIONS) + 20)


@promtool
@pytest.mark.parametrize("snapshot", [quiet(), troubled()])
def test_promtool_finds_nothing_wrong_with_the_metrics(snapshot: Snapshot) -> None:
    told = subprocess.run(
        ["promtool", "check", "metrics"], input=text(snapshot), capture_output=True, text=True, check=False
    )
    assert (told.returncode, told.stdout + told.stderr) == (0, "")


@promtool
def test_promtool_finds_nothing_wrong_with_the_alert_rules() -> None:
    told = subprocess.run(["promtool", "check", "rules", ALERTS], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr


def test_alert_rules_ask_only_for_what_there_is() -> None:
    rules = ALERTS.read_text("utf-8")
    named = set(re.findall(r"precoro_daemon_(\w+)", rules))
    assert named
    assert named <= METRICS.keys()
    for name, given in re.findall(r"precoro_daemon_(\w+)\{(.*?)\}", rules):
        assert set(re.findall(r"(\w+)=", given)) <= set(METRICS[name].labels)
    for label in re.findall(r"\$labels\.(\w+)", rules):
        assert any(label in meaning.labels for meaning in METRICS.values())
