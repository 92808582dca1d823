"""the views for people's queries, in SQLite's dialect"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from precoro_daemon.adapters.state.custom_field_views import custom_field_views
from precoro_daemon.adapters.state.statements import read_named
from precoro_daemon.adapters.state.view_words import Engine
from precoro_daemon.adapters.state.views import define_views


@cache
def view_definitions() -> tuple[str, ...]:
    """Returns CREATE VIEW statements in an order in which they can run."""
    engine = Engine(
        words=read_named(Path(__file__).with_name("views.sql")),
        record="records.data",
        detailed="coalesce(details.data, records.data)",
        document="data",
        owner="owner.data",
        line="line.value",
    )
    words = read_named(Path(__file__).with_name("custom_field_views.sql"))
    return (*define_views(engine), *custom_field_views(words))
