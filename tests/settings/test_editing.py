"""One setting becomes another in a file that a person wrote, and nothing else does."""

from __future__ import annotations

import tomllib

import pytest

from precoro_daemon.settings.editing import with_setting

FILE = """# ours
[precoro]
region = "us"  # the US

[limits]  # by contract
# granted by mail
same_get_scope = "url"  # documented
"per_minute"  = 60 # a plan
[limits.reserve]
lists = 50
"""


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("same_get_scope", "path", 'same_get_scope = "path"  # documented'),
        ("per_minute", 300, '"per_minute"  = 300 # a plan'),
    ],
)
def test_a_value_is_changed_in_its_line(key: str, value: str | int, line: str) -> None:
    changed = with_setting(FILE, "limits", key, value)
    before, after = FILE.split("\n"), changed.split("\n")
    assert [new for old, new in zip(before, after, strict=True) if old != new] == [line]


def test_a_key_that_is_missing_is_put_into_its_table() -> None:
    changed = with_setting(FILE, "limits", "per_day", 9000)
    assert changed.replace("per_day = 9000\n", "") == FILE
    assert tomllib.loads(changed)["limits"]["per_day"] == 9000
    made = with_setting('[precoro]\nregion = "us"', "limits", "per_day", 9000)
    assert made == '[precoro]\nregion = "us"\n\n[limits]\nper_day = 9000\n'
    assert tomllib.loads(with_setting("", "limits", "per_day", 1)) == {"limits": {"per_day": 1}}


@pytest.mark.parametrize(
    "text",
    [
        'limits = { same_get_scope = "url" }',
        'limits.same_get_scope = "url"\nlimits.per_day = 3',
        '[limits]\nsame_get_scope = """\nurl"""',
        "[limits.reserve]\nlists = 50",
    ],
)
def test_what_cannot_be_changed_safely_is_refused_or_right(text: str) -> None:
    try:
        changed = with_setting(text, "limits", "same_get_scope", "path")
    except ValueError:
        return
    before = tomllib.loads(text)
    wanted = before | {"limits": before["limits"] | {"same_get_scope": "path"}}
    assert tomllib.loads(changed) == wanted
