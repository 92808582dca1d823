"""the section of custom fields: meaning, unit, reason for the default"""

from __future__ import annotations

from precoro_daemon.settings.sections import Section
from precoro_daemon.settings.values import Seconds


class ResolveCustomFields(Section):
    """Names, options and types of the custom fields that documents, lines, items and suppliers have."""

    refresh_after: Seconds = 7 * 86_400.0
    """Seconds after which a definition is asked for again; also one that is gone or forbidden. A week: definitions
    change rarely, and one whose row in a mirrored list changed is asked for at once."""
