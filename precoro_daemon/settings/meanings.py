"""what each setting means, as it stands below it in the code"""

from __future__ import annotations

import ast
import inspect
from functools import cache
from itertools import pairwise

from pydantic import BaseModel


@cache
def meanings(model: type[BaseModel]) -> dict[str, str]:
    """What stands below each attribute of the class and of those it is made from."""
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
