"""the filters of a list call, read from its query"""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from precoro_daemon.sandbox.refusals import RefusedError
from precoro_daemon.sandbox.rows import Row, Selection

Test = Callable[[Row], bool]
Pairs = list[tuple[str, str]]

_OFFSET = re.compile(r"(Z|[+-]\d\d:?\d\d)$")
PAGING = frozenset({"page", "per_page"})
_DATES = {"approvalDate": "approved", "createDate": "created", "requiredDate": "required"}
_ISO_DATES = {
    "approvalLeftDate": ("approved", "left"), "approvalRightDate": ("approved", "right"),
    "createLeftDate": ("created", "left"), "createRightDate": ("created", "right"),
}  # fmt: skip


def selection(query: Iterable[tuple[str, str]], time_zone: float = 0.0) -> Selection:
    """Returns what a list call selects. Unknown parameters are ignored, as the live API does. Raises RefusedError.

    time_zone  hours ahead of UTC of the zone in which `modifiedSince` without an offset is read
    """
    pairs = sorted((key, value) for key, value in query if key not in PAGING)
    if not pairs:
        return Selection()
    since = [_since(value, time_zone) for key, value in pairs if key == "modifiedSince"]
    tests = [*_choices(pairs), *_ranges(pairs), *_flags(pairs)]
    return Selection(
        key=repr((pairs, time_zone)),
        since=max(since) if since else None,
        test=(lambda row: all(test(row) for test in tests)) if tests else None,
    )


def _since(text: str, time_zone: float) -> int:
    when = moment(text, "modifiedSince")
    return when if _OFFSET.search(text) else when - round(time_zone * 3600)


def moment(text: str, field: str, *, end_of_day: bool = False) -> int:
    """Returns an ISO time or a day as DD.MM.YYYY in seconds since the epoch. Without an offset it is UTC.

    Raises RefusedError.
    """
    try:
        if re.fullmatch(r"\d{2}\.\d{2}\.\d{4}", text):
            when = datetime.strptime(text, "%d.%m.%Y").replace(tzinfo=UTC)
            return int((when + timedelta(days=1, seconds=-1) if end_of_day else when).timestamp())
        when = datetime.fromisoformat(text)
    except ValueError:
        raise RefusedError(field, "This value is not a valid datetime.") from None
    return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())


def _values(pairs: Pairs, name: str) -> set[str] | None:
    """Returns the values of `name=1`, `name[]=1` and `name[0]=1`, also repeated; None if there are none."""
    pattern = re.compile(rf"{re.escape(name)}(\[\d*\])?")
    values = {value for key, value in pairs if pattern.fullmatch(key)}
    return values or None


def _numbers(pairs: Pairs, name: str) -> set[int] | None:
    values = _values(pairs, name)
    try:
        return None if values is None else {int(value) for value in values}
    except ValueError:
        raise RefusedError(name, "This value is not valid.") from None


def _choices(pairs: Pairs) -> Iterable[Test]:
    if (statuses := _numbers(pairs, "status")) is not None:
        yield lambda row: row.status in statuses
    if (kinds := _numbers(pairs, "logicType")) is not None:
        yield lambda row: row.logic in kinds
    if (ids := _numbers(pairs, "id")) is not None:
        yield lambda row: row.id in ids
    if (suppliers := _numbers(pairs, "supplier")) is not None:
        yield lambda row: row.supplier is not None and row.supplier.id in suppliers
    if (externals := _values(pairs, "external_id")) is not None:
        yield lambda row: row.external_id in externals


def _ranges(pairs: Pairs) -> Iterable[Test]:
    for key, value in pairs:
        side = re.fullmatch(r"(\w+)\[(left|right)_date\]", key)
        if side and side[1] in _DATES:
            yield _bound(_DATES[side[1]], side[2], moment(value, key, end_of_day=side[2] == "right"))
        elif key in _ISO_DATES:
            name, edge = _ISO_DATES[key]
            yield _bound(name, edge, moment(value, key))


def _bound(name: str, side: str, when: int) -> Test:
    if side == "left":
        return lambda row: getattr(row, name) >= when
    # A document that never was approved is in no range.
    return lambda row: 0 < getattr(row, name) <= when


def _flags(pairs: Pairs) -> Iterable[Test]:
    for key, value in pairs:
        if key in _FLAGS:
            yield _flag(_FLAGS[key], wanted=value in ("1", "true"))


def _flag(has: Test, *, wanted: bool) -> Test:
    return lambda row: has(row) is wanted


def has_files(row: Row) -> bool:
    return row.files > 0 or bool((row.extra or {}).get("_uploads"))


_FLAGS: dict[str, Test] = {
    "attachedFile": has_files,
    "sent_to_external": lambda row: row.external_id is not None,
    "enable": lambda row: row.enable,
}
