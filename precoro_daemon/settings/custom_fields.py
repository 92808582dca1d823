"""the section of custom fields: meaning, unit, reason for the default"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from precoro_daemon.settings.sections import Section
from precoro_daemon.settings.values import Allowed, Seconds


class ResolveCustomFields(Section):
    """Names, options and types of the custom fields that documents, lines, items and suppliers have."""

    refresh_after: Annotated[
        Seconds, Field(ge=3600), Allowed('a duration of at least 1h, such as "7d", or whole seconds')
    ] = 7 * 86_400.0
    """Seconds after which a definition is asked for again; also one that is gone or forbidden. A week: definitions
    change rarely, and one whose row in a mirrored list changed is asked for at once. Never below an hour: a run that
    is longer than that would not end."""
