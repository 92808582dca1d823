"""every failure by name: may it be retried, exit code, hint for the operator"""

from __future__ import annotations

from collections.abc import Iterable, Iterator


class DaemonError(Exception):
    """Something failed that this program foresaw. Its text is written for the operator.

    `has_lines`: the text lists several mistakes, a line each. In any other a line break is somebody else's.
    """

    exit_code = 1
    has_lines = False


class TemporaryError(DaemonError):
    """The same call may succeed later.

    `wait` is the number of seconds the other side asked us to wait, None if it did not say.
    """

    def __init__(self, message: str, *, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class ConnectionFault(TemporaryError):
    """No complete answer arrived: refused, reset, cut off or timed out. Usually the network; retried by itself."""


class TimedOut(ConnectionFault):
    """No complete answer arrived within the time a call may take. Retried by itself."""


class ServerFault(TemporaryError):
    """Precoro answered with 5xx or 408. Nothing to do; retried by itself."""


class MalformedAnswer(TemporaryError):
    """The answer has status 200 but is not what was asked for: an HTML page, half a JSON, nothing at all.

    Retried, because a proxy or an overloaded server does this for minutes, never taken as data.
    """


class WebPage(MalformedAnswer):
    """A page for people came instead of data: the login of a hotel's network, a proxy's refusal, a maintenance page.
    Where no good answer came before, not retried: it comes for hours, and each try costs a call."""


class RateLimited(TemporaryError):
    """Precoro answered 429: the named window is kept closed until Precoro's own time, and the call is repeated then.
    Or the receiver of an export did: the export goes on when it says."""


class PermanentError(DaemonError):
    """Repeating this call gives the same answer. The record is quarantined; its siblings go on."""


class KeyInDoubt(TemporaryError):
    """Two calls in a row were answered 403 where the key was welcome. One more would be taken for a blocked key, so
    single documents and files wait until another call succeeds, a quarter of an hour at most."""


class NotFound(PermanentError):
    """Precoro has no such document (404): it was deleted, or the key's user may not see it."""


class Forbidden(PermanentError):
    """The key works, but its user may not read this (403). Give the user the role, or drop the collection."""


class Refused(PermanentError):
    """Precoro refused the request itself (400, 409, 422 ...). The text names what it did not accept."""


class BadRecord(PermanentError):
    """A record cannot be read (no usable id, or not an object). Quarantined with its raw JSON, shown by `status`."""


class InvoiceUnfit(PermanentError):
    """An invoice lacks what payments go by, or does not come, and others do. Its payments wait, all others go on.

    `raw`: what Precoro sent of it
    """

    def __init__(self, message: str, *, raw: str = "") -> None:
        super().__init__(message)
        self.raw = raw


class TooLarge(PermanentError):
    """A file is larger than max_bytes in [fetch_attachments] allows. Raise it, and the file is fetched."""


class AddressRefused(PermanentError):
    """An address leads where no file may come from and nothing may be pushed: not https, or to a private or local
    address. Name the host in allowed_hosts of [fetch_attachments] or of the export if it is right."""


class PushRefused(PermanentError):
    """The receiver of an export refused one record (400, 413, 422 ...). It is pushed again later, for some days; all
    others go on."""


class ReceiverGone(PermanentError):
    """The receiver of an export answered 410: it wants no more. That export stops until its url is another one, or
    until `exports replay`."""


class ReceiverBusy(TemporaryError):
    """The receiver of an export answered that it takes nothing at present (5xx, 401, 404 ...). Nothing is lost;
    the export goes on when it does."""


class ExportsUnusable(DaemonError):
    """What `check` found of exports that cannot be written, a line each. Each stops alone until that is mended."""

    has_lines = True

    def __init__(self, message: str, *, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class FolderUnusable(PermanentError):
    """The directory of attached files cannot be used, or something in it is in the way. The rest of the run goes on;
    files are fetched when that is mended."""

    exit_code = 4


class FolderHeld(FolderUnusable):
    """Another process writes files there."""


class FilesBlocked(TemporaryError):
    """No attached file can be kept at present. Files wait; the rest of the run goes on."""

    exit_code = 4


class DiskFull(FilesBlocked):
    """The disk of the attached files has no more room than it must keep. Files wait until there is more."""


class BucketUnusable(FilesBlocked):
    """The bucket of attached files refuses, is full, or cannot be reached. Files wait until that is mended."""


class DiskFault(TemporaryError):
    """The disk failed while a file was written. What was written is dropped, and the file fetched again."""


class SeveralFound(PermanentError):
    """The ledger has several payments under one key of ours. A person voids all but one there, and adopts it."""


class DoubtfulError(DaemonError):
    """A write may or may not have happened. Never repeated blindly; see the payments journal."""


class SendingStopped(DaemonError):
    """The kill-switch file is there: no payment is sent while it is. Looking and planning go on."""


class DecisionRefused(DaemonError):
    """What a person wanted done with a payment cannot be done, or not now. Nothing was changed."""

    exit_code = 2


class NoticeUnsent(TemporaryError):
    """A message or a sign of life did not reach those who wait for it."""


class CommandUnanswered(DaemonError):
    """The service that holds the state did not come to what it was asked to do, or did not say so."""


class WantedRefused(DaemonError):
    """What is wanted of a supplier's items has mistakes. All are listed by row and column; nothing was sent."""

    exit_code = 3
    has_lines = True


class PlanRefused(DaemonError):
    """A plan for a supplier's items cannot be made or carried out as it is. Nothing was sent."""

    exit_code = 2


class StaleWrite(DaemonError):
    """A write of a plan was moved by somebody else since it was read. Nothing was sent; the next lap reads anew."""


class StaleIntent(DaemonError):
    """An intent was moved by somebody else since it was read. Nothing was written; the next lap reads it anew."""


class FatalError(DaemonError):
    """The program cannot go on."""


class ConfigurationError(FatalError):
    """The configuration has mistakes. All of them are listed, with file, line and key."""

    exit_code = 4
    has_lines = True


class PartUnusable(FatalError):
    """What one part of the program needs cannot be used. That part waits until it is mended; all others go on.

    recheck_s  seconds after which it may be checked again, where that asks nobody; None: after growing rests
    """

    recheck_s: float | None = None


class LedgerMisfit(PartUnusable):
    """Ledger and configuration do not fit: no such table, column or address, a wrong password, missing rights."""

    exit_code = 4
    has_lines = True


class AnswersChanged(PartUnusable):
    """Precoro's answers have not, or not as before, what payments go by. They wait until an answer has it again."""

    recheck_s = 60.0


class LoginNeeded(LedgerMisfit):
    """The accounting system takes our login no more. Log in again; payments wait until then, and none is lost."""


class LoginFailed(DaemonError):
    """A login at the accounting system did not succeed, or may not read what it needs. Nothing was changed."""

    exit_code = 5


class StoreUnusable(FatalError):
    """The state cannot be used as it is: damaged, of a newer version, of another company, disk full or read-only."""

    exit_code = 4


class StoreUnavailable(StoreUnusable):
    """The state cannot be used at present: another program has locked it, or its disk is full or fails. Nothing about
    it has to change; a later start may succeed."""

    exit_code = 1


class ListenerUnusable(FatalError):
    """A socket cannot be listened on: its directory is missing, or it is not allowed."""

    exit_code = 4


class AddressTaken(ListenerUnusable):
    """Another program listens there, or the address is not up yet. A later start may succeed."""

    exit_code = 1


class Unreachable(FatalError):
    """Nothing answers at Precoro's address. Check the network, a proxy in between, and base_url or region."""


class AuthenticationError(FatalError):
    """Precoro does not accept the key (401, or 403 before any success): token, e-mail or region, or it is blocked."""

    exit_code = 5


class LockedOut(AuthenticationError):
    """Precoro answered this very call with 403, and nothing shows that the key is still good."""


class Stopped(DaemonError):
    """The run was asked to end, by a signal or because its time was over. Calls in flight were finished."""

    exit_code = 130


class BudgetSpent(DaemonError):
    """The day's quota for this kind of call is used up; more is left to do. Run again when it opens.

    `resume_at` is the time (Unix seconds, server's clock) of the next call this lane may make.
    """

    exit_code = 6

    def __init__(self, message: str, *, resume_at: float) -> None:
        super().__init__(message)
        self.resume_at = resume_at


class StoreHeld(FatalError):
    """Another instance holds the state. Stop it first, or give this one a state of its own."""

    exit_code = 7


class StoreEnrolled(StoreHeld):
    """The state belongs to a fleet, whose workers serve it by leases. `company`: its name there"""

    def __init__(self, message: str, *, company: str) -> None:
        super().__init__(message)
        self.company = company


class Deposed(StoreHeld):
    """Another worker of the fleet serves the company now, or the lease is too old. The company stops here at once,
    and the worker goes on with its others."""


def most_severe(errors: Iterable[DaemonError]) -> DaemonError | None:
    """The one that says most of why a run ended: a fatal one before any other, else the first."""
    known = sorted(errors, key=lambda error: not isinstance(error, FatalError))
    return known[0] if known else None


def leaves(group: BaseExceptionGroup[DaemonError]) -> Iterator[DaemonError]:
    """The failures in a group, which task groups may have nested."""
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from leaves(error)
        else:
            yield error
