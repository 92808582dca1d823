"""kill -9 at every step of a refresh: no grant is lost that could be saved."""

from __future__ import annotations

from pathlib import Path

from tests.adapters.grants.killing import at_every_step, side_by_side


def test_with_a_grace_no_grant_is_lost(tmp_path: Path) -> None:
    told = at_every_step(tmp_path, grace=60.0)
    assert told.killed >= 18
    assert told.lost == 0


def test_without_a_grace_only_while_the_answer_is_on_its_way(tmp_path: Path) -> None:
    """Between the vendor's answer and the end of the partial file; `go_on` proves that no other grant is lost."""
    told = at_every_step(tmp_path, grace=0.0)
    assert told.killed >= 18
    assert 3 <= told.lost <= 6


def test_a_service_and_a_run_beside_it_refresh_once_and_lose_nothing(tmp_path: Path) -> None:
    """At a vendor that takes no refresh token twice."""
    told = side_by_side(tmp_path, times=15)
    assert told.authority.refreshes == 15
