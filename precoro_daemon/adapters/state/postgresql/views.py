"""the views people query, in the words of PostgreSQL"""

from __future__ import annotations

from pathlib import Path

from precoro_daemon.adapters.state.statements import read_named


def view_definitions() -> list[str]:
    """CREATE VIEW statements, in an order in which they can be run."""
    templates = read_named(Path(__file__).with_name("views.sql"))
    options = templates["custom_field_options"]
    return [
        templates["custom_fields"],
        options.format(view="custom_field_options", which="options.latest AND options.until IS NULL"),
        options.format(view="custom_field_option_history", which="TRUE"),
    ]
