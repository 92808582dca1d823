"""what failed and is kept apart, by the stage at which it failed"""

from __future__ import annotations

from enum import StrEnum


class Stage(StrEnum):
    """Where something failed. Of lists and of the directory of files the key is the thing itself; else a record's."""

    SCAN = "scan"
    """A list could not be read to its end."""
    CENSUS = "census"
    """A whole list was read, and what it lacks is too much to be believed."""
    RECORD = "record"
    """A list row cannot be read. It is not tried again: it is read anew when Precoro sends it otherwise."""
    DETAIL = "detail"
    """A document did not come."""
    DEFINITION = "definition"
    """The definition of a custom field did not come."""
    WITHHELD = "withheld"
    """The definition of a custom field is gone or forbidden: a fact, not a failure."""
    FILE = "file"
    """An attached file did not come."""
    PAYMENT = "payment"
    """An invoice lacks what payments go by, or does not come, and others do: its payments wait. By its idn."""
    FOLDER = "folder"
    """No file can be kept at all."""
