"""What is learned from where files were, and what is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from yarl import URL

from precoro_daemon.adapters.precoro.file_addresses import FileAddresses

HERE = "https://api.precoro.com"


def learned(address: Callable[[int], str | None], ids: range = range(101, 106)) -> FileAddresses:
    known = FileAddresses()
    for id_ in ids:
        found = address(id_)
        known.learn(id_, None if found is None else URL(found, encoded=True))
    return known


@pytest.mark.parametrize("form", ["/_files/{}", "/files/{}/download?v=2", "/d?file=x-{}", "/a%2Fb/{}#page"])
def test_where_the_id_is_all_that_differs_the_next_one_is_known(form: str) -> None:
    known = learned(lambda id_: HERE + form.format(id_))
    assert known.guess(7) == URL(HERE + form.format(7).partition("#")[0], encoded=True)


@pytest.mark.parametrize(
    "address",
    [
        pytest.param(lambda id_: f"{HERE}/files/{id_}?signature={id_ * 7}", id="a signature"),
        pytest.param(lambda id_: f"{HERE}/files/{id_ % 2}/{id_}", id="two places"),
        pytest.param(lambda id_: f"{HERE}/files/{id_ + 1}", id="another number"),
        pytest.param(lambda id_: f"{HERE}/files/{id_}/{id_}", id="the id twice"),
        pytest.param(lambda id_: f"{HERE}/files/9{id_}", id="a part of another number"),
        pytest.param(lambda id_: f"{HERE}/files/{id_}" if id_ % 3 else None, id="files that come as they are"),
    ],
)
def test_nothing_is_guessed_where_addresses_differ_in_more(address: Callable[[int], str | None]) -> None:
    assert learned(address, range(101, 140)).guess(7) is None


def test_one_file_that_is_asked_for_again_and_again_teaches_nothing() -> None:
    known = FileAddresses()
    for _ in range(20):
        known.learn(101, URL(f"{HERE}/files/101"))
    assert known.guess(7) is None


def test_a_wrong_guess_is_forgotten_and_after_three_none_is_made() -> None:
    known = FileAddresses()
    for _ in range(3):
        for id_ in range(101, 106):
            assert known.guess(7) is None
            known.learn(id_, URL(f"{HERE}/files/{id_}"))
        assert known.guess(7) is not None
        known.wrong()
    for id_ in range(101, 120):
        known.learn(id_, URL(f"{HERE}/files/{id_}"))
    assert known.guess(7) is None
