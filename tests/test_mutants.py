"""Every mutant still has the one place it edits, and the test that has to catch it."""

from __future__ import annotations

import pytest

from tests.mutants import MUTANTS, ROOT, Mutant, place


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_mutant_has_its_place_and_its_test(mutant: Mutant) -> None:
    place(mutant)
    path, _, name = mutant.test.partition("::")
    text = (ROOT / path).read_text("utf-8")
    assert not name or f"def {name.partition('[')[0]}(" in text
