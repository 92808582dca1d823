"""the general sections, key by key: meaning, unit, reason for the default"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from precoro_daemon.mirror.rules.collections import COLLECTIONS, DOCUMENTS
from precoro_daemon.mirror.rules.filters import Filter
from precoro_daemon.quota.limits import Lane
from precoro_daemon.runtime.schedules import Fixed
from precoro_daemon.settings.values import (
    ALL,
    Calls,
    Clash,
    CollectionName,
    Collections,
    Date,
    DetailCollections,
    Email,
    Ids,
    Limit,
    ListCalls,
    Lower,
    Moment,
    Oldest,
    Origin,
    Overlap,
    PageSize,
    Polls,
    PrecoroKey,
    Proxy,
    Scale,
    Seconds,
    Share,
    Status,
    Weight,
    one_of,
)

REGIONS = {"international": "https://api.precoro.com", "us": "https://api.precoro.us"}


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)


class Precoro(Section):
    """Where Precoro is, and whose key is used. Give exactly one of base_url and region."""

    base_url: Origin | None = None
    """Scheme, host and port of the API, for a sandbox or a proxy. Plain http is allowed only to this machine
    itself.
    """

    region: Annotated[Literal["international", "us"], Lower, one_of(REGIONS)] | None = Field(
        default=None, validate_default=True
    )
    """Which of Precoro's two hosts has the company. No default, because the wrong host refuses every key."""

    email: Email
    """The user to whom the API key belongs, sent with every call. It is handled as a secret, because it is half of
    the credentials.
    """

    token_file: Path | None = None
    """File that holds only the API key. It is refused if everyone can read it. It is not read if the key is in the
    environment.
    """

    token: PrecoroKey
    """The API key: from PRECORO_TOKEN, else from token_file, else from systemd's credential precoro_token. Never in
    the configuration file.
    """

    proxy: Proxy | None = None
    """The proxy for calls to Precoro, the ledger and the hosts of files, such as http://proxy:3128. No default:
    without it, HTTPS_PROXY applies if it is set. Hosts in NO_PROXY are called directly in either case. A user name
    and a password for the proxy belong in HTTPS_PROXY.
    """

    ca_file: Path | None = None
    """File in PEM form with certificates that are trusted in addition to the system's, such as that of a proxy or
    firewall that inspects TLS. It applies to Precoro, the ledger and the hosts of files.
    """

    connect_timeout: Seconds = 10.0
    """Seconds in which a connection must be established. Far hosts take less than one; 10 leaves room for lost
    packets.
    """

    timeout: Seconds = 60.0
    """Seconds that one call may take in all. A page of 200 documents can take several seconds; a call of a minute
    hangs.
    """

    @field_validator("region")
    @classmethod
    def _one_address(cls, region: str | None, info: ValidationInfo) -> str | None:
        base_url = info.data.get("base_url", "unreadable, and said so already")
        if region and base_url:
            raise Clash("region and base_url exclude each other; allowed: one of them", also="precoro.base_url")
        if not (region or base_url):
            raise Clash(f"missing; give region ({' or '.join(REGIONS)}) or base_url")
        return region

    @property
    def origin(self) -> str:
        """Scheme, host and port, without a slash at the end; the only address that ever gets the key."""
        return self.base_url or REGIONS[self.region or "international"]


class Reserve(Section):
    """A lane may spend a call only while more calls of the day remain than its reserve, which it leaves to the lanes
    above it. The defaults are for 3,000 calls a day and shrink in proportion if per_day is smaller.
    """

    payments: Calls = 0
    """Payments may spend the last call."""

    deliveries: Calls = 20
    """Kept for payments: a day seldom has more than a few to settle once the rest is spent."""

    lists: Calls = 40
    """Kept for the lanes above: the newest documents matter more than their details."""

    details: Calls = 100
    """Kept for the lanes above: about two scans of every list, and the calls that follow from them."""

    files: Calls = 110
    """Kept for the lanes above: files are many and never urgent."""

    census: Calls = 120
    """Kept for the lanes above: a census can always wait until tomorrow."""

    @field_validator("deliveries", "lists", "details", "files", "census")
    @classmethod
    def _not_below_the_lane_above(cls, calls: int, info: ValidationInfo) -> int:
        for lane, kept in info.data.items():
            if calls < kept:
                also = f"limits.reserve.{lane}"
                raise Clash(f"{calls} is less than {kept} of {lane}, which comes before it", also=also)
        return calls


