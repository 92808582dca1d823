"""A source on Airbyte's CDK; its messages go to a file, as a platform would read them from standard output.

`python airbyte_source.py URL FOLDER`
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import requests
from airbyte_cdk.entrypoint import launch
from airbyte_cdk.models import ConnectorSpecification
from airbyte_cdk.sources import AbstractSource
from airbyte_cdk.sources.streams.http import HttpStream

SCHEMA = {"type": "object", "additionalProperties": True, "properties": {"id": {"type": "integer"}}}
KEY = {"X-AUTH-TOKEN": os.environ["PRECORO_TOKEN"], "email": os.environ["PRECORO_EMAIL"], "User-Agent": "airbyte/1"}


class Invoices(HttpStream):
    primary_key = "id"
    url_base = f"{sys.argv[1]}/"

    def path(self, **_: Any) -> str:
        return "invoices"

    def request_headers(self, **_: Any) -> Mapping[str, str]:
        return KEY

    def request_params(self, next_page_token: Mapping[str, int] | None = None, **_: Any) -> Mapping[str, int]:
        return {"per_page": 200, "page": 1, **(next_page_token or {})}

    def next_page_token(self, response: requests.Response) -> Mapping[str, int] | None:
        pagination = response.json()["meta"]["pagination"]
        return {"page": pagination["current_page"] + 1} if pagination["has_next_page"] else None

    def parse_response(self, response: requests.Response, **_: Any) -> Iterable[Mapping[str, Any]]:
        yield from response.json()["data"]

    def get_json_schema(self) -> Mapping[str, Any]:
        return SCHEMA


class Source(AbstractSource):
    def check_connection(self, *_: Any) -> tuple[bool, None]:
        return True, None

    def streams(self, _: Mapping[str, Any]) -> list[Any]:
        return [Invoices()]

    def spec(self, *_: Any) -> ConnectorSpecification:
        return ConnectorSpecification(connectionSpecification={"type": "object"})


if __name__ == "__main__":
    folder = Path(sys.argv[2])
    folder.mkdir(parents=True)
    stream = {"name": "invoices", "json_schema": SCHEMA, "supported_sync_modes": ["full_refresh"]}
    wish = {"stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}
    catalog, config, messages = (folder / name for name in ("catalog.json", "config.json", "messages.jsonl"))
    catalog.write_text(json.dumps({"streams": [wish]}))
    config.write_text("{}")
    with messages.open("wb") as output:
        os.dup2(output.fileno(), sys.stdout.fileno())
    launch(Source(), ["read", "--config", str(config), "--catalog", str(catalog)])
