"""Facts about Precoro: which is kept, and what to set by them."""

from __future__ import annotations

from precoro_daemon.status.facts import Fact, suggestions, with_facts


def test_what_could_not_be_found_out_takes_nothing_away() -> None:
    known = [Fact("webhooks", "arrive", "7 came", 1.0), Fact("list_order", "", "no rows", 1.0)]
    fresh = [
        Fact("list_order", "", "no rows yet", 2.0),
        Fact("webhooks", "", "none", 2.0),
        Fact("time_zone", "UTC", "", 2.0),
    ]
    kept = with_facts(known, fresh)
    assert [(one.name, one.said, one.at) for one in kept] == [
        ("time_zone", "", 2.0),
        ("list_order", "no rows yet", 2.0),
        ("webhooks", "7 came", 1.0),
    ]
    assert with_facts(kept, [Fact("webhooks", "arrive", "8 came", 3.0)])[-1].said == "8 came"


def test_only_what_contradicts_the_configuration_is_suggested() -> None:
    present = {"same_get_scope": "url", "per_minute": 60, "per_day": 3000}
    facts = [
        Fact("same_get_scope", "path", "the path alone", 1.0),
        Fact("limits", "per_minute=300 per_day=3000 per_week=9 per_hour=x", "", 1.0),
        Fact("time_zone", "UTC-8:00", "", 1.0),
    ]
    assert list(map(str, suggestions(facts, present))) == [
        '[limits] same_get_scope = "path"',
        "[limits] per_minute = 300",
    ]
    assert suggestions([Fact("same_get_scope", "", "", 1.0)], present) == []
    assert suggestions(facts[:1], present | {"same_get_scope": "path"}) == []
