"""What a definition says, in every shape; how options nest; what a new look at them changes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precoro_daemon.mirror.rules.custom_fields import FIELD_TYPES, Definition, Option, read_definition, revise

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


@st.composite
def trees(draw: st.DrawFn) -> list[tuple[int, str, int | None]]:
    """Options as (id, name, parent), each after its parent, depth first."""
    found: list[tuple[int, str, int | None]] = []

    def grow(parent: int | None, depth: int) -> None:
        for _ in range(draw(st.integers(0, 3 if depth < 3 else 0))):
            id_ = len(found) + 1
            found.append((id_, draw(names), parent))
            grow(id_, depth + 1)

    grow(None, 0)
    return found


def paths(tree: list[tuple[int, str, int | None]]) -> dict[str, str]:
    known = {id_: (name, parent) for id_, name, parent in tree}

    def path(id_: int) -> list[str]:
        name, parent = known[id_]
        return [*(path(parent) if parent else []), name]

    return {str(id_): " / ".join(path(id_)) for id_ in known}


def definition(options: Any) -> Definition:
    return read_definition(json.dumps({"id": 1, "options": options}))


def found_paths(options: Any) -> dict[str, str]:
    return {option.id: option.path for option in definition(options).options}


def in_each_other(tree: list[tuple[int, str, int | None]], parent: int | None = None) -> list[dict[str, Any]]:
    return [
        {"id": id_, "name": name, "children": {"data": in_each_other(tree, id_)}}
        for id_, name, above in tree
        if above == parent
    ]


@given(trees())
def test_however_a_tree_is_written_down_its_paths_are_the_same(tree: list[tuple[int, str, int | None]]) -> None:
    expected = paths(tree)
    depth: dict[int, int] = {}
    for id_, _, parent in tree:
        depth[id_] = depth.get(parent or 0, 0) + 1
    ways = [
        {"data": [{"id": id_, "name": name, "parent": {"id": str(parent)} if parent else None}
                  for id_, name, parent in tree]},
        [{"id": str(id_), "name": name, "parent": parent or ""} for id_, name, parent in tree],
        {str(id_): {"id": id_, "name": name, "parentId": str(parent or 0)} for id_, name, parent in tree},
        {"data": {str(id_): {"id": id_, "label": name, "parentId": parent, "parent": []}
                  for id_, name, parent in tree}},
        in_each_other(tree),
        [{"id": id_, "name": name, "level": depth[id_]} for id_, name, _ in tree],
    ]  # fmt: skip
    for way in ways:
        assert found_paths(way) == expected


def test_levels_alone_are_believed_only_where_every_option_has_one() -> None:
    some = [{"id": 1, "name": "A", "level": 1}, {"id": 2, "name": "b", "level": 2}, {"id": 3, "name": "C"}]
    assert found_paths(some) == {"1": "A", "2": "b", "3": "C"}
    assert found_paths(some[:2]) == {"1": "A", "2": "A / b"}
    assert found_paths([each | {"parentId": 0} for each in some[:2]]) == {"1": "A", "2": "A / b"}
    # Where one option names its parent, levels are not needed to guess the others'.
    mixed = [{"id": 1, "name": "A", "level": 1}, {"id": 2, "name": "b", "level": 2, "parent": 1},
             {"id": 3, "name": "c", "level": 2}]  # fmt: skip
    assert found_paths(mixed) == {"1": "A", "2": "A / b", "3": "c"}


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 6)), max_size=8))
def test_parents_that_are_missing_or_go_in_circles_end_the_path(links: list[tuple[int, int]]) -> None:
    options = definition([{"id": id_, "name": f"n{id_}", "parent": parent} for id_, parent in links]).options
    assert {option.id for option in options} == {str(id_) for id_, _ in links}
    for option in options:
        steps = option.path.split(" / ")
        assert steps[-1] == option.name
        assert len(steps) == len(set(steps))


def test_an_option_says_what_it_is() -> None:
    listed = [
        {"id": 7, "name": "North", "code": 70, "externalId": "E", "enable": False},
        {"id": "8", "label": "South", "code": "", "enable": "1"},
        {"name": "no id"},
        {"id": 9},
        "plain",
        {"id": 7, "name": "again"},
        {}, None, 12.5, [], True,
    ]  # fmt: skip
    assert definition(listed).options == (
        Option("7", "North", "70", "E", None, "North", enabled=False),
        Option("8", "South", path="South", enabled=True),
        Option("no id", "no id", path="no id"),
        Option("9", "9", path="9"),
        Option("plain", "plain", path="plain"),
        Option("12.5", "12.5", path="12.5"),
    )


@pytest.mark.parametrize(
    ("said", "type_"),
    [
        ({"typeString": "Multi-select"}, "options"),
        ({"typeString": "Drop-down list"}, "option"),
        ({"typeString": "select", "type": "text"}, "option"),
        ({"type": "Date"}, "date"),
        ({"type": 2, "typeString": "user"}, "user"),
        ({"type": 2}, None),
        ({"type": "whatever", "typeString": []}, None),
        ({"options": {"data": [{"id": 1, "name": "A"}]}}, "option"),
        ({"typeString": "number", "options": [{"id": 1}]}, "number"),
        ({}, None),
    ],
)
def test_the_type_is_said_in_words_or_shows_by_the_options(said: dict[str, Any], type_: str | None) -> None:
    assert read_definition(json.dumps(said)).type == type_


def test_no_word_stands_for_two_types() -> None:
    words = [word for words in FIELD_TYPES.values() for word in words]
    assert len(words) == len(set(words))


@given(anything)
def test_whatever_a_definition_is_reading_it_never_fails(whole: Any) -> None:
    read_definition(json.dumps(whole))
    read_definition(json.dumps({"name": whole, "typeString": whole, "options": whole}))
    read_definition(json.dumps({"options": [{"id": 1, "name": whole, "parent": whole, "children": whole}]}))


@pytest.mark.parametrize("raw", ["", "{", "[" * 100_000, '"\\ud800"', '{"name":"\\ud800","options":["\\ud800"]}'])
def test_what_is_no_definition_says_nothing_a_database_could_not_hold(raw: str) -> None:
    read = read_definition(raw)
    for text in (read.name or "", *(option.path for option in read.options)):
        text.encode()


states = st.dictionaries(
    st.sampled_from("abcd"), st.builds(lambda name, code: (name, code), st.sampled_from("xy"), st.sampled_from("12"))
).map(lambda each: {id_: Option(id_, name, code, path=name) for id_, (name, code) in each.items()})


@given(states, states)
def test_a_new_look_ends_what_is_no_longer_so_and_begins_what_is_new(
    known: dict[str, Option], listed: dict[str, Option]
) -> None:
    change = revise(known, listed.values())
    after = {id_: option for id_, option in known.items() if id_ not in change.ended}
    assert after.keys().isdisjoint(option.id for option in change.begun)
    assert after | {option.id: option for option in change.begun} == listed
    assert set(change.ended) == {id_ for id_, option in known.items() if listed.get(id_) != option}
    again = revise(listed, listed.values())
    assert (again.ended, again.begun) == ([], [])
