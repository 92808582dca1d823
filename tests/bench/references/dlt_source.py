"""dlt's rest_api source to JSON lines in files, as its documentation sets it up.

`python dlt_source.py URL FOLDER`; dlt's telemetry is switched off in the environment.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import dlt
from dlt.sources.rest_api import rest_api_source

url, folder = sys.argv[1], Path(sys.argv[2]).resolve()
key = {"X-AUTH-TOKEN": os.environ["PRECORO_TOKEN"], "email": os.environ["PRECORO_EMAIL"], "User-Agent": "dlt/1"}
pages = {"type": "page_number", "base_page": 1, "page_param": "page", "total_path": "meta.pagination.total_pages"}
invoices = {"path": "invoices", "params": {"per_page": 200}, "data_selector": "data"}
source = rest_api_source(
    {
        "client": {"base_url": url, "headers": key, "paginator": pages},
        "resources": [{"name": "invoices", "endpoint": invoices, "max_table_nesting": 0}],
    }
)
pipeline = dlt.pipeline(
    "bench",
    pipelines_dir=str(folder / "pipelines"),
    destination=dlt.destinations.filesystem(bucket_url=(folder / "files").as_uri()),
    dataset_name="bench",
)
pipeline.run(source, loader_file_format="jsonl")
