"""[fleet]: several workers that share the companies of one database"""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from precoro_daemon.runtime.tenure import SHORTEST_LEASE_S
from precoro_daemon.settings.sections import Section
from precoro_daemon.settings.values import Allowed, Label, read_seconds

LeaseTime = Annotated[
    float, BeforeValidator(read_seconds), Field(ge=SHORTEST_LEASE_S, le=3600), Allowed('15s to 1h, such as "30s"')
]


class Fleet(Section):
    """Workers that share the companies of one database. It works where `state.url` in defaults.toml is a PostgreSQL
    database: each `fleet run` with that is a worker, and each company is served by one of them."""

    lease: LeaseTime = SHORTEST_LEASE_S
    """Seconds without a sign of life after which the others take a worker's companies. Shorter than 15 leaves too
    little of it for a payment that is under way; longer outlives longer pauses of the network."""

    worker: Label | None = None
    """The name of this worker, by which a person drains it or moves companies to it. No default: the host's name,
    which is enough with one worker a machine."""
