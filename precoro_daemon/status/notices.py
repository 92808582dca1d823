"""what people are notified of by a message: what begins to need them, and what no longer does

Matters are compared with those of the comparison before, by their subjects, never by their words. A matter that
stands in two comparisons in a row is sent, once; when it is gone, that it is mended. So nobody hears of what mends
itself between two comparisons, and a restart repeats nothing: what stands is kept in the state. What could not be
sent counts as not sent.
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
    """A matter as it was kept. `since`: when it was first seen (Unix seconds) · `sent`: people heard of it"""

    title: str
    since: float
    sent: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept between two comparisons.

    standing     what stood at the last one, by subject
    digested_at  when the last digest was due (Unix seconds); None before the first comparison
    """

    standing: Mapping[str, Standing] = field(default_factory=dict)
    digested_at: float | None = None


class NoticeBook(Protocol):
    """What people were notified of. Both raise StoreUnusable."""

    async def load(self) -> Kept: ...

    async def save(self, kept: Kept) -> None:
        """In the place of what was kept; durable on return."""
        ...


@dataclass(frozen=True, slots=True)
class Notice:
    """What one message is about.

    fresh   matters that need a person from now on
    mended  what was sent and is gone
    """

    fresh: Sequence[Matter] = ()
    mended: Sequence[Standing] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """`notice`: what is to be sent · `sent`: what stands once it was · `unsent`: what stands if it could not be"""

    notice: Notice
    sent: Mapping[str, Standing]
    unsent: Mapping[str, Standing]


def compare(
    before: Mapping[str, Standing], matters: Iterable[Matter], now: float, *, at_once: bool = False
) -> Comparison:
    """`at_once`: what is new is sent at its first comparison, as by a run that ends with it."""
    present = {matter.subject: matter for matter in matters}
    standing = {subject: before.get(subject, Standing(one.title, now)) for subject, one in present.items()}
    ripe = [subject for subject in present if not standing[subject].sent and (at_once or subject in before)]
    gone = {subject: one for subject, one in before.items() if subject not in present and one.sent}
    sent = {subject: replace(one, sent=one.sent or subject in ripe) for subject, one in standing.items()}
    notice = Notice([present[subject] for subject in ripe], list(gone.values()))
    return Comparison(notice, sent, standing | gone)


@dataclass(frozen=True, slots=True)
class Message:
    """`kind`: of what weight, as senders of messages know them"""

    title: str
    body: str
    kind: Literal["failure", "warning", "success", "info"]


def message(company: str, notice: Notice, now: float) -> Message | None:
    """None where there is nothing new."""
    if not notice.fresh and not notice.mended:
        return None
    body = "\n\n".join([*map(_paragraph, notice.fresh), *(_mended(one, now) for one in notice.mended)])
    if not notice.fresh:
        return Message(visible(f"{company}: mended: {notice.mended[0].title}"), body, "success")
    title = visible(f"{company}: {_need(len(notice.fresh))} you: {notice.fresh[0].title}")
    urgent = any(matter.weight == "urgent" for matter in notice.fresh)
    return Message(title, body, "failure" if urgent else "warning")


def digest(company: str, matters: Sequence[Matter]) -> Message:
    """Everything that needs a person at present, in one message."""
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
