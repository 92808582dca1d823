"""sandbox and demo: the local Precoro, and the demo that runs against it"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from precoro_daemon.cli.running import echo, make_console, run_async

if TYPE_CHECKING:
    from precoro_daemon.sandbox import Sandbox, SandboxOptions

_ORDERS = ("created_desc", "created_asc", "updated_desc", "updated_asc")
_LIFTED = ("per_second", "per_minute", "per_hour", "per_day", "same_get_per_minute", "same_get_per_hour")
_METAS = ("both", "totals", "has_next")


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True)
@click.option("--size", type=click.Choice(["empty", "small", "medium", "large"]), default="small", show_default=True)
@click.option("--seed", default=1, show_default=True, help="The same seed makes the same company.")
@click.option(
    "--time-scale",
    type=click.FloatRange(1),
    default=1.0,
    show_default=True,
    help="How many times faster than real its time passes.",
)
@click.option("--limits", type=click.Choice(["on", "off"]), default="on", show_default=True)
@click.option(
    "--busy",
    type=click.FloatRange(0),
    default=0.0,
    show_default=True,
    help="Edits, inserts and deletes a minute by its users.",
)
@click.option("--latency", type=click.FloatRange(0), default=0.0, show_default=True, help="Seconds an answer takes.")
@click.option(
    "--order", type=click.Choice(_ORDERS), default=_ORDERS[0], show_default=True, help="How lists are sorted."
)
@click.option(
    "--meta", type=click.Choice(_METAS), default=_METAS[0], show_default=True, help="What pages say of a list."
)
@click.option(
    "--time-zone",
    type=click.FloatRange(-14, 14),
    default=0.0,
    show_default=True,
    help="Hours ahead of UTC of the zone in which it reads modifiedSince.",
)
@click.option(
    "--write-config",
    "into",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write a config.toml and a key for it into DIR, where none is, and show them.",
)
def sandbox(limits: str, into: Path | None, **wishes: Any) -> None:
    """Serve a local Precoro with a made-up company, the documented limits, and faults on demand."""
    from precoro_daemon.sandbox import SandboxOptions

    options = SandboxOptions(limits=limits == "on", **wishes)
    run_async(lambda: _serve(options, into))


@click.command()
@click.option("--into", type=click.Path(path_type=Path), default=Path("demo"), show_default=True, metavar="DIR")
def demo(into: Path) -> None:
    """Mirror a made-up company from the built-in sandbox and show the result."""
    from precoro_daemon.cli.demo import show

    sys.exit(run_async(lambda: show(into, make_console())))


async def _serve(options: SandboxOptions, into: Path | None) -> None:
    import signal

    import anyio

    from precoro_daemon.sandbox import serve

    try:
        async with serve(options) as running:
            click.echo(f"sandbox        {running.url}  (open it in a browser)")
            click.echo(f"X-AUTH-TOKEN   {running.token}")
            click.echo(f"email          {running.email}")
            if into is not None:
                await anyio.to_thread.run_sync(_write_config, into, running, options)
            with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
                async for _ in signals:
                    return
    except* OSError as errors:
        raise click.ClickException(
            f"cannot listen on {options.host}:{options.port}: {errors.exceptions[0]}"
        ) from None


def _write_config(into: Path, running: Sandbox, options: SandboxOptions) -> None:
    """Writes a configuration and a key for the sandbox and prints the configuration. Blocking.

    Files with the same content stay as they are. Raises ConfigurationError if there are others.
    """
    from precoro_daemon.app.new_files import NewFile, write_together
    from precoro_daemon.settings.writing import as_toml

    values: dict[str, dict[str, Any]] = {
        "precoro": {"base_url": running.url, "email": running.email, "token_file": "token"}
    }
    if not options.limits:
        values["limits"] = dict.fromkeys(_LIFTED, 0)
    elif options.time_scale != 1:
        values["limits"] = {"time_scale": options.time_scale}
    into = into.absolute()
    config = into / "config.toml"
    text = as_toml(values, "For the sandbox. Every setting: `precoro-daemon config example`.")
    files = [NewFile(into / "token", f"{running.token}\n", 0o600), NewFile(config, text)]
    if not all(file.path.is_file() and file.path.read_text("utf-8") == file.text for file in files):
        write_together(files, replace=False)
    echo(f"\n{config}:\n\n{text}\nNext, in another terminal: precoro-daemon --once --config {config}")
