"""the program and its state as Prometheus metrics"""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, NamedTuple

from prometheus_client import CollectorRegistry, Metric, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from precoro_daemon import __version__
from precoro_daemon.catalogue.rules.write_states import State
from precoro_daemon.runtime.job_state import JobStatus
from precoro_daemon.status.companies import CompanyGlance
from precoro_daemon.status.health import obstacles
from precoro_daemon.status.snapshot import Snapshot, Stored

_METRIC_PREFIX = "precoro_daemon_"


class Meaning(NamedTuple):
    """What a metric measures, and its labels."""

    text: str
    labels: Sequence[str] = ()
    kind: Literal["gauge", "counter"] = "gauge"


METRICS: Mapping[str, Meaning] = MappingProxyType(
    {
        "build_info": Meaning("1, with the version that runs", ("version", "python")),
        "ready": Meaning("1 if /readyz says so, else 0"),
        "reloads_total": Meaning("Configurations taken over since the start", (), "counter"),
        "reload_refused": Meaning("1 if the configuration that was read last has mistakes and is not in use"),
        "collection_age_seconds": Meaning("How old the mirror of a collection may be at most", ("collection",)),
        "collection_changes_per_day": Meaning("Changes of a collection in a day, in the last week", ("collection",)),
        "collection_scans_per_day": Meaning("Scans of a collection in a day, in the last week", ("collection",)),
        "collection_delay_seconds": Meaning(
            "Mean time from a change until a scan brought it, in the last week", ("collection",)
        ),
        "records": Meaning("Records that Precoro has", ("collection",)),
        "vanished_records": Meaning("Records that Precoro has no more", ("collection",)),
        "details_due": Meaning("Documents whose detail is missing or old", ("collection",)),
        "census_owed": Meaning("1 if the last listing was not proved complete", ("collection",)),
        "quarantined": Meaning("Things that failed and are quarantined", ("collection", "stage")),
        "backfill_remaining_seconds": Meaning("Time until all due details are there, by the plan of the day's calls"),
        "backfill_remaining_at_least_seconds": Meaning("The same if the day brings as little as it may"),
        "backfill_remaining_at_most_seconds": Meaning("The same if the day brings as much as it may"),
        "quota_limit": Meaning("Calls that Precoro allows", ("window",)),
        "quota_left": Meaning("Calls that are left of them", ("window",)),
        "lane_calls_left": Meaning("Calls of the day that a lane may still make", ("lane",)),
        "calls_total": Meaning("Calls to Precoro", ("method", "route", "outcome"), "counter"),
        "files": Meaning("Attached files: kept, due, or too large", ("state",)),
        "file_bytes": Meaning("Bytes of attached files: kept, or due as far as known", ("state",)),
        "disk_free_bytes": Meaning("Room on the disk of the state, and of the files", ("disk",)),
        "intents": Meaning("Payments by direction and state", ("direction", "state")),
        "oldest_intent_age_seconds": Meaning(
            "Age of the oldest payment in doubt or review; 0 if there is none", ("direction", "state")
        ),
        "unreadable_rows": Meaning("Rows of the ledger that cannot be read"),
        "unmatched_payments": Meaning("Payments in the ledger without a matching payable invoice"),
        "grant_remaining_seconds": Meaning("Time until a login is needed, if nobody uses it", ("kind",)),
        "item_changes": Meaning("Item changes of the plans that are under way", ("state",)),
        "payments_armed": Meaning("1 if payments may be sent"),
        "kill_switch": Meaning("1 if the kill-switch file is there"),
        "laps_total": Meaning("Laps of a job", ("job_name", "outcome"), "counter"),
        "good_lap_age_seconds": Meaning("Time since the last lap of a job that had no failure", ("job_name",)),
        "job_running_seconds": Meaning("How long the present lap has been going on; 0 between laps", ("job_name",)),
        "job_stuck": Meaning("1 if a lap, or the part that keeps webhooks, gives no sign of life", ("job_name",)),
        "job_blocked": Meaning("1 if a job cannot work at present", ("job_name",)),
        "log_lines_total": Meaning("Lines of the log", ("level", "event"), "counter"),
        "deliveries_waiting": Meaning("Webhooks that are not yet applied"),
        "deliveries_missed": Meaning("Changes of the last day that polling found first, though webhooks come"),
        "delivery_age_seconds": Meaning("Time since the last webhook"),
        "delivery_answers_total": Meaning("Answers to webhooks", ("status",), "counter"),
        "shape_changes": Meaning(
            "Changes of Precoro's answers that stand or are of the last month", ("collection", "change")
        ),
        "payments_waiting_for_answers": Meaning("1 if payments wait as Precoro's answers lack what they go by"),
        "export_changes_behind": Meaning("Changes that an export has still to follow", ("export",)),
        "export_pushes": Meaning(
            "Records that a receiver did not take: waiting, or dead letters", ("export", "state")
        ),
        "state_readable": Meaning("1 if the last reading of the state succeeded"),
        "state_reading_age_seconds": Meaning("Age of the last good reading of the state"),
    }
)
"""Every metric by its name, without the prefix precoro_daemon_."""


