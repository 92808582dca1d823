"""patterns that extract a number from a text, limited so that no text can make them slow"""

from __future__ import annotations

import re

_LONGEST_PATTERN = 200
_MOST_REPEATS_IN_ALL = 8
_MOST_OPEN_REPEATS = 2
_LONGEST_REPEAT = 50
_TOKEN = re.compile(
    r"(?P<escape>\\.)|(?P<choice>\[\^?\]?(?:\\.|[^\]\\])*\])|(?P<group>\((?:\?(?::|i\)|P?<\w+>))?)|(?P<close>\))"
    r"|(?P<repeat>[*+?]|\{(?P<least>\d*)(?P<comma>,?)(?P<most>\d*)\})|(?P<plain>.)",
    re.DOTALL,
)


class PatternError(ValueError):
    """Why a pattern cannot be used, or what is wrong with what it found."""


def compile_pattern(text: str) -> re.Pattern[str]:
    """Compiles a pattern. Raises PatternError if it is invalid, or if some text could make it slow.

    Repeated groups, more than two unbounded repeats, and back-references are refused: their time grows without
    limit with
    the length of the text.
    """
    if len(text) > _LONGEST_PATTERN:
        raise PatternError(f"is longer than {_LONGEST_PATTERN} characters")
    _refuse_slow(text)
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise PatternError(f"is no regular expression: {error}") from None
    if pattern.groups > 1:
        raise PatternError("has more than one group; write (?: … ) for all but the number's own")
    if pattern.match(""):
        raise PatternError("matches nothing at all, so it finds a number in any text")
    return pattern


def _refuse_slow(text: str) -> None:
    repeats = unbounded = 0
    after_group = False
    for token in _TOKEN.finditer(text):
        if token["group"] == "(" and text[token.end() : token.end() + 1] == "?":
            raise PatternError(f"has {text[token.start() : token.start() + 3]}, which is not taken here")
        if token["escape"] and token["escape"][1].isdigit():
            raise PatternError("refers back to a group")
        if token["repeat"]:
            repeats += 1
            unbounded += _is_unbounded(token)
            if after_group and token["repeat"] != "?":
                raise PatternError("repeats a group; repeat single signs or choices such as [0-9-]{1,20}")
        after_group = bool(token["close"])
    if unbounded > _MOST_OPEN_REPEATS:
        raise PatternError(f"has more than {_MOST_OPEN_REPEATS} repeats without an end; write {{1,20}} instead of +")
    if repeats > _MOST_REPEATS_IN_ALL:
        raise PatternError(f"has more than {_MOST_REPEATS_IN_ALL} repeats")


def _is_unbounded(token: re.Match[str]) -> bool:
    if token["repeat"] in ("*", "+"):
        return True
    most = token["most"] or ("" if token["comma"] else token["least"])
    return token["repeat"] != "?" and (not most or int(most) > _LONGEST_REPEAT)


def find_one(pattern: re.Pattern[str], text: str) -> str:
    """Returns the pattern's group or match, "" if there is none. Raises PatternError if there are several."""
    found = {match[pattern.groups] for match in pattern.finditer(text)} - {None, ""}
    if len(found) > 1:
        raise PatternError(f"names several: {', '.join(sorted(found))}")
    return "".join(found)
