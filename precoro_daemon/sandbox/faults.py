"""scripted faults: which call fails, how, and how often"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as counter
from random import Random
from typing import Any

from precoro_daemon.sandbox.limits import TYPES

RECORDS = ("null", "string", "no_id", "id_object", "id_null", "duplicate")
RESHAPES = ("missing", "null", "text", "object", "added")


@dataclass
class Fault:
    """One rule. It hits every `nth` of the matching calls after the first `skip`, and at most `times` of them."""

    kind: str
    path: str = ""
    """A regular expression that is searched for in path and query. "" matches every call."""
    method: str = ""
    times: int | None = 1
    """None means without end."""
    skip: int = 0
    nth: int = 1
    probability: float = 1.0
    seconds: float = 1.0
    """How long a slow kind takes, or the delay of a late commit, in real seconds."""
    limit: str = "second"
    """For 429: second, minute, hour, day, route_minute, route_hour."""
    wait: float = 1.0
    """For 429: simulated seconds until the time that its stamp names."""
    location: str = ""
    """For redirect: the target."""
    record: str = "null"
    """For bad_record: one of RECORDS."""
    field: str = "sum"
    """For reshaped: the field of each record, or a field of the records inside it, such as "payments.status"."""
    how: str = "missing"
    """For reshaped: one of RESHAPES."""
    off: int = 7
    """For wrong_totals: the difference."""
    seen: int = counter(default=0, compare=False)
    struck: int = counter(default=0, compare=False)

    def __post_init__(self) -> None:
        re.compile(self.path)
        if self.limit not in TYPES:
            raise ValueError(f"no limit is called {self.limit!r}; there are {', '.join(TYPES)}")
        if self.record not in RECORDS:
            raise ValueError(f"no bad record is called {self.record!r}; there are {', '.join(RECORDS)}")
        if self.how not in RESHAPES:
            raise ValueError(f"no field is reshaped to {self.how!r}; there are {', '.join(RESHAPES)}")

    @property
    def spent(self) -> bool:
        return self.times is not None and self.struck >= self.times

    def strikes(self, method: str, path_qs: str, random: Random) -> bool:
        """Returns whether this rule hits the call, and counts the calls that match."""
        if self.spent or (self.method and self.method != method) or not re.search(self.path, path_qs):
            return False
        self.seen += 1
        turn = self.seen - self.skip
        if turn < 1 or turn % self.nth or random.random() >= self.probability:
            return False
        self.struck += 1
        return True


class Faults:
    """The rules in force, in order. The first rule that hits decides."""

    def __init__(self, kinds: Mapping[str, object], seed: int) -> None:
        self._kinds = kinds
        self._random = Random(seed + 2)
        self.rules: list[Fault] = []

    def add(self, kind: str, **rule: Any) -> Fault:
        """Adds a rule and returns it. Raises ValueError for a kind, name or pattern that does not exist."""
        if kind not in self._kinds:
            raise ValueError(f"no fault is called {kind!r}; there are {', '.join(sorted(self._kinds))}")
        try:
            fault = Fault(kind, **rule)
        except (TypeError, re.error) as error:
            raise ValueError(str(error)) from None
        self.rules.append(fault)
        return fault

    def clear(self) -> None:
        self.rules.clear()

    def match(self, method: str, path_qs: str) -> Fault | None:
        return next((rule for rule in self.rules if rule.strikes(method, path_qs, self._random)), None)