_MEANINGS: Mapping[str, Meaning] = {**METRICS, "company_served": Meaning("1 if the company is served at present")}
"""Includes the metrics of a process that serves several companies."""


class Sample(NamedTuple):
    name: str
    value: float
    labels: Sequence[str] = ()


def families(snapshot: Snapshot, company: str = "") -> Sequence[Metric]:
    """Returns the snapshot as metrics, without those whose value is unknown. `company` becomes a label, if given."""
    found = Families(("company",) if company else ())
    found.add(_samples(snapshot), (company,) if company else ())
    return found.metrics


def company_samples(one: CompanyGlance) -> Iterator[Sample]:
    """Yields the samples of one company among several."""
    yield Sample("company_served", one.standing == "running")
    if one.snapshot is not None:
        yield from _samples(one.snapshot)


class Families:
    """Collects samples by metric name.

    labels  come before each sample's own labels
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = labels
        self._found: dict[str, GaugeMetricFamily | CounterMetricFamily] = {}

    @property
    def metrics(self) -> Sequence[Metric]:
        return list(self._found.values())

    def add(self, samples: Iterable[Sample], labels: Sequence[str]) -> None:
        for sample in samples:
            meaning = _MEANINGS[sample.name]
            if sample.name not in self._found:
                family = CounterMetricFamily if meaning.kind == "counter" else GaugeMetricFamily
                names = [*self._labels, *meaning.labels]
                self._found[sample.name] = family(_METRIC_PREFIX + sample.name, meaning.text, labels=names)
            self._found[sample.name].add_metric([*labels, *map(str, sample.labels)], float(sample.value))


def rendered(found: Sequence[Metric], accept: str) -> tuple[bytes, str]:
    """Returns these metrics and the process's, in the format that the request accepts, with its content type.

    Blocking: reads /proc.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Ready(found))
    ProcessCollector(registry=registry)
    try:
        encode, kind = choose_encoder(accept)
    except (TypeError, ValueError):  # the request names a version that does not exist
        encode, kind = choose_encoder("")
    return encode(registry), kind


@dataclass(frozen=True, eq=False, slots=True)
class _Ready(Collector):
    found: Sequence[Metric]

    def collect(self) -> Iterable[Metric]:
        return self.found


def _samples(snapshot: Snapshot) -> Iterator[Sample]:
    yield Sample("build_info", 1, (__version__, platform.python_version()))
    yield Sample("ready", not any(obstacles(snapshot)))
    yield Sample("reloads_total", snapshot.pulse.reloads)
    yield Sample("reload_refused", bool(snapshot.pulse.refused))
    yield Sample("state_readable", not snapshot.unreadable)
    for job in snapshot.pulse.jobs:
        yield from _of_job(job, snapshot.now)
    for part in snapshot.pulse.parts:
        yield Sample("job_stuck", part.stuck, (part.name,))
    yield from _of_quota(snapshot)
    yield from _of_tallies(snapshot)
    if snapshot.stored is not None:
        yield from _of_state(snapshot.stored, snapshot.now)
        yield from _of_deliveries(snapshot.stored, snapshot.now)
        yield from _of_payments(snapshot.stored, snapshot.now)
        yield from _of_items(snapshot.stored)
        kinds = Counter((one.collection, one.what) for one in snapshot.stored.shape_changes)
        yield from (Sample("shape_changes", count, kind) for kind, count in kinds.items())
        for export, behind in snapshot.stored.exports.items():
            if behind is not None:
                yield Sample("export_changes_behind", behind, (export,))
            yield Sample("export_pushes", snapshot.stored.waiting_pushes.get(export, 0), (export, "waiting"))
            yield Sample("export_pushes", snapshot.stored.dead_letters.get(export, 0), (export, "dead"))
        if (grant := snapshot.stored.grant) and (until := grant.seconds_left(snapshot.now)) is not None:
            yield Sample("grant_remaining_seconds", until, (grant.kind,))
    if (left := snapshot.backfill_time) is not None:
        yield Sample("backfill_remaining_seconds", left.seconds)
        yield Sample("backfill_remaining_at_least_seconds", left.least)
        yield Sample("backfill_remaining_at_most_seconds", left.most)


