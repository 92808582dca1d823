"""`python -m tests.docs.pictures`: the pictures of the manual, taken of the real program at work on a sandbox.

A made-up company is mirrored for a simulated day, people pay and are paid, and then the page and the terminal are
recorded. Needs chromium, for the page alone.
"""

from __future__ import annotations

import io
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from tempfile import gettempdir

import anyio
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from precoro_daemon.sandbox import Sandbox, SandboxOptions, serve
from precoro_daemon.sandbox import ledger as sandbox_ledger
from tests.docs.generate import MANUAL

_SPEED = 600.0
_A_DAY = 86_400 / _SPEED
_WIDTH = 84

_CONFIG = """
[precoro]
base_url = "{sandbox.url}"
email = "{sandbox.email}"
token_file = "token"

[limits]
time_scale = {speed:.0f}

[mirror_collections]
collections = ["purchase_orders", "invoices", "receipts", "payments", "suppliers", "items", "contracts", "users"]

[fetch_attachments]
directory = "files"
reserve_bytes = 0

[daemon]
stuck_after = "30d"

[watch]
listen = "127.0.0.1:{port}"

{books}
"""
_PLACE = Path(gettempdir()) / "acme"
_PAGE = (940, 1120)
_FONTS_OF_OTHERS = re.compile(r"^\s*@font-face \{.*?\n    \}\n", re.DOTALL | re.MULTILINE)
_LIGHT = TerminalTheme(
    (255, 255, 255),
    (36, 41, 47),
    [
        (36, 41, 47), (179, 29, 40), (26, 110, 50), (149, 96, 0),
        (3, 87, 177), (111, 66, 193), (10, 110, 120), (90, 98, 106),
    ],
)  # fmt: skip


async def take(directory: Path) -> None:
    async with serve(SandboxOptions(size="medium", time_scale=_SPEED, busy=0.1)) as sandbox:
        port = _prepare(directory, sandbox)
        sandbox_ledger.found(directory / "books.db")
        await _run(directory, "--once", "--only", "mirror_collections")
        sandbox_ledger.pay_some(directory / "books.db", sandbox.company, 8)
        await _run(directory, "payments", "arm")
        async with await anyio.open_process(_program("run"), cwd=directory, stdout=subprocess.DEVNULL) as service:
            await anyio.sleep(_A_DAY)
            await _photograph(f"http://127.0.0.1:{port}/", MANUAL / "status-page.png")
            service.send_signal(signal.SIGTERM)
            await service.wait()
        screens = [("status",), ("payments", "review")]
        said = [(words, await anyio.to_thread.run_sync(_on_a_terminal, directory, words)) for words in screens]
    _draw(said, MANUAL / "terminal.svg")


def _prepare(directory: Path, sandbox: Sandbox) -> int:
    """The port of the page."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    (directory / "token").touch(mode=0o600)
    (directory / "token").write_text(sandbox.token)
    ledger = sandbox_ledger.configuration(directory / "books.db")
    text = _CONFIG.format(sandbox=sandbox, speed=_SPEED, port=port, books=ledger)
    (directory / "config.toml").write_text(text)
    return port


def _program(*words: str) -> list[str]:
    return [sys.executable, "-m", "precoro_daemon", *words]


async def _run(directory: Path, *words: str) -> None:
    await anyio.run_process(_program(*words), cwd=directory, check=False)


async def _photograph(address: str, into: Path) -> None:
    width, height = _PAGE
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-lcd-text")
    shot = (f"--window-size={width},{height}", f"--screenshot={into}")
    await anyio.run_process(["chromium", *options, *shot, address], stderr=subprocess.DEVNULL)


def _on_a_terminal(directory: Path, words: tuple[str, ...]) -> str:
    """What the command writes where it believes a person reads it."""
    screen, keyboard = pty.openpty()
    environment = os.environ | {"COLUMNS": str(_WIDTH), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    said = b""
    with subprocess.Popen(_program(*words), cwd=directory, stdout=keyboard, env=environment):
        os.close(keyboard)
        while piece := _read(screen):
            said += piece
    os.close(screen)
    return said.decode().replace("\r\n", "\n")


def _read(screen: int) -> bytes:
    try:
        return os.read(screen, 65_536)
    except OSError:  # the last program on a terminal ended
        return b""


def _draw(said: list[tuple[tuple[str, ...], str]], into: Path) -> None:
    console = Console(record=True, width=_WIDTH, file=io.StringIO(), color_system="truecolor", force_terminal=True)
    for words, text in said:
        console.print(f"[bold]$ precoro-daemon {' '.join(words)}[/]", highlight=False)
        console.print(Text.from_ansi(text))
    drawing = console.export_svg(title="precoro-daemon", theme=_LIGHT, unique_id="terminal")
    into.write_text(_FONTS_OF_OTHERS.sub("", drawing), "utf-8")


if __name__ == "__main__":
    _PLACE.mkdir()  # a short name, as the page shows it
    try:
        anyio.run(take, _PLACE)
    finally:
        shutil.rmtree(_PLACE)
