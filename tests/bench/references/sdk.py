"""precoro-sdk's own way through a list: `iter_all` with its largest page, records discarded. `python sdk.py URL`."""

from __future__ import annotations

import os
import sys

from precoro import PrecoroClient

with PrecoroClient(os.environ["PRECORO_TOKEN"], os.environ["PRECORO_EMAIL"], base_url=sys.argv[1]) as client:
    records = sum(1 for _ in client.invoices.iter_all(per_page=200))
print(records)
