"""what a live account can tell: asked by a few calls, here or by the service, and kept with its date"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import anyio
import msgspec

from precoro_daemon.adapters.state.ports import Store
from precoro_daemon.app.company import Company, Gateway, connect
from precoro_daemon.app.control import Probe, send_command
from precoro_daemon.app.examination import MOST_CALLS, Examination
from precoro_daemon.app.new_files import replace_file
from precoro_daemon.app.state import state_of
from precoro_daemon.app.state_reading import account_of, read_state
from precoro_daemon.app.values import as_of, clock_for, credentials_of
from precoro_daemon.errors import ConfigurationError, DecisionRefused, StoreEnrolled, StoreHeld, StoreUnusable
from precoro_daemon.mirror.ports.deliveries import DeliveryCounts
from precoro_daemon.payments.commands import Command
from precoro_daemon.quota.limits import Lane
from precoro_daemon.runtime.ports import Clock
from precoro_daemon.settings import Settings
from precoro_daemon.settings.editing import with_setting
from precoro_daemon.settings.toml_file import read_toml
from precoro_daemon.status.facts import Fact, Suggestion, suggestions, with_facts
from precoro_daemon.status.progress import Silent
from precoro_daemon.status.reading import Overview

_EXAMINED_WITHIN_S = 240.0
"""Real seconds of all calls together: one may have to wait for a minute, more than one for other work."""

_IN_SERVICE_S = 40.0
"""The same in a service, which must answer who asked."""


def forecast_calls(settings: Settings) -> tuple[int, int | None]:
    """How many calls it takes at most, and how many are left of the day; None where that is not known. Blocking."""
    overview = _overview(settings)
    if overview is None:
        return MOST_CALLS, None
    now = as_of(overview.calls)
    return MOST_CALLS, account_of(settings, overview, now).spendable(Lane.LISTS, now)


async def examine(settings: Settings) -> Sequence[Fact]:
    """All facts that are known by now, those of earlier examinations too. Who holds the state makes the calls; it is
    made if there is none.

    Raises StoreHeld where it takes no commands; DecisionRefused; AuthenticationError."""
    async with AsyncExitStack() as stack:
        try:
            store = await stack.enter_async_context(state_of(settings).open())
        except StoreEnrolled:
            raise
        except StoreHeld as held:
            command = Command("doctor", "doctor", ident=credentials_of(settings).fingerprint)
            said = await anyio.to_thread.run_sync(send_command, settings, command, held)
            return msgspec.json.decode(said, type=list[Fact])
        clock, settings = clock_for(settings), _by_url(settings)
        gateway = await stack.enter_async_context(connect(settings, store.budget_book, clock, Silent()))
        return await _examine(settings, store, gateway, clock, _EXAMINED_WITHIN_S)


def _by_url(settings: Settings) -> Settings:
    """Two URLs of one route may leave within a minute: what comes of it tells what counts."""
    return settings.model_copy(update={"limits": settings.limits.model_copy(update={"same_get_scope": "url"})})


def examiner(company: Company, store: Store, clock: Clock) -> Probe:
    """For `doctor` beside a service, which makes the calls."""

    async def probe(fingerprint: str) -> str:
        if fingerprint != credentials_of(company.settings).fingerprint:
            raise DecisionRefused(
                "the service that runs has another key, e-mail or address: reload it, and try again then"
            )
        facts = await _examine(company.settings, store, company.gateway, clock, _IN_SERVICE_S)
        return msgspec.json.encode(facts).decode()

    return probe


async def _examine(
    settings: Settings, store: Store, gateway: Gateway, clock: Clock, patience: float
) -> Sequence[Fact]:
    lists = settings.mirror_collections
    by_path = settings.limits.same_get_scope == "path"
    asked = await Examination(gateway, clock, lists.collections, lists.per_page, by_path).run(patience)
    seen = await anyio.to_thread.run_sync(_seen, settings, clock.now())
    ids = external_ids(settings, await store.journal.last_accepted(), clock.now())
    facts = with_facts(await store.fact_book.load(), [*asked, *seen, ids])
    await store.fact_book.save(facts)
    return facts


def _seen(settings: Settings, now: float) -> Sequence[Fact]:
    """What the program saw at its work. Blocking."""
    overview = _overview(settings)
    counted = overview is not None and bool(overview.lessons.get("counts_refused"))
    said = "a call that was refused counted as asked" if counted else "no refusal has shown yet whether it counts"
    counts = DeliveryCounts() if overview is None else overview.deliveries
    return [Fact("refused_calls", "counted" * counted, said, now), _webhooks(settings, counts, now)]


def external_ids(settings: Settings, last: tuple[float, bool] | None, now: float) -> Fact:
    """By a payment that was really made: none is made to find it out."""
    if last is None or settings.mark_invoices_paid.external_id == "none":
        return Fact("external_ids", "", "no payment was made with an id of ours yet", now)
    at, kept = last
    how = "kept the id it was sent with" if kept else "had to be given its id afterwards"
    return Fact("external_ids", "kept" if kept else "dropped", f"the last payment that we made {how}", at)


def _webhooks(settings: Settings, counts: DeliveryCounts, now: float) -> Fact:
    if counts.last_at is not None:
        return Fact("webhooks", "arrive", f"{counts.received:,} came, the last at the date shown", counts.last_at)
    where = "none came yet" if settings.apply_deliveries.listen is not None else "[apply_deliveries] does not listen"
    return Fact("webhooks", "", where, now)


def _overview(settings: Settings) -> Overview | None:
    """None where there is no state yet."""
    try:
        return read_state(settings, clock_for(settings).now())
    except StoreUnusable:
        return None


def advice(settings: Settings, facts: Sequence[Fact]) -> Sequence[Suggestion]:
    """Settings that the facts contradict."""
    names = ("same_get_scope", "per_second", "per_minute", "per_hour", "per_day")
    return suggestions(facts, {name: getattr(settings.limits, name) for name in names})


def follow_advice(path: Path, wanted: Sequence[Suggestion]) -> None:
    """Write the settings into the file; all else in it stays as it was typed. Blocking.

    Raises ConfigurationError, and then nothing was written.
    """
    text, _ = read_toml(path)
    for one in wanted:
        try:
            text = with_setting(text, one.section, one.key, one.value)
        except ValueError as error:
            raise ConfigurationError(f"{path}: write {one} by hand: {error}") from None
    replace_file(path, text)
