"""Wanted items against Precoro's: each row and each item is accounted for once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precoro_daemon.catalogue.rules.item_fields import ITEM_FIELDS
from precoro_daemon.catalogue.rules.item_writes import Write, is_it, rule
from precoro_daemon.catalogue.rules.items import Item
from precoro_daemon.catalogue.rules.plan import Change, Comparison, Kind, Plan, Policy, Step, Wanted, shrank
from precoro_daemon.catalogue.rules.suppliers import Supplier, find_supplier
from precoro_daemon.catalogue.rules.write_states import State

DAY = 86_400.0


def item(ident: int, **values: Any) -> Item:
    given: dict[str, Any] = dict.fromkeys(ITEM_FIELDS) | {"freeOfCharge": False, "hiddenInCatalog": False}
    return Item(ident, 7, b"%d" % ident, given | values)


def compared(wanted: list[Wanted], items: list[Item], policy: Policy | None = None, doubted: Any = ()) -> Plan:
    comparison = Comparison(wanted, policy or Policy(), doubted)
    comparison.take(items)
    return comparison.finish()


KEYS = st.sampled_from(["a", "b", "c", "d", "e"])


@given(
    st.lists(
        st.tuples(st.none() | KEYS, KEYS, st.sampled_from(["x", "y"])), max_size=5, unique_by=(lambda row: row[1],)
    ),
    st.lists(st.tuples(st.none() | KEYS, st.none() | KEYS, st.sampled_from(["x", "y"]), st.booleans()), max_size=6),
    st.booleans(),
)
def test_each_row_and_each_item_is_accounted_for_once(rows: Any, there: Any, hide: bool) -> None:
    externals = [external for external, _, _ in rows if external]
    if len(externals) != len(set(externals)):
        return  # refused before it comes to this
    wanted = [
        Wanted(number, {"sku": sku, "name": name} | ({"externalId": external} if external else {}))
        for number, (external, sku, name) in enumerate(rows)
    ]
    items = [
        item(number, externalId=external, sku=sku, name=name, hiddenInCatalog=hidden)
        for number, (external, sku, name, hidden) in enumerate(there)
    ]
    plan = compared(wanted, items, Policy(hide_missing=hide))
    told = [step.row for step in plan.steps if step.kind is not Kind.HIDE]
    blamed = {mistake.row for mistake in plan.mistakes}
    assert len(told) == len(set(told))
    if not blamed:
        assert len(told) + plan.unchanged == len(wanted)
        touched = [step.item for step in plan.steps if step.kind is Kind.UPDATE]
        assert len(touched) == len(set(touched))
        assert len(touched) + plan.unchanged + len(plan.only_there) == len(items)
        hidden = [step.item for step in plan.steps if step.kind is Kind.HIDE]
        visible = [one.id for one in plan.only_there if not one.values["hiddenInCatalog"]]
        assert hidden == (visible if hide else [])
    assert plan.visible == sum(not one.values["hiddenInCatalog"] for one in items)


def test_what_the_policy_leaves_alone_is_told() -> None:
    wanted = [Wanted(2, {"sku": "a", "name": "other"}), Wanted(3, {"sku": "b", "name": "new"})]
    plan = compared(wanted, [item(1, sku="a", name="N")], Policy(create=False, update=False))
    assert (plan.steps, [step.kind for step in plan.left]) == ([], [Kind.UPDATE, Kind.CREATE])
    plan = compared(wanted, [], doubted=["b"])
    assert ([step.key for step in plan.steps], plan.doubted) == (["a"], ["b"])


def test_an_sku_that_belongs_to_another_item() -> None:
    plan = compared([Wanted(2, {"sku": "a", "externalId": "X"})], [item(5, sku="a", externalId="Y")])
    [mistake] = plan.mistakes
    assert "is the SKU of item 5, whose externalId is Y" in mistake.reason
    assert plan.steps == []


@pytest.mark.parametrize(
    ("wanted", "before", "share", "result"),
    [(80, 100, 0.2, False), (79, 100, 0.2, True), (0, 0, 0.2, False), (0, 5, 1.0, False), (99, 100, 0.0, True)],
)
def test_half_a_file(wanted: int, before: int, share: float, result: bool) -> None:
    assert shrank(wanted, before, share) is result


def write(kind: Kind, **values: Any) -> Write:
    step = Step(kind, "k", "", 2, [Change(name, None, value) for name, value in values.items()], 5, b"5")
    return Write(1, 0, 7, step, State.DOUBT, sent_at=1_000.0)


def test_a_change_in_doubt() -> None:
    change = write(Kind.UPDATE, price=Decimal(2))
    assert rule(change, {}, 1_065.0).state is State.PLANNED
    same = item(5, price=Decimal(1))
    assert rule(change, {5: same}, 1_065.0).state is State.PLANNED
    carried_out = Item(5, 7, b"other", dict(same.values) | {"price": Decimal("2.00")})
    assert rule(change, {5: carried_out}, 1_065.0).state is State.DONE
    by_others = Item(5, 7, b"other", dict(same.values) | {"price": Decimal(3)})
    assert rule(change, {5: by_others}, 1_065.0).state is State.CONFLICT


def test_a_new_item_in_doubt_is_sent_again_only_when_it_can_no_longer_land() -> None:
    new = write(Kind.CREATE, sku="a", name="N")
    found = rule(new, {9: item(9, sku="a")}, 1_065.0)
    assert (found.state, found.item) == (State.DONE, 9)
    checks = []
    now = 1_065.0
    while (ruling := rule(new, {}, now)).state is State.DOUBT:
        assert ruling.check_at is not None
        checks.append(ruling.check_at - 1_000.0)
        now = ruling.check_at
    assert checks == [300.0, 900.0, 3_600.0, 21_600.0, DAY]
    assert (ruling.state, now) == (State.PLANNED, 1_000.0 + DAY)
    duplicates = {9: item(9, sku="a"), 8: item(8, sku="a")}
    assert rule(new, duplicates, now).reason == "there are 2 of it: items 8, 9"


def test_what_an_item_is_known_by() -> None:
    assert is_it(item(1, externalId="X", sku="b"), {"externalId": "X", "sku": "a"})
    assert not is_it(item(1, externalId="Y", sku="a"), {"externalId": "X", "sku": "a"})
    assert is_it(item(1, sku="a"), {"externalId": "X", "sku": "a"})
    assert is_it(item(1, name="N"), {"externalId": "X", "name": "N"})
    assert not is_it(item(1, name="N"), {"externalId": "X", "sku": "a", "name": "N"})


def test_what_a_supplier_may_be_called() -> None:
    one, other = Supplier(7, "One", "S-7", "17"), Supplier(17, "Other", "C:1", None)
    assert find_supplier([one, other], "s-7") == [one]
    assert find_supplier([one, other], "17") == [one, other]
    assert find_supplier([one, other], "id:17") == [other]
    nameless = Supplier(9, "Nameless")
    for nothing in ("", " ", "code:", "external:", "id:"):
        assert find_supplier([one, other, nameless], nothing) == [], "a variable of a shell that is not set"
    assert find_supplier([one, other], "external:17") == [one]
    assert find_supplier([one, other], "C:1") == [other]
    assert find_supplier([one, other], "One") == []


def told(plan: Plan) -> list[str]:
    return [f"{one.column} {one.value}: {one.reason}" for one in plan.nearly]


@pytest.mark.parametrize(
    "sku", ["\u00d6-1 gr\u00fcn", "O\u0308-1 gru\u0308n", "\u00d6-1\u00a0gr\u00fcn", "\u200b\u00d6-1 gr\u00fcn "]
)
@pytest.mark.parametrize("there", ["\u00d6-1 gr\u00fcn", "O\u0308-1\u00a0gru\u0308n"])
def test_what_looks_the_same_is_the_same_item(sku: str, there: str) -> None:
    plan = compared([Wanted(2, {"sku": sku})], [item(1, sku=there)])
    assert (plan.steps, plan.unchanged, plan.nearly) == ([], 1, [])


@pytest.mark.parametrize(
    ("sku", "there"),
    [("16", "0016"), ("0016", "16"), ("16.0", "16"), ("ab-1", "AB-1"), ("A1", "A 1"), ("A\u20131", "A-1"),
     ("1.2E+06", "1234567"), ("1.23E+06", "1234567")],
)  # fmt: skip
def test_a_new_item_that_is_nearly_there_is_asked_about(sku: str, there: str) -> None:
    plan = compared([Wanted(2, {"sku": sku}), Wanted(3, {"sku": "x"})], [item(1, sku=there), item(2, sku="x")])
    assert told(plan) == [f"sku {sku}: is new, but item 1 at Precoro is called {there!r}; was that meant?"]
    assert compared([Wanted(2, {"sku": sku})], [item(1, sku=there)], Policy(create=False)).nearly == []


def test_what_is_apart_enough_is_new() -> None:
    wanted = [
        Wanted(2, {"sku": "17"}),
        Wanted(3, {"sku": "016"}),
        Wanted(4, {"sku": "16"}),
        Wanted(5, {"sku": "1E5"}),
    ]
    plan = compared(wanted, [item(1, sku="16"), item(2, sku="1234567")])
    assert (plan.count(Kind.CREATE), plan.nearly, plan.is_apart) == (3, [], False)
    assert "was bent by a spreadsheet" in told(compared([Wanted(2, {"sku": "1.2E+06"})], []))[0]


def test_everything_new_and_everything_old_left_is_noticed() -> None:
    assert compared([Wanted(2, {"sku": "a"})], [item(1, sku="b")]).is_apart
    assert not compared([Wanted(2, {"sku": "a"})], []).is_apart
    assert not compared(
        [Wanted(2, {"sku": "a"}), Wanted(3, {"sku": "b"})], [item(1, sku="b"), item(2, sku="c")]
    ).is_apart


def test_a_new_item_gets_no_signs_that_nobody_sees() -> None:
    (step,) = compared([Wanted(2, {"sku": "A\u00a01\u200b", "name": "N"})], []).steps
    assert (step.key, step.wanted["sku"]) == ("A 1", "A 1")
