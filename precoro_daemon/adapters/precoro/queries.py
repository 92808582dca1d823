"""the API's query parameters for the wanted rows of a list"""

from __future__ import annotations

from datetime import UTC, datetime

from precoro_daemon.adapters.http.exchange import Pairs
from precoro_daemon.mirror.ports.precoro import ListRequest
from precoro_daemon.mirror.rules.filters import Filter


def list_query(wanted: ListRequest) -> Pairs:
    pairs = _filter_query(wanted.filter)
    if wanted.since is not None:
        pairs.append(("modifiedSince", _text(datetime.fromtimestamp(wanted.since, UTC))))
    return tuple(pairs)


def page_query(number: int | str, per_page: int) -> Pairs:
    """`number` may be "last"."""
    return (("page", str(number)), ("per_page", str(per_page)))


def external_ids_query(names: list[str]) -> Pairs:
    return tuple(("external_id[]", name) for name in names)


def _filter_query(chosen: Filter) -> list[tuple[str, str]]:
    """Returns the parameters. Approval dates are DD.MM.YYYY, all others ISO."""
    pairs = [("status[]", str(number)) for number in sorted(chosen.status)]
    pairs += [("supplier[]", str(number)) for number in sorted(chosen.supplier)]
    if chosen.modified_since is not None:
        pairs.append(("modifiedSince", _text(chosen.modified_since)))
    if chosen.approved_from is not None:
        pairs.append(("approvalDate[left_date]", chosen.approved_from.strftime("%d.%m.%Y")))
    if chosen.approved_to is not None:
        pairs.append(("approvalDate[right_date]", chosen.approved_to.strftime("%d.%m.%Y")))
    if chosen.attached_files_only:
        pairs.append(("attachedFile", "1"))
    return pairs


def _text(moment: datetime) -> str:
    """Returns the time in UTC, which Precoro assumes for a time without offset."""
    moment = moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
    return moment.isoformat(timespec="seconds")
