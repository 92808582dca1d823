"""[resolve_custom_fields]: custom fields"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from precoro_daemon.settings.sections import Section
from precoro_daemon.settings.values import Allowed, Seconds


class ResolveCustomFields(Section):
    """Fetches names, options and types of the custom fields of documents, lines, items and suppliers."""

    refresh_after: Annotated[
        Seconds, Field(ge=3600), Allowed('a duration of at least 1h, such as "7d", or whole seconds')
    ] = 7 * 86_400.0
    """Seconds after which a definition is fetched again, also one that is gone or forbidden. A week: definitions
    change rarely, and if the row of a definition in a mirrored list has changed, it is fetched at once. At least
    an hour, because a run that takes longer than this would never end.
    """