class Limits(Section):
    """What Precoro allows this key. If you have higher limits, enter them here; 0 lifts a limit."""

    per_second: Limit = 1
    """Calls a second, evenly spaced. Precoro refuses bursts."""

    per_minute: Limit = 60
    """Calls a minute. Some plans have 300."""

    per_hour: Limit = 1500
    """Calls an hour."""

    per_day: Limit = 3000
    """Calls a day. This limit is the reason why the order of calls matters."""

    same_get_per_minute: Limit = 1
    """Times a minute that the same GET is answered."""

    same_get_per_hour: Limit = 30
    """Times an hour that the same GET is answered."""

    same_get_scope: Annotated[Literal["url", "path"], Lower, one_of(("url", "path"))] = "url"
    """What makes two GETs the same: path and query (documented), or the path alone (as one measurement indicates)."""

    time_scale: Scale = 1.0
    """How many times faster than real time all windows elapse. For rehearsals against a sandbox on this machine."""

    reserve: Reserve = Field(default_factory=Reserve.model_construct, validate_default=True)
    """See [limits.reserve]."""

    @field_validator("reserve", mode="before")
    @classmethod
    def _in_proportion(cls, given: Any, info: ValidationInfo) -> Any:
        """Fills in the missing reserves, so that a user can set per_day = 100 or lists = 200 alone."""
        if isinstance(given, Reserve):
            given = given.model_dump(exclude_unset=True)
        if not isinstance(given, dict):
            return given
        full = Limits.model_fields["per_day"].default
        per_day = min(info.data.get("per_day") or full, full)
        filled, above = {}, 0
        for lane, field in Reserve.model_fields.items():
            calls = filled[lane] = given.get(lane, max(field.default * per_day // full, above))
            above = calls if isinstance(calls, int) else above
        return filled | given

    @field_validator("reserve")
    @classmethod
    def _below_the_day(cls, reserve: Reserve, info: ValidationInfo) -> Reserve:
        per_day = info.data.get("per_day", 0)
        for lane, calls in reserve:
            if 0 < per_day <= calls:
                text = f"{calls} leaves {lane} nothing of {per_day} calls a day; allowed: less than per_day"
                raise Clash(text, at=lane, also="limits.per_day")
        return reserve

    @property
    def reserves(self) -> Mapping[Lane, int]:
        return {lane: getattr(self.reserve, lane.name.lower()) for lane in Lane}


class Filters(Section):
    """Which records of a collection are wanted: limits the first scan, the details that are fetched, and the
    views.
    """

    status: Status = frozenset()
    """Precoro's status numbers or names; empty for any."""

    approved_from: Date | None = None
    """First day of approval."""

    approved_to: Date | None = None
    """Last day of approval, included."""

    modified_since: Moment | None = None
    """Only records changed at or after this moment; UTC unless it has an offset."""

    supplier: Ids = frozenset()
    """Ids of suppliers; empty for any."""

    attached_files_only: Annotated[bool, one_of(("true", "false"))] = False
    """Only documents with attached files."""

    @field_validator("*", mode="before")
    @classmethod
    def _offered(cls, given: Any) -> Any:
        if isinstance(given, Clash):
            raise given
        return given

    @field_validator("approved_to")
    @classmethod
    def _not_before_the_first_day(cls, last: Any, info: ValidationInfo) -> Any:
        first = info.data.get("approved_from")
        if first and last and last < first:
            raise Clash(f"{last} is before approved_from, {first}")
        return last


class MirrorCollections(Section):
    """Mirrors the lists of collections."""

    collections: Collections = tuple(COLLECTIONS)
    """The lists to mirror. All, because a scan of an unchanged list costs one call."""

    per_page: PageSize = 200
    """Records a page. The largest number that Precoro allows, because a page costs one call whatever its size."""

    overlap: Overlap = 3600.0
    """Seconds by which a scan goes back before the start of the last one, for changes that were still being written
    then.
    """

    every: Polls = {ALL: None}
    """Time between two scans of a list. auto: when a scan is worth its call, as [freshness] says. One value for all
    lists, or a table by collection, in which "all" applies to those it does not name.
    """

    @field_validator("every")
    @classmethod
    def _only_of_mirrored(cls, every: Any, info: ValidationInfo) -> Any:
        mirrored = info.data.get("collections")
        strays = [name for name in every if mirrored and name not in (ALL, *mirrored)]
        if strays:
            text = f"not mirrored, so there is nothing to scan: {', '.join(strays)}; allowed: {ALL}, or mirror it too"
            raise Clash(text, at=strays[0], also="mirror_collections.collections")
        return every

    filters: dict[CollectionName, Filters] = {}
    """Filters by collection. Without a filter, all records are wanted."""

    @field_validator("filters", mode="before")
    @classmethod
    def _mark_what_is_not_offered(cls, filters: Any) -> Any:
        """Replaces each filter key that a collection does not offer by its refusal, so that it is listed with all
        other mistakes, and with its line.
        """
        if not isinstance(filters, dict):
            return filters
        return {name: _marked(name, given) if isinstance(given, dict) else given for name, given in filters.items()}

    def schedule_of(self, collection: str) -> Fixed | None:
        """Returns the user's schedule; None if the planner decides."""
        return self.every.get(collection, self.every.get(ALL))

    def filter_of(self, collection: str) -> Filter:
        """Returns the user's filter on a collection; an empty filter keeps everything."""
        given = self.filters.get(collection, Filters())
        return Filter(**{key: getattr(given, key) for key in Filters.model_fields})


def _marked(name: str, given: dict[str, Any]) -> dict[str, Any]:
    if name not in COLLECTIONS:
        return given
    offered = [key for key in Filters.model_fields if key in COLLECTIONS[name].filters]
    refusal = Clash(f"{name} has no such filter; allowed: {', '.join(offered)}")
    strange = given.keys() & Filters.model_fields.keys() - set(offered)
    return given | dict.fromkeys(strange, refusal)


class Freshness(Section):
    """Chooses the next list to scan if `every` is auto: the list where a call removes the most delay."""

    list_calls: ListCalls = 1200
    """The most calls a day for scans of lists. With 1,200, a change arrives within five minutes on average; with half
    of them, within ten. Documents come first: during a first fill, lists get a fifteenth of the day.
    """

    oldest: Oldest = 86_400.0
    """The longest time since the last scan of any list. A day: a list that hardly ever changes costs a call a day."""

    weights: dict[CollectionName, Weight] = {}
    """How much more a change of this collection matters than one of another. Four times the weight halves the delay.
    0: only `oldest` counts. By default, invoices and purchase orders have 4, payments 2, all others 1.
    """

    def weight_of(self, collection: str) -> float:
        return self.weights.get(collection, _WEIGHTS.get(collection, 1.0))


_WEIGHTS = {"invoices": 4.0, "purchase_orders": 4.0, "payments": 2.0}


class FetchDetails(Section):
    """Fetches items, payments and attachments of new or changed documents."""

    collections: DetailCollections = DOCUMENTS
    """The collections whose details are fetched: by default all mirrored documents. Each detail costs one call."""


class TakeCensus(Section):
    """Lists all ids of a collection, to find records that scans missed or that were deleted."""

    every: Seconds = 7 * 86_400.0
    """Seconds between two censuses of one collection. A week, because a census costs as many calls as a first
    scan.
    """

    max_vanished: Share = 0.2
    """Share of a collection's live rows that one census may mark vanished. If more than a few rows are missing and
    they exceed this share, the census is refused and reported: a key that lost a role looks like mass deletion.
    """


class Daemon(Section):
    """The program as a service."""

    stuck_after: Seconds = 900.0
    """Seconds without a sign of life after which a lap, or the saving of webhooks, counts as stuck. Health then
    reports it, and a service manager that watches restarts the program. Calls and statements have much shorter
    timeouts; this value must be at least twice the timeout of calls.
    """

    control_socket: Path | None = None
    """Socket on which the service accepts the commands of `payments`. No default: without it, a socket beside the
    state, with its name and `.control`. If the state is on a server, the socket is in the directory that systemd
    provides while the service runs; without systemd, it is beside the configuration or, if nothing can be written
    there, in the working directory. Set it if the service cannot make a socket in the directory of the state. Only
    the user who runs the service, and root, can use the socket.
    """


class Log(Section):
    """What is logged, and how."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], Lower, one_of(("debug", "info", "warning", "error"))
    ] = "info"
    """The least important level that is logged."""

    format: Annotated[Literal["auto", "json", "console"], Lower, one_of(("auto", "json", "console"))] = "auto"
    """json: one object a line; console: for people; auto: console on a terminal, else json."""
