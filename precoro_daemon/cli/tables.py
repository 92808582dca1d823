"""estimates, results of file checks and answers of queries as tables for people"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from precoro_daemon.cli.lines import Block, Blocks, Sentence
from precoro_daemon.cli.sheets import Sheet
from precoro_daemon.values.humanize import amount, many, span

if TYPE_CHECKING:
    from precoro_daemon.files.verify_attachments import Verdict
    from precoro_daemon.mirror.rules.estimates import Estimate, Way


def estimate(found: Estimate) -> Block:
    """Returns the calls for each collection, and how long they take in all."""
    table = sheet("collection", "records", "list calls", "detail calls")
    for cost in found.costs:
        table.add(cost.collection.replace("_", " "), f"{cost.rows:,}", count(cost.pages), count(cost.details))
    if found.within_a_day:
        said = [f"{found.calls:,} calls in all: about {span(found.once.seconds)} within the limits."]
    else:
        said = [
            f"{found.calls:,} calls in all.",
            f"As a service: {_way(found.service)}; lists are scanned meanwhile.",
            f"With --once once a day: {_way(found.once)}.",
        ]
    return Blocks(table, *(Sentence(words, style="bold") for words in said))


def estimate_as_json(found: Estimate, failed: Sequence[str]) -> str:
    """Returns the same as JSON for programs."""
    import orjson

    document = {
        "collections": {
            cost.collection: {"records": cost.rows, "list_calls": cost.pages, "detail_calls": cost.details}
            for cost in found.costs
        },
        "calls": found.calls,
        "within_a_day": found.within_a_day,
        "once": {"seconds": found.once.seconds, "calls_a_day": found.once.per_day},
        "service": {
            "seconds": found.service.seconds,
            "seconds_at_least": found.service.time.least,
            "seconds_at_most": found.service.time.most,
            "calls_a_day": found.service.per_day,
        },
        "failed": list(failed),
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()


def _way(way: Way) -> str:
    return f"{way.time.words}, at {way.per_day:,} calls a day"


def verdict(found: Verdict) -> Block:
    """Returns what a check of the stored files found."""
    lines = [Sentence(f"missing: {one.kept.path} of {one.file}", style="yellow") for one in found.missing]
    lines += [Sentence(f"damaged: {one.kept.path} of {one.file}", style="yellow") for one in found.damaged]
    lines += [Sentence(f"orphan: {path}; no document has it, and it was left alone") for path in found.orphans]
    words = f"{found.good.files:,} files are good ({amount(found.good.bytes)})"
    if not found.all_good:
        words += f"; {len(found.missing)} missing and {len(found.damaged)} damaged, which the next run fetches again"
    return Blocks(*lines, Sentence(f"{words}.", style="bold"))


def verdict_as_json(found: Verdict) -> str:
    """Returns the same as JSON for programs."""
    import orjson

    document = {
        "good": {"files": found.good.files, "bytes": found.good.bytes},
        "missing": [one.kept.path for one in found.missing],
        "damaged": [one.kept.path for one in found.damaged],
        "orphans": found.orphans,
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()


def answer(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> Sheet:
    """Returns the rows of a query as a table."""
    table = Sheet(titles)
    for row in rows:
        table.add(*("" if value is None else str(value) for value in row))
    return table


def unmatched_words(number: int) -> str:
    verb = "has" if number == 1 else "have"
    return f"{many(number, 'payment')} in the ledger {verb} no matching payable invoice"


def count(number: int) -> str:
    """Returns the number, or "" for 0, so that other numbers stand out."""
    return f"{number:,}" if number else ""


def sheet(first: str, *numbers: str, sparse: Collection[str] = (), wraps: Mapping[str, int] | None = None) -> Sheet:
    """Returns a table with a column of names and columns of numbers."""
    return Sheet((first, *numbers), right=numbers, sparse=sparse, wraps=wraps)
