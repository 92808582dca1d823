"""which messages people get: what begins to need them, and what no longer does

Matters are compared with those of the previous comparison, by subject and never by wording. A matter found in two
comparisons in a row is sent once, and its end is sent too. So no message is sent about what mends itself between two
comparisons, and a restart repeats nothing, because present matters are stored in the state. A message that could not
be sent counts as unsent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from precoro_daemon.status.attention import Matter
from precoro_daemon.values.humanize import many, span
from precoro_daemon.values.visible_text import visible


@dataclass(frozen=True, slots=True)
class Standing:
    """A stored matter.

    since  when it was first seen (Unix seconds)
    sent   whether people were notified
    """

    title: str
    since: float
    sent: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """What is stored between two comparisons.

    standing     the matters of the last one, by subject
    digested_at  when the last digest was due (Unix seconds); None before the first comparison
    """

    standing: Mapping[str, Standing] = field(default_factory=dict)
    digested_at: float | None = None


class NoticeBook(Protocol):
    """What people were notified of. Both methods raise StoreUnusable."""

    async def load(self) -> Kept: ...

    async def save(self, kept: Kept) -> None:
        """Replaces what was stored; durable on return."""
        ...


@dataclass(frozen=True, slots=True)
class Notice:
    """The content of one message.

    fresh   matters that need a person from now on
    mended  what was sent and is over
    """

    fresh: Sequence[Matter] = ()
    mended: Sequence[Standing] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """notice  what to send
    sent    what to store once it was sent
    unsent  what to store if it could not be sent
    """

    notice: Notice
    sent: Mapping[str, Standing]
    unsent: Mapping[str, Standing]


def compare(
    before: Mapping[str, Standing], matters: Iterable[Matter], now: float, *, at_once: bool = False
) -> Comparison:
    """Compares matters. `at_once`: new ones are sent at the first comparison, as by a run that ends with it."""
    present = {matter.subject: matter for matter in matters}
    standing = {subject: before.get(subject, Standing(one.title, now)) for subject, one in present.items()}
    ripe = [subject for subject in present if not standing[subject].sent and (at_once or subject in before)]
    gone = {subject: one for subject, one in before.items() if subject not in present and one.sent}
    sent = {subject: replace(one, sent=one.sent or subject in ripe) for subject, one in standing.items()}
    notice = Notice([present[subject] for subject in ripe], list(gone.values()))
    return Comparison(notice, sent, standing | gone)


@dataclass(frozen=True, slots=True)
class Message:
    """kind  its severity, in the terms of messengers"""

    title: str
    body: str
    kind: Literal["failure", "warning", "success", "info"]


def message(company: str, notice: Notice, now: float) -> Message | None:
    """Returns the message, None if there is nothing new."""
    if not notice.fresh and not notice.mended:
        return None
    body = "\n\n".join([*map(_paragraph, notice.fresh), *(_mended(one, now) for one in notice.mended)])
    if not notice.fresh:
        return Message(visible(f"{company}: mended: {notice.mended[0].title}"), body, "success")
    title = visible(f"{company}: {_need(len(notice.fresh))} you: {notice.fresh[0].title}")
    urgent = any(matter.weight == "urgent" for matter in notice.fresh)
    return Message(title, body, "failure" if urgent else "warning")


def digest(company: str, matters: Sequence[Matter]) -> Message:
    """Returns everything that needs a person at present, in one message."""
    if not matters:
        return Message(f"{company}: all is well", "Nothing needs you.", "success")
    return Message(f"{company}: {_need(len(matters))} you", "\n\n".join(map(_paragraph, matters)), "info")


def _need(count: int) -> str:
    return f"{many(count, 'thing')} {'needs' if count == 1 else 'need'}"


def _paragraph(matter: Matter) -> str:
    lines = [matter.title, matter.text, *(f"    {command}" for command in matter.commands)]
    return "\n".join(map(visible, lines))


def _mended(one: Standing, now: float) -> str:
    return visible(f"Mended after {span(now - one.since)}: {one.title}")
