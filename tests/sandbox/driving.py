"""How the sandbox's tests talk to it: a session with the key, and the key alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import aiohttp

from precoro_daemon.sandbox import Sandbox, SandboxOptions, serve

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
AGENT = "sandbox-tests/1"


def key(sandbox: Sandbox) -> dict[str, str]:
    return {"X-AUTH-TOKEN": sandbox.token, "email": sandbox.email, "User-Agent": AGENT}


@asynccontextmanager
async def session(sandbox: Sandbox, **headers: str) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(sandbox.url, headers=key(sandbox) | headers) as opened:
        yield opened


@asynccontextmanager
async def company(**options: Any) -> AsyncIterator[tuple[Sandbox, aiohttp.ClientSession]]:
    """A sandbox and a session to it; limits off unless asked for, a fixed start."""
    chosen = SandboxOptions(**{"limits": False, "start": START} | options)
    async with serve(chosen) as sandbox, session(sandbox) as opened:
        yield sandbox, opened


async def get(http: aiohttp.ClientSession, path: str, status: int = 200) -> Any:
    async with http.get(path) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json(content_type=None)


async def send(
    http: aiohttp.ClientSession, method: str, path: str, fields: Mapping[str, Any], status: int = 200
) -> Any:
    async with http.request(method, path, data=fields) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json(content_type=None)


async def scan(http: aiohttp.ClientSession, path: str, size: int = 20) -> list[dict[str, Any]]:
    """All rows of a list, page after page, by whatever the meta says."""
    rows: list[dict[str, Any]] = []
    number = 1
    while True:
        mark = "&" if "?" in path else "?"
        body = await get(http, f"{path}{mark}page={number}&per_page={size}")
        rows += body["data"]
        pagination = body.get("meta", {}).get("pagination", {})
        more = pagination.get("has_next_page", number < pagination.get("total_pages", 1))
        if not more:
            return rows
        number += 1


def inner(value: Any) -> list[dict[str, Any]]:
    """The rows of a nested collection in any of its shapes."""
    if isinstance(value, dict):
        value = value.get("data", value)
    return list(value.values()) if isinstance(value, dict) else list(value)
