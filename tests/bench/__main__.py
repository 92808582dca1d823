"""`python -m tests.bench [name ...]`: measure, print one table, and renew these rows of the manual's; without names
all but the long ones, in about half an hour."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench import (
    companies,
    custom_fields,
    deliveries,
    details,
    exports,
    files,
    fleets,
    forecasts,
    freshness,
    incremental,
    items,
    ledger,
    limits,
    manual_rows,
    memory,
    mirror,
    months,
    network,
    payments,
    postgresql,
    startup,
    uploads,
)
from tests.bench.figures import Line, table
from tests.bench.processes import CLIENT_CORE, SERVER_CORE

BENCHMARKS: Mapping[str, Callable[[Path], Iterator[Line]]] = {
    "mirror": mirror.full,
    "unchanged": mirror.unchanged,
    "latency": mirror.slow,
    "memory": memory.peak,
    "incremental": incremental.calls,
    "details": details.cost,
    "fields": custom_fields.resolving,
    "limits": limits.pace,
    "network": network.pace,
    "files": files.many,
    "large_file": files.large,
    "uploads": uploads.many,
    "payments": payments.compare,
    "postgresql": postgresql.commits,
    "ledger": ledger.compare,
    "items": items.plan,
    "deliveries": deliveries.flood,
    "exports": exports.out,
    "pushes": exports.pushes,
    "start": startup.first_request,
    "help": startup.help_text,
    "status": startup.status,
}

LONG: Mapping[str, Callable[[Path], Iterator[Line]]] = {
    "companies": companies.many,
    "first_mirrors": companies.first_mirrors,
    "fleet": fleets.hand_over,
    "forecast": forecasts.first_fill,
    "freshness": freshness.planned,
    "million": memory.million,
    "week": months.week,
    "month": months.month,
}
"""Only by name."""

_ON_DISK = "/var/tmp"
"""Kept over a restart, so never in memory, where a durable write would cost nothing."""


def main(names: list[str]) -> int:
    known = {**BENCHMARKS, **LONG}
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    this_run = manual_rows.this_run()
    os.sched_setaffinity(0, {CLIENT_CORE})
    print(f"server on core {SERVER_CORE}, client on core {CLIENT_CORE}; load by others {os.getloadavg()[0]:.1f}")
    lines: list[Line] = []
    for name in names or BENCHMARKS:
        print(f"{name}:", flush=True)
        with TemporaryDirectory(dir=_ON_DISK) as folder:
            found = list(known[name](Path(folder)))
        manual_rows.write(name, found, this_run, list(known))
        lines += found
    print(f"\n{table(lines)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
