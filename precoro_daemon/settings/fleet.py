"""[fleet]: several workers that share the companies of one database"""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from precoro_daemon.runtime.tenure import SHORTEST_LEASE_S
from precoro_daemon.settings.sections import Section
from precoro_daemon.settings.values import Allowed, Label, read_seconds

Rate = Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False), Allowed("calls a second, more than 0, up to 1000")]
Count = Annotated[int, Field(ge=1, le=100_000), Allowed("a whole number from 1 on")]

LeaseTime = Annotated[
    float, BeforeValidator(read_seconds), Field(ge=SHORTEST_LEASE_S, le=3600), Allowed('15s to 1h, such as "30s"')
]


class Fleet(Section):
    """Workers that share the companies of one database. It works where `state.url` in defaults.toml is a PostgreSQL
    database: each `fleet run` with that is a worker, and each company is served by one of them."""

    lease: LeaseTime = SHORTEST_LEASE_S
    """Seconds without a sign of life after which the others take a worker's companies. Shorter than 15 leaves too
    little of it for a payment that is under way; longer outlives longer pauses of the network."""

    egress: Label | None = None
    """The name of the address by which this worker calls Precoro. Workers with the same name divide calls_per_second.
    No default: the host's name, as workers of one machine have one address. Give one where machines share a
    gateway."""

    calls_per_second: Rate | None = None
    """Calls that leave by one address in a second, of all its companies together. No default: Precoro's limits are
    those of each key, and it names none for an address. Set it where a gateway has a limit, or to be gentle: traffic
    that hurts Precoro's stability can get an address blocked."""

    most: Count | None = None
    """The most companies that this worker takes, by its memory: 75 MB, and 4 MB for each. No default: its even share.
    Where all have as many as they may, the rest waits, and the page says so."""

    worker: Label | None = None
    """The name of this worker, by which a person drains it or moves companies to it. No default: the host's name,
    which is enough with one worker a machine."""
