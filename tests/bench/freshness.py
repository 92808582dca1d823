"""How late changes come by a fixed lap, by the planner, and by the optimum that knows the true rates: companies in
virtual time, after two learned weeks. Draws the plot of the manual."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from tests.bench import freshness_plot
from tests.bench.figures import Aim, Line
from tests.bench.freshness_companies import (
    CLASSES,
    COMPANIES,
    DAY_S,
    EDITED,
    EDITED_HOUR,
    MIX,
    OFFICE,
    WEBHOOKS,
    Company,
)
from tests.bench.freshness_play import (
    PLAY,
    Played,
    Story,
    TrueValue,
    duration,
    first_scan,
    fixed,
    least,
    optimal,
)
from tests.bench.freshness_play import (
    planned as play,
)

_MANUAL = Path(__file__).parents[2] / "precoro_daemon" / "docs"
_ALL = tuple(MIX)
_DOCUMENTS = CLASSES["invoices, orders"]
_FIRST_FILL, _MODEST, _AMPLE = 200, 600, 1_200
_PLOTTED = (100, _FIRST_FILL, 400, _MODEST, _AMPLE, 2_000)
_LAPS_S = (600.0, 1200.0, 1800.0, 3600.0, 7200.0)
_NEAR_OPTIMUM = Aim(1.15)


def planned(_: Path) -> Iterator[Line]:
    yield from _optimum_is_one()
    for company in COMPANIES:
        yield from _company(company)
    yield from _office_hours()
    yield from _first_day()
    yield from _webhooks()
    yield from _edited()
    yield from _spent_time()
    _draw(_MANUAL / "freshness.svg")


@cache
def _story(company: Company) -> Story:
    return Story.draw(company)


@cache
def _planned(company: Company, calls: int) -> Played:
    return play(_story(company), calls)


def _optimum_is_one() -> Iterator[Line]:
    """Against a closed form where rates are steady, and against dynamic programming where they change."""
    steady = TrueValue(PLAY, [10 / 3600] * 336)
    price = 5_000.0
    gap = (2 * price * 360) ** 0.5
    scans = steady.scans(price, DAY_S)
    yield Line(
        "optimum: scans at a steady rate", f"{len(scans)}", "√(λ / 2 price)", f"{336 * 3600 / gap:.0f}",
        len(scans) * gap / (336 * 3600), Aim(1.01),
    )  # fmt: skip
    changing = TrueValue(PLAY, TrueValue.of(OFFICE, "invoices").rates[:168])
    count, delay = least(changing, 3_000.0)
    ours = _delay_of(changing, count)
    yield Line("optimum: delay where rates change", duration(ours), f"least with {count} scans", duration(delay),
               ours / delay, Aim(1.05))  # fmt: skip


def _delay_of(value: TrueValue, count: int) -> float:
    """By the rule of the optimum, with no more scans than that."""
    low, high = 1.0, 1e9
    while high / low > 1.001:
        middle = (low * high) ** 0.5
        low, high = (middle, high) if len(value.scans(middle, DAY_S)) >= count else (low, middle)
    return value.delay(value.scans(high, DAY_S))


def _company(company: Company) -> Iterator[Line]:
    lap = fixed(_story(company))
    print(f"  {company.name}, {company.changes_a_day:,.0f} changes a day")
    print(f"    {'every 20 minutes':17} {_said(lap)}", flush=True)
    for calls in (_FIRST_FILL, _MODEST, _AMPLE):
        played = _planned(company, calls)
        best = optimal(_story(company), played.calls_by_day if company.peaks else [len(played.calls)])
        print(f"    {f'planner, {calls:,}':17} {_said(played)}", flush=True)
        print(f"    {'  optimum':17} {_said(best)}", flush=True)
        ratio = played.expected / best.expected
        yield Line(
            f"{company.name}, {calls:,}", f"{played.calls_a_day:.0f} calls a day", "delay of the optimum",
            f"{best.calls_a_day:.0f} calls a day", ratio, _NEAR_OPTIMUM if company.steady else None,
        )  # fmt: skip
        most = played.most_in_a_day
        yield Line("  most in 24 hours", f"{most}", "may be spent", f"{calls:,}", most / calls, Aim(1.1))


def _said(played: Played) -> str:
    classes = "; ".join(f"{name} {played.of(names)}" for name, names in CLASSES.items())
    calls = f"{played.calls_a_day:5.0f} calls a day, most in a minute {played.most_in_a_minute}"
    return f"{calls}; all {played.of(_ALL)}; {classes}"


def _office_hours() -> Iterator[Line]:
    for calls, minutes in ((_MODEST, 10), (_AMPLE, 5)):
        late = _planned(OFFICE, calls).of(_ALL, busy=True).mean
        yield _within(f"office hours, {calls:,}: mean delay", late, minutes * 60.0)
    for calls in (180, _FIRST_FILL, 240):
        late = _planned(OFFICE, calls).of(_DOCUMENTS, busy=True).p95
        yield _within(f"office hours, {calls:,}: p95 of invoices and orders", late, 1200.0)


def _within(figure: str, late: float, allowed: float) -> Line:
    return Line(figure, duration(late), "allowed", duration(allowed), late / allowed, Aim(1.0))


def _first_day() -> Iterator[Line]:
    """What is known after the first scan, against two learned weeks."""
    story, until = _story(OFFICE), PLAY + DAY_S
    first, learned = play(story, _MODEST, first_scan(story)), _planned(OFFICE, _MODEST)
    ours, theirs = (played.of(_ALL, busy=True, until=until).mean for played in (first, learned))
    yield Line("first day: mean delay in office hours", duration(ours), "two weeks later", duration(theirs),
               ours / theirs)  # fmt: skip
    calls = bisect_left(first.calls, until)
    yield Line("  calls", f"{calls}", "may be spent", f"{_MODEST}", calls / _MODEST, Aim(1.1))


def _webhooks() -> Iterator[Line]:
    for calls in (_MODEST, _AMPLE):
        played = _planned(WEBHOOKS, calls)
        spent = played.calls_a_day
        yield Line(f"webhooks, {calls:,}: calls a day", f"{spent:.0f}", "allowed", "150", spent / 150, Aim(1.0))
        yield _within("  missed in office hours: p95", played.of(_ALL, busy=True).p95, 3600.0)
        yield Line("  missed at any hour: p95", duration(played.of(_ALL).p95), "", "")


def _edited() -> Iterator[Line]:
    """The hour a week after somebody changed so many at once, against one where nobody did."""
    hour = PLAY + (EDITED_HOUR - 7 * 24) * 3600.0
    ours, usual = (_polls_between(_planned(company, _MODEST), hour) for company in (EDITED, OFFICE))
    figure = "a week after 5,000 at once: polls in the hour"
    yield Line(figure, f"{ours}", "as a rule", f"{usual}", ours / usual, Aim(3.0))


def _polls_between(played: Played, begins: float) -> int:
    polls: Sequence[float] = played.polls["invoices"]
    return bisect_left(polls, begins + 3600.0) - bisect_left(polls, begins)


def _spent_time() -> Iterator[Line]:
    began = time.process_time()
    polls = len(play(_story(OFFICE), _AMPLE).calls)
    took = (time.process_time() - began) / polls
    yield Line("CPU time of a poll's planning", f"{took * 1e3:.2f} ms", "allowed", "1 ms", took / 1e-3, Aim(1.0))


def _draw(path: Path) -> None:
    """Mean weighted delay in minutes by calls a day."""
    story = _story(OFFICE)
    laps = [fixed(story, lap) for lap in _LAPS_S]
    plans = [_planned(OFFICE, calls) for calls in _PLOTTED]
    best = [optimal(story, [len(played.calls)]) for played in plans]
    curves = {"every list as often": laps, "planner": plans, "optimum": best}
    weighted = sum(story.weights[name] * sum(TrueValue.of(OFFICE, name).rates) * 3600.0 for name in MIX)
    path.write_text(
        freshness_plot.draw(
            {
                name: sorted((played.calls_a_day, played.expected / weighted / 60) for played in curve)
                for name, curve in curves.items()
            }
        )
    )
