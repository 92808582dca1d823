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
    """Several workers that share the companies of one database. The fleet needs a PostgreSQL database as `state.url`
    in defaults.toml. Each `fleet run` with this database is a worker, and each company is served by one worker.
    """

    lease: LeaseTime = SHORTEST_LEASE_S
    """Seconds without a sign of life after which other workers take over a worker's companies. Less than 15 would
    leave too little time for a payment that is under way. A longer lease survives longer interruptions of the
    network.
    """

    egress: Label | None = None
    """The name of the address from which this worker calls Precoro. Workers with the same name share
    calls_per_second. No default: without it, the host's name, because the workers of one machine share an address.
    Set it if several machines share a gateway.
    """

    calls_per_second: Rate | None = None
    """Calls a second that leave from one address, for all its companies together. No default: Precoro's limits apply
    to each key, and it documents none for an address. Set it if a gateway has a limit, or to be gentle: Precoro
    may block an address whose traffic hurts its stability.
    """

    most: Count | None = None
    """The most companies that this worker takes, as its memory allows: 75 MB, and 4 MB for each company. No default:
    without it, an even share. If all workers are full, the remaining companies wait, and the page says so.
    """

    worker: Label | None = None
    """The name of this worker, which a person gives to drain it or to move companies to it. No default: without it,
    the host's name, which is enough with one worker on each machine.
    """