def _of_job(job: JobStatus, now: float) -> Iterator[Sample]:
    yield Sample("laps_total", job.laps - job.failures, (job.name, "good"))
    yield Sample("laps_total", job.failures, (job.name, "failed"))
    yield Sample("job_running_seconds", max(0.0, now - (job.running_since or now)), (job.name,))
    yield Sample("job_blocked", job.trouble is not None, (job.name,))
    if job.good_at is not None:
        yield Sample("good_lap_age_seconds", max(0.0, now - job.good_at), (job.name,))


def _of_quota(snapshot: Snapshot) -> Iterator[Sample]:
    quota = snapshot.quota
    yield from (Sample("quota_limit", calls, (window,)) for window, calls in quota.limits.items())
    yield from (Sample("quota_left", calls, (window,)) for window, calls in quota.left.items())
    for lane, calls in quota.lanes.items():
        if calls is not None:
            yield Sample("lane_calls_left", calls, (lane.name.lower(),))


def _of_tallies(snapshot: Snapshot) -> Iterator[Sample]:
    tallies = snapshot.live.tallies
    yield from (Sample("calls_total", count, call) for call, count in tallies.calls.items())
    yield from (Sample("log_lines_total", count, line) for line, count in tallies.lines.items())
    yield from (Sample("delivery_answers_total", count, (str(one),)) for one, count in tallies.answers.items())


def _of_state(stored: Stored, now: float) -> Iterator[Sample]:
    yield Sample("state_reading_age_seconds", max(0.0, now - stored.read_at))
    for one in stored.mirrored:
        if one.as_of is not None:
            yield Sample("collection_age_seconds", max(0.0, now - one.as_of), (one.name,))
        if (fresh := one.freshness) is not None:
            yield Sample("collection_changes_per_day", fresh.changes, (one.name,))
            yield Sample("collection_scans_per_day", fresh.scans, (one.name,))
            if fresh.delay is not None:
                yield Sample("collection_delay_seconds", fresh.delay, (one.name,))
        yield Sample("records", one.live, (one.name,))
        yield Sample("vanished_records", one.vanished, (one.name,))
        yield Sample("census_owed", one.census == "owed", (one.name,))
        if one.due is not None:
            yield Sample("details_due", one.due, (one.name,))
    yield from (Sample("quarantined", count, where) for where, count in stored.quarantined_counts.items())
    files = stored.files
    yield Sample("files", files.kept.files, ("kept",))
    yield Sample("files", files.due.files, ("due",))
    yield Sample("files", len(files.too_large), ("too_large",))
    yield Sample("file_bytes", files.kept.bytes, ("kept",))
    yield Sample("file_bytes", files.due.bytes, ("due",))
    yield from (Sample("disk_free_bytes", room, (disk,)) for disk, room in stored.free.items())


def _of_deliveries(stored: Stored, now: float) -> Iterator[Sample]:
    deliveries = stored.deliveries
    yield Sample("deliveries_waiting", deliveries.waiting)
    if deliveries.last_at is not None:
        yield Sample("deliveries_missed", deliveries.unheard)
        yield Sample("delivery_age_seconds", max(0.0, now - deliveries.last_at))


def _of_payments(stored: Stored, now: float) -> Iterator[Sample]:
    payments = stored.payments
    if payments is None or payments.ledger is None:
        return
    yield Sample("payments_armed", payments.switch.armed)
    yield Sample("kill_switch", bool(payments.stopped))
    yield Sample("payments_waiting_for_answers", bool(payments.lacking))
    yield Sample("unreadable_rows", payments.unreadable)
    yield Sample("unmatched_payments", payments.unmatched)
    yield from (Sample("intents", count, where) for where, (count, _) in payments.intents.items())
    for direction in ("to_precoro", "to_ledger"):
        for state in ("doubt", "review"):
            _, since = payments.intents.get((direction, state), (0, now))
            yield Sample("oldest_intent_age_seconds", max(0.0, now - since), (direction, state))


def _of_items(stored: Stored) -> Iterator[Sample]:
    states = sum((Counter(plan.counts) for plan in stored.items), Counter[State]())
    yield from (Sample("item_changes", count, (state,)) for state, count in states.items())
