"""items: plans, applies, shows and drops changes of a supplier's items, and pulls them into a file"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from precoro_daemon.cli.output import is_quiet, wants_json
from precoro_daemon.cli.running import (
    NO_CALL,
    config_option,
    echo,
    echo_data,
    exit_code,
    load,
    make_console,
    run_async,
)
from precoro_daemon.values.visible_text import visible

if TYPE_CHECKING:
    from precoro_daemon.catalogue.ports.plans import PlanState
    from precoro_daemon.runtime.job import RunReport
    from precoro_daemon.status.progress import Progress

_supplier_option = click.option(
    "--supplier", required=True, metavar="NAME", help="The supplier, by Precoro's id, unique code or external id."
)


@click.group()
@config_option
@click.pass_context
def items(ctx: click.Context, config: Path | None) -> None:
    """Keep a supplier's items as a file or a table has them."""
    ctx.obj = config or ctx.obj


@items.command()
@_supplier_option
@click.option(
    "--force", is_flag=True, help="Though there are far fewer rows than last time, or names that look wrong."
)
@click.option("--all", "everything", is_flag=True, help="Show every change.")
@config_option
@click.pass_obj
def plan(parent: Path | None, /, config: Path | None, supplier: str, **given: bool) -> None:
    """Read what is wanted, compare it with Precoro, and show what would change. Sends nothing."""
    settings = load(config or parent)
    from precoro_daemon.app.items import plan_items
    from precoro_daemon.cli import item_tables

    with _watched() as progress:
        made = run_async(partial(plan_items, settings, supplier, force=given["force"], progress=progress))
    if wants_json():
        echo_data(item_tables.outline_as_json(made))
    else:
        make_console().print(item_tables.outline(made, everything=given["everything"]))


@items.command()
@_supplier_option
@click.option("--yes", is_flag=True, help="Do not ask; needed where nobody can answer.")
@config_option
@click.pass_obj
def apply(parent: Path | None, config: Path | None, supplier: str, yes: bool) -> None:
    """Carry out the plan that `items plan` showed, and no other. What today's quota does not allow goes on later."""
    settings = load(config or parent)
    from precoro_daemon.app.items import apply_plan, view_plan
    from precoro_daemon.catalogue.rules.write_states import OPEN
    from precoro_daemon.cli import item_tables

    view = run_async(lambda: view_plan(settings, supplier, *OPEN))
    if view.state.ended or not view.writes:
        echo(f"{item_tables.plan_line(view.state)}; nothing is left to do")
        return
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("nobody is there to ask; read `items plan` first, then give --yes")
        click.confirm(visible(item_tables.question(view)), abort=True)
    with _progress(len(view.writes)) as on_progress:
        report, state = run_async(lambda: apply_plan(settings, supplier, view.state.number, on_progress))
    _tell(report)
    echo(item_tables.plan_line(state))
    sys.exit(exit_code(report) or (3 if state.open else 0))


@items.command()
@_supplier_option
@config_option
@click.pass_obj
def show(parent: Path | None, config: Path | None, supplier: str) -> None:
    """Show how far the last plan is, and what was refused, skipped or is in doubt."""
    settings = load(config or parent, spare=NO_CALL)
    from precoro_daemon.app.items import view_plan
    from precoro_daemon.cli import item_tables

    view = run_async(lambda: view_plan(settings, supplier))
    if wants_json():
        echo_data(item_tables.plan_as_json(view))
    else:
        make_console().print(item_tables.plan_state(view))


@items.command()
@_supplier_option
@config_option
@click.pass_obj
def drop(parent: Path | None, config: Path | None, supplier: str) -> None:
    """Give up what is left of a plan. What may have been sent is still checked."""
    settings = load(config or parent, spare=NO_CALL)
    from precoro_daemon.app.items import drop_plan
    from precoro_daemon.cli import item_tables

    echo(item_tables.plan_line(run_async(lambda: drop_plan(settings, supplier))))


@items.command()
@_supplier_option
@click.option("--to", "path", type=click.Path(path_type=Path), required=True, metavar="FILE", help=".csv or .jsonl")
@config_option
@click.pass_obj
def pull(parent: Path | None, config: Path | None, supplier: str, path: Path) -> None:
    """Write the supplier's items as they are to a file, to start from. Planned again, it changes nothing."""
    settings = load(config or parent)
    from precoro_daemon.app.items import pull_items
    from precoro_daemon.cli import item_tables

    with _watched() as progress:
        found = run_async(lambda: pull_items(settings, supplier, path, progress))
    make_console().print(item_tables.pulled(found))


def _tell(report: RunReport) -> None:
    most = 20
    for line in report.failed[:most]:
        echo(line)
    if len(report.failed) > most:
        echo(f"and {len(report.failed) - most:,} more; `items show` has them")
    if report.spent:
        echo(f"{report.spent}; `--once` or `items apply` goes on then")


@contextmanager
def _watched() -> Iterator[Progress]:
    """Shows progress on a terminal while Precoro is read, because the first list of items may take long."""
    from precoro_daemon.app.values import wall_clock
    from precoro_daemon.cli.screen import LiveScreen
    from precoro_daemon.status.progress import Silent

    if is_quiet() or wants_json() or not sys.stdout.isatty():
        yield Silent()
        return
    screen = LiveScreen(make_console(), wall_clock())
    with screen.live():
        yield screen


@contextmanager
def _progress(writes: int) -> Iterator[Callable[[PlanState, int], None]]:
    """Shows a progress bar on a terminal, and nothing elsewhere. Yields the callback that advances it."""
    from rich import progress

    columns = (
        *progress.Progress.get_default_columns()[:2],
        progress.MofNCompleteColumn(),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(
        *columns, console=make_console(), disable=is_quiet() or wants_json() or not sys.stdout.isatty()
    ) as bar:
        task = bar.add_task("items", total=writes)
        yield lambda _plan, finished: bar.update(task, completed=finished)
