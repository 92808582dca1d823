"""failed things that are kept apart, by the stage at which they failed"""

from __future__ import annotations

from enum import StrEnum


class Stage(StrEnum):
    """Where something failed. The key of a list, or of the directory of files, is its name; every other key is a
    record's.
    """

    SCAN = "scan"
    """A list could not be read to its end."""
    CENSUS = "census"
    """A whole list was read, and lacks too many records to be believed."""
    RECORD = "record"
    """A list row is unreadable. It is not retried, but read again when Precoro sends it in another form."""
    DETAIL = "detail"
    """A document could not be fetched."""
    DEFINITION = "definition"
    """The definition of a custom field could not be fetched."""
    WITHHELD = "withheld"
    """The definition of a custom field is gone or forbidden: a fact, not a failure."""
    FILE = "file"
    """An attached file could not be fetched."""
    PAYMENT = "payment"
    """An invoice lacks what payments need, or cannot be fetched, while others can: its payments wait. The key is its
    idn.
    """
    FOLDER = "folder"
    """No file can be stored at all."""
