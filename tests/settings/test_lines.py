"""The line of every key, whatever TOML allows around it."""

from __future__ import annotations

import json
import tomllib

from hypothesis import given
from hypothesis import strategies as st

from precoro_daemon.settings.lines import KeyPath, line_numbers


def test_tables_keys_and_dotted_keys():
    found = line_numbers('a = 1\n# b = 2\n\n[t] # c\nb.c = "x"\n[t.u."v.w"]\n\'d\' = 3.5\n')
    assert found == {
        ("a",): 1,
        ("t",): 4,
        ("t", "b"): 5,
        ("t", "b", "c"): 5,
        ("t", "u"): 6,
        ("t", "u", "v.w"): 6,
        ("t", "u", "v.w", "d"): 7,
    }


def test_items_of_a_list_over_several_lines():
    found = line_numbers('[m]\nc = [ # ]\n  "a", # "x",\n\n  [1,\n 2], { y = 1 },\n]\nd = 2\n')
    assert found[("m", "c", 0)] == 3
    assert found[("m", "c", 1)] == 5
    assert found[("m", "c", 1, 1)] == 6
    assert found[("m", "c", 2, "y")] == 6
    assert found[("m", "d")] == 8


def test_strings_that_look_like_toml_fool_nobody():
    document = (
        'a = """\n[no]\nb = 1 \\""" " ""\n"""\nc = \'\'\'\nd = "\n\'\'\'\'\ne = "# \\" = [" # "\nf = \'\\\'\ng = 1\n'
    )
    tomllib.loads(document)
    assert line_numbers(document) == {("a",): 1, ("c",): 5, ("e",): 8, ("f",): 9, ("g",): 10}


def test_lists_of_tables():
    document = "[[a]]\nx = 1\n[[a]]\nx = 2\n[a.b]\ny = 3\n[[a.c]]\nz = 1\n[[a.c]]\nz = 2\n"
    found = line_numbers(document)
    assert found[("a", 0, "x")] == 2
    assert found[("a", 1)] == 3
    assert found[("a", 1, "b", "y")] == 6
    assert found[("a", 1, "c", 1, "z")] == 10


def test_scalars_of_several_tokens_and_windows_line_ends():
    found = line_numbers("a = 2026-01-31 08:00:00.5+01:00\r\nb = { c = 1.5, d = [1.0] }\r\ne = -inf")
    assert found[("b", "d", 0)] == 2
    assert found[("e",)] == 3


_NAMES = st.text("abc.\"'#=[] \nü", min_size=1, max_size=4)
_SCALARS = st.one_of(
    st.integers(-5, 5),
    st.booleans(),
    st.floats(0, 9),
    st.text("a\"'\\\n#[]{}=,.", max_size=8),
    st.dates().map(lambda day: day),
)
_TREES = st.dictionaries(
    _NAMES, st.recursive(_SCALARS, lambda inner: st.lists(inner, max_size=3), max_leaves=5), max_size=4
)
_DOCUMENTS = st.dictionaries(_NAMES, _TREES, max_size=4)


class _Writer:
    """Writes a document and keeps account of the line each thing was written on."""

    def __init__(self, noise: str) -> None:
        self.text = ""
        self.lines: dict[KeyPath, int] = {}
        self._noise = noise

    @property
    def line(self) -> int:
        return self.text.count("\n") + 1

    def document(self, tables: dict[str, dict[str, object]]) -> None:
        for name, table in tables.items():
            self.lines[(name,)] = self.line
            self.text += f"[ {_quoted(name)} ]{self._noise}"
            for key, value in table.items():
                self.lines[(name, key)] = self.line
                self.text += f"{_quoted(key)} = "
                self._value((name, key), value)
                self.text += self._noise

    def _value(self, path: KeyPath, value: object) -> None:
        if isinstance(value, list):
            self.text += f"[{self._noise}"
            for index, item in enumerate(value):
                self.lines[*path, index] = self.line
                self._value((*path, index), item)
                self.text += f"{self._noise},{self._noise}"
            self.text += "]"
        elif isinstance(value, str):
            lines = "\n" in value
            self.text += f'"""\n{_escaped(value)}"""' if lines else _quoted(value)
        else:
            self.text += json.dumps(value, default=str).strip('"')


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


@given(_DOCUMENTS, st.sampled_from(["\n", "\n\n", ' # [x] = "\n', "\n# '''\n\t"]))
def test_whatever_a_document_holds_its_lines_are_found(tables: dict[str, dict[str, object]], noise: str):
    writer = _Writer(noise)
    writer.document(tables)
    tomllib.loads(writer.text)
    assert line_numbers(writer.text) == writer.lines
