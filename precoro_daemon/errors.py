"""every foreseen failure by name: whether it may be retried, its exit code, a hint for the operator"""

from __future__ import annotations

from collections.abc import Iterable, Iterator


class DaemonError(Exception):
    """A failure that this program foresaw. Its text is written for the operator.

    `has_lines`: the text lists several mistakes, one a line. In any other text, a line break comes from outside.
    """

    exit_code = 1
    has_lines = False


class TemporaryError(DaemonError):
    """The same call may succeed later.

    `wait`: seconds that the other side asked us to wait, None if it did not say.
    """

    def __init__(self, message: str, *, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class ConnectionFault(TemporaryError):
    """No complete answer arrived: refused, reset, cut off or timed out. Usually the network; retried."""


class TimedOut(ConnectionFault):
    """No complete answer arrived within the time a call may take. Retried."""


class ServerFault(TemporaryError):
    """Precoro answered with 5xx or 408. The operator need not act; the call is retried."""


class MalformedAnswer(TemporaryError):
    """The answer has status 200 but is not what was requested: an HTML page, truncated JSON, an empty body.

    Retried, because a proxy or an overloaded server does this for minutes. Never taken as data.
    """


class WebPage(MalformedAnswer):
    """A page for people came instead of data: the login of a hotel's network, a proxy's refusal, a maintenance page.

    Not retried if no good answer came before: such a page comes for hours, and each retry costs a call.
    """


class RateLimited(TemporaryError):
    """Precoro, or the receiver of an export, answered 429.

    For Precoro, the named window stays closed until the time that Precoro gave, and the call is then repeated. An
    export continues when its receiver says.
    """


class PermanentError(DaemonError):
    """Repeating this call gives the same answer. The record is quarantined; the other records continue."""


class KeyInDoubt(TemporaryError):
    """Two calls in a row were answered 403 although the key had been accepted before.

    A third 403 would be taken for a blocked key. Single documents and files therefore wait until another call
    succeeds, a quarter of an hour at most.
    """


class NotFound(PermanentError):
    """Precoro has no such document (404): it was deleted, or the key's user may not see it."""


class Forbidden(PermanentError):
    """The key works, but its user may not read this (403). Give the user the role, or drop the collection."""


class Refused(PermanentError):
    """Precoro refused the request itself (400, 409, 422 ...). The text names what it did not accept."""


class BadRecord(PermanentError):
    """A record cannot be read (no usable id, or not an object). Quarantined with its raw JSON, shown by `status`."""


class InvoiceUnfit(PermanentError):
    """An invoice lacks a field that payments need, or cannot be fetched while others can. Only its payments wait.

    `raw`: what Precoro sent of the invoice
    """

    def __init__(self, message: str, *, raw: str = "") -> None:
        super().__init__(message)
        self.raw = raw


class TooLarge(PermanentError):
    """A file is larger than max_bytes in [fetch_attachments] allows. Raise it, and the file is fetched."""


class AddressRefused(PermanentError):
    """An address is not https, or is private or local: no file comes from it and nothing is pushed to it.

    If it is right, name the host in allowed_hosts of [fetch_attachments] or of the export.
    """


class PushRefused(PermanentError):
    """The receiver of an export refused one record (400, 413, 422 ...).

    The record is pushed again later, for some days; all others continue.
    """


class ReceiverGone(PermanentError):
    """The receiver of an export answered 410: it wants no more.

    That export stops until its url changes, or until `exports replay`.
    """


class ReceiverBusy(TemporaryError):
    """The receiver of an export takes nothing at present (it answered 5xx, 401, 404 ...).

    Nothing is lost; the export continues when the receiver accepts records again.
    """


class ExportsUnusable(DaemonError):
    """Exports that cannot be written, as `check` found them, one a line.

    Each stops alone until its fault is mended.
    """

    has_lines = True

    def __init__(self, message: str, *, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class FolderUnusable(PermanentError):
    """The directory of attached files cannot be used, or something in it is in the way.

    The rest of the run continues; files are fetched once the fault is mended.
    """

    exit_code = 4


class FolderHeld(FolderUnusable):
    """Another process writes files in this directory."""


class FilesBlocked(TemporaryError):
    """No attached file can be stored at present. Files wait; the rest of the run continues."""

    exit_code = 4


class DiskFull(FilesBlocked):
    """The disk of the attached files has only its reserve left. Files wait until more space is free."""


class BucketUnusable(FilesBlocked):
    """The bucket of attached files refuses, is full, or cannot be reached. Files wait until the fault is mended."""


class DiskFault(TemporaryError):
    """The disk failed while a file was written. The partial file is dropped, and the file is fetched again."""


class SeveralFound(PermanentError):
    """The ledger has several payments under one of our keys.

    A person voids all but one there, and adopts that one.
    """


class DoubtfulError(DaemonError):
    """A write may or may not have happened. Never repeated blindly; see the payments journal."""


class SendingStopped(DaemonError):
    """The kill-switch file exists: no payment is sent while it does. Checks and planning continue."""


class DecisionRefused(DaemonError):
    """A person's decision about a payment cannot be carried out, or not now. Nothing was changed."""

    exit_code = 2


class NoticeUnsent(TemporaryError):
    """A message or a heartbeat did not reach its receivers."""


class CommandUnanswered(DaemonError):
    """The service that holds the state did not execute a command in time, or did not confirm it."""


class WantedRefused(DaemonError):
    """A supplier's wanted items have mistakes. All are listed by row and column; nothing was sent."""

    exit_code = 3
    has_lines = True


class PlanRefused(DaemonError):
    """A plan for a supplier's items cannot be made or carried out as it is. Nothing was sent."""

    exit_code = 2


class StaleWrite(DaemonError):
    """Another actor changed a write of a plan after it was read. Nothing was sent; the next lap reads it again."""


class StaleIntent(DaemonError):
    """Another actor changed an intent after it was read. Nothing was written; the next lap reads it again."""


class FatalError(DaemonError):
    """The program cannot continue."""


class ConfigurationError(FatalError):
    """The configuration has mistakes. All of them are listed, with file, line and key."""

    exit_code = 4
    has_lines = True


class PartUnusable(FatalError):
    """One part of the program cannot use something that it needs.

    That part waits until it is mended; all others continue.

    recheck_s  seconds until the next check, if that check calls no other system; None: growing pauses
    """

    recheck_s: float | None = None


class LedgerMisfit(PartUnusable):
    """The ledger and the configuration do not fit.

    A table, column or address does not exist, a password is wrong, or rights are missing.
    """

    exit_code = 4
    has_lines = True


class AnswersChanged(PartUnusable):
    """Precoro's answers no longer have, in the form known before, the fields that payments need.

    Payments wait until an answer has them again.
    """

    recheck_s = 60.0


class LoginNeeded(LedgerMisfit):
    """The accounting system no longer accepts our login. Payments wait until a new login, and none is lost."""


class LoginFailed(DaemonError):
    """A login at the accounting system failed, or lacks rights to read what it needs. Nothing was changed."""

    exit_code = 5


class StoreUnusable(FatalError):
    """The state cannot be used as it is: damaged, of a newer version, of another company, disk full or read-only."""

    exit_code = 4


class StoreUnavailable(StoreUnusable):
    """The state cannot be used at present: another program has locked it, or its disk is full or fails.

    The state itself needs no change; a later start may succeed.
    """

    exit_code = 1


class ListenerUnusable(FatalError):
    """A socket cannot be opened: its directory is missing, or the process lacks the right."""

    exit_code = 4


class AddressTaken(ListenerUnusable):
    """Another program listens on this address, or the address is not up yet. A later start may succeed."""

    exit_code = 1


class Unreachable(FatalError):
    """Nothing answers at Precoro's address. Check the network, a proxy in between, and base_url or region."""


class AuthenticationError(FatalError):
    """Precoro does not accept the key (401, or 403 before any success).

    The token, e-mail or region is wrong, or the key is blocked.
    """

    exit_code = 5


class LockedOut(AuthenticationError):
    """Precoro answered this very call with 403, and no other answer shows that the key is still good."""


class Stopped(DaemonError):
    """The run was asked to end, by a signal or because its time was over. Calls in flight were finished."""

    exit_code = 130


class BudgetSpent(DaemonError):
    """The day's quota for this kind of call is used up, and work is left. Run again when it opens.

    `resume_at`: Unix seconds by the server's clock of the next call that this lane may make.
    """

    exit_code = 6

    def __init__(self, message: str, *, resume_at: float) -> None:
        super().__init__(message)
        self.resume_at = resume_at


class StoreHeld(FatalError):
    """Another instance holds the state. Stop it first, or give this instance its own state."""

    exit_code = 7


class StoreEnrolled(StoreHeld):
    """The state belongs to a fleet, whose workers serve it by leases. `company`: its name in the fleet"""

    def __init__(self, message: str, *, company: str) -> None:
        super().__init__(message)
        self.company = company


class Deposed(StoreHeld):
    """Another worker of the fleet serves the company now, or the lease is too old.

    The company stops here at once, and the worker continues with its others.
    """


def most_severe(errors: Iterable[DaemonError]) -> DaemonError | None:
    """Returns the error that best explains why a run ended: the first fatal one, else the first.

    Returns None if there are no errors.
    """
    known = sorted(errors, key=lambda error: not isinstance(error, FatalError))
    return known[0] if known else None


def leaves(group: BaseExceptionGroup[DaemonError]) -> Iterator[DaemonError]:
    """Yields the failures in a group, also from nested groups."""
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from leaves(error)
        else:
            yield error
