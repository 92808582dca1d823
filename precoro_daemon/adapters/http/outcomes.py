"""the outcome of a call in one of few words, for metrics"""

from __future__ import annotations

from precoro_daemon.adapters.http.exchange import Request
from precoro_daemon.errors import DaemonError, DoubtfulError, MalformedAnswer, TimedOut
from precoro_daemon.mirror.rules.collections import COLLECTIONS

_ROUTES = frozenset({*(one.path for one in COLLECTIONS.values()), "/attachments"})

_DISTINGUISHED = frozenset({400, 401, 403, 404, 408, 409, 422, 429, 500, 502, 503, 504})


def route_of(request: Request) -> str:
    """Returns the path with a placeholder for a record's id: /invoices/{id}; "other" for a foreign path."""
    first, _, rest = request.path.removeprefix("/").partition("/")
    if request.encoded or f"/{first}" not in _ROUTES:
        return "other"
    return f"/{first}/{{id}}" if rest else f"/{first}"


def outcome_of(status: int) -> str:
    return str(status) if status in _DISTINGUISHED else f"{status // 100}xx"


def outcome_of_failure(error: DaemonError) -> str:
    """Returns the outcome if no complete answer arrived."""
    match error:
        case TimedOut():
            return "timeout"
        case MalformedAnswer():
            return "malformed"
        case DoubtfulError():
            return "doubtful"
    return "broken"
