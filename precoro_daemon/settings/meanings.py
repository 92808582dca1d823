"""reads the meaning of each setting from the docstring below it"""

from __future__ import annotations

import ast
import inspect
from functools import cache
from itertools import pairwise

from pydantic import BaseModel


@cache
def meanings(model: type[BaseModel]) -> dict[str, str]:
    """Returns the docstring of each setting of a section, its parents' included."""
    found: dict[str, str] = {}
    for one in reversed(model.__mro__):
        if not issubclass(one, BaseModel) or one is BaseModel or one.__module__.startswith("pydantic"):
            continue
        [section] = ast.parse(inspect.getsource(one)).body
        assert isinstance(section, ast.ClassDef)
        for node, after in pairwise(section.body):
            if isinstance(node, ast.AnnAssign) and isinstance(after, ast.Expr):
                text = ast.literal_eval(after.value)
                found[ast.unparse(node.target)] = " ".join(text.split())
    return found
