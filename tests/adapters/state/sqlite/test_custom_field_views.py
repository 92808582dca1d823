"""Custom fields as a person reads them in a plain database shell, in every shape they come in."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import pytest

from precoro_daemon.adapters.state.sqlite.state import SqliteState
from precoro_daemon.mirror.ports.custom_fields import DueField
from precoro_daemon.mirror.ports.precoro import Detail
from precoro_daemon.mirror.resolve_custom_fields import follow_fields
from precoro_daemon.mirror.rules.documents import read_record
from tests.contracts.listing import T0, listed, scan

pytestmark = pytest.mark.asyncio

DOCUMENT_FIELDS, ITEM_FIELDS = "document_custom_fields", "item_custom_fields"
REGIONS = [
    {"id": 51, "name": "South", "code": "S"},
    {"id": 52, "name": "Odesa", "code": "", "parent": {"id": 51}},
    {"id": 53, "name": "Other", "parentId": "51"},
    {"id": 54, "name": "North", "code": 7},
    {"id": 55, "name": "Other", "parentId": "54"},
    {"id": 56, "name": "51"},
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


def query(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute(sql).fetchall()


async def fill(path: Path, collection: str, *rows: str) -> None:
    async with SqliteState(path, "company").open() as store:
        await listed(store.mirror, *(read_record(row.encode()) for row in rows), collection=collection)


async def detail(path: Path, raw: str, collection: str = "invoices") -> None:
    async with SqliteState(path, "company").open() as store:
        [due] = await store.mirror.due_details([collection], before=T0, limit=2)
        await store.mirror.save_detail(due, Detail(None, raw), at=T0)


async def define(
    path: Path, field: int, type_: str, options: Any = (), collection: str = DOCUMENT_FIELDS, *, at: float = T0
) -> None:
    raw = json.dumps({"id": field, "name": f"Field {field}", "typeString": type_, "options": {"data": options}})
    async with SqliteState(path, "company").open() as store:
        await store.custom_fields.save(DueField(collection, field), Detail(field, raw), asked_at=at)


def entry(value: str, reference: str = '{"id":7,"name":"Old name"}') -> str:
    return f'{{"id":1,"value":{value},"documentCustomField":{reference}}}'


async def hold(path: Path, *entries: str) -> None:
    await fill(path, "invoices", f'{{"id":1,"idn":5,"dataDocumentCustomFields":{{"data":[{",".join(entries)}]}}}}')


@pytest.mark.parametrize(
    ("value", "option"),
    [
        ("52", ("52", "Odesa", None, "South / Odesa")),
        ('"52"', ("52", "Odesa", None, "South / Odesa")),
        ('"Odesa"', ("52", "Odesa", None, "South / Odesa")),
        ('{"id":52,"name":"Odessa"}', ("52", "Odesa", None, "South / Odesa")),
        ('{"id":"52"}', ("52", "Odesa", None, "South / Odesa")),
        ('{"name":"Odesa"}', ("52", "Odesa", None, "South / Odesa")),
        ("[52]", ("52", "Odesa", None, "South / Odesa")),
        ('{"data":[{"id":52}]}', ("52", "Odesa", None, "South / Odesa")),
        ("54", ("54", "North", "7", "North")),
        ('"51"', ("51", "South", "S", "South")),
        ('"Other"', (None, None, None, None)),
        ("99", (None, None, None, None)),
        ('"odesa"', (None, None, None, None)),
        ("null", (None, None, None, None)),
        ('""', (None, None, None, None)),
        ("[]", (None, None, None, None)),
        ("{}", (None, None, None, None)),
    ],
)
async def test_one_option_in_every_shape(path: Path, value: str, option: tuple[Any, ...]) -> None:
    await hold(path, entry(value))
    await define(path, 7, "select", REGIONS)
    shown = query(path, "SELECT option_id, option, option_code, option_path FROM document_custom_values")
    assert shown == [option]
    assert query(path, "SELECT type FROM document_custom_values") == [("option",)]


@pytest.mark.parametrize(
    "value",
    ['[52,"54","51"]', '["Odesa",{"id":54},{"name":"South"}]', '{"data":["52",54,{"id":"51","name":"x"}]}'],
)
async def test_many_options_are_a_row_each(path: Path, value: str) -> None:
    await hold(path, entry(value))
    await define(path, 7, "multiselect", REGIONS)
    shown = query(path, "SELECT type, position, option, shown FROM document_custom_values ORDER BY position")
    assert shown == [
        ("options", 1, "Odesa", "Odesa"),
        ("options", 2, "North", "North"),
        ("options", 3, "South", "South"),
    ]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("12.50", "12.50"),
        ('"12.50"', "12.50"),
        ("0", "0"),
        ("12345678901234567890123.4500", "12345678901234567890123.4500"),
        ("1e3", "1e3"),
        ("[0.10]", "0.10"),
        ('""', None),
    ],
)
async def test_numbers_keep_every_digit(path: Path, value: str, shown: str | None) -> None:
    await hold(path, entry(value))
    await define(path, 7, "number")
    assert query(path, "SELECT type, value, shown FROM document_custom_values") == [("number", shown, shown)]
    kind = "null" if shown is None else "text"
    assert query(path, "SELECT typeof(value) FROM document_custom_values") == [(kind,)]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("2026-03-31", "2026-03-31"),
        ("2026-03-31T23:30:00+02:00", "2026-03-31"),
        ("31.03.2026", "2026-03-31"),
        ("soon", "soon"),
    ],
)
async def test_dates_show_as_dates_and_stay_as_they_came(path: Path, value: str, shown: str) -> None:
    await hold(path, entry(f'"{value}"'), entry(f'"{value}"', "8"))
    await define(path, 7, "date")
    await define(path, 8, "text")
    values = query(path, "SELECT field_id, type, value, shown FROM document_custom_values ORDER BY field_id")
    assert values == [(7, "date", value, shown), (8, "text", value, value)]


@pytest.mark.parametrize(
    ("value", "shown", "value_id", "type_"),
    [
        ('{"id":3,"firstname":"Zoë","lastname":"D\'Angelo","email":"z@x.example"}', "Zoë D'Angelo", 3, "user"),
        ('{"id":"3","firstname":"Zoë","lastname":null}', "Zoë", "3", "user"),
        ('{"id":3,"email":"z@x.example"}', "z@x.example", 3, "user"),
        ('{"id":4,"name":"scan.pdf","size":12}', "scan.pdf", 4, "file"),
        ('{"id":5}', "5", 5, None),
        ("true", "true", None, "boolean"),
        ("false", "false", None, "boolean"),
        ("5", "5", None, "number"),
        ('"5"', "5", None, "text"),
        ("null", None, None, None),
        ("[[1,2]]", "[1,2]", None, None),
    ],
)
async def test_what_is_not_defined_shows_by_its_own_shape(
    path: Path, value: str, shown: str | None, value_id: Any, type_: str | None
) -> None:
    await hold(path, entry(value))
    values = query(path, "SELECT value, shown, value_id, type, field_as_of FROM document_custom_values")
    assert values == [(shown, shown, value_id, type_, None)]


async def test_without_a_definition_the_value_names_its_field_itself(path: Path) -> None:
    await hold(path, entry('"a"'), entry('"b"', "8"), entry('"c"', '"9"'), entry('"d"', "null"))
    names = "SELECT field_id, field, value FROM document_custom_values ORDER BY value"
    assert query(path, names) == [(7, "Old name", "a"), (8, None, "b"), (9, None, "c"), (None, None, "d")]
    await define(path, 7, "text")
    await define(path, 9, "text")
    assert [field for _, field, _ in query(path, names)] == ["Field 7", None, "Field 9", None]


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        (f'{{"data":[{entry("1")},{entry("2")}]}}', ["1", "2"]),
        (f'[{entry("1")}]', ["1"]),
        (f'{{"a":{entry("1")},"b":{entry("2")}}}', ["1", "2"]),
        (f'{{"data":{{"a":{entry("1")}}}}}', ["1"]),
        (f'[null,"x",7,{entry("1")}]', ["1"]),
        ("[]", []), ("{}", []), ('{"data":[]}', []), ("null", []), ('""', []), ("7", []), ("true", []),
    ],
)  # fmt: skip
async def test_values_in_every_shape_of_collection(path: Path, values: str, shown: list[str]) -> None:
    await fill(path, "invoices", f'{{"id":1,"idn":5,"dataDocumentCustomFields":{values}}}')
    keys = query(path, "SELECT DISTINCT collection, document_id, document_idn FROM document_custom_values")
    assert keys == ([("invoices", 1, 5)] if shown else [])
    assert query(path, "SELECT value FROM document_custom_values ORDER BY value") == [(each,) for each in shown]


async def test_the_newer_of_row_and_detail_tells(path: Path) -> None:
    def told(value: str) -> str:
        return f'{{"id":1,"dataDocumentCustomFields":[{entry(value)}]}}'

    values = "SELECT value FROM document_custom_values"
    await fill(path, "invoices", told("1"))
    assert query(path, values) == [("1",)]
    await detail(path, told("2"))
    assert query(path, values) == [("2",)]
    await fill(path, "invoices", told("3"))
    assert query(path, values) == [("3",)]
    await fill(path, "invoices", '{"id":1,"note":"no values in this row"}')
    assert query(path, values) == [("2",)]
    await detail(path, '{"id":1}')
    assert query(path, values) == []
    await fill(path, "invoices", told("4"))
    await detail(path, '{"id":1,"note":"no values in this detail"}')
    assert query(path, values) == [("4",)]


LINE = '{"id":11,"dataItemCustomFields":{"data":[{"value":"52","itemCustomField":{"id":7}}]}}'


@pytest.mark.parametrize(
    "items",
    [f'{{"data":[{LINE}]}}', f"[{LINE}]", f'{{"11":{LINE}}}', f'{{"data":{{"11":{LINE}}}}}', f'[null,"x",{LINE},[]]'],
)
async def test_values_of_lines_in_every_shape(path: Path, items: str) -> None:
    await fill(path, "receipts", '{"id":1,"idn":"R-5"}')
    await detail(path, f'{{"id":1,"items":{items}}}', "receipts")
    await define(path, 7, "select", REGIONS, ITEM_FIELDS)
    await define(path, 7, "text")
    assert query(
        path, "SELECT collection, document_id, document_idn, line_id, field, option_path FROM line_custom_values"
    ) == [("receipts", 1, "R-5", 11, "Field 7", "South / Odesa")]
    joined = "SELECT shown FROM receipt_lines JOIN line_custom_values USING (document_id, line_id)"
    assert query(path, joined) == [("Odesa",)]


BOTH = '{"value":"a","itemCustomField":7}'


@pytest.mark.parametrize(
    ("places", "shown"),
    [
        ('"dataProductCustomFields":[{"value":"a","productCustomField":{"id":7}}]', ["a"]),
        ('"dataProductCustomFields":[{"value":"a","itemCustomField":{"id":7}}]', ["a"]),
        ('"dataItemCustomFields":[{"value":"a","itemCustomField":7}],"dataProductCustomFields":[]', ["a"]),
        ('"dataItemCustomFields":[],"dataProductCustomFields":[{"value":"a","itemCustomField":"7"}]', ["a"]),
        ('"dataItemCustomFields":"","dataProductCustomFields":[{"value":"a","itemCustomField":7}]', ["a"]),
        (f'"dataItemCustomFields":[{BOTH}],"dataProductCustomFields":[{BOTH}]', ["a"]),
        ('"dataItemCustomFields":null', []),
    ],
)  # fmt: skip
async def test_values_of_catalogue_items_in_both_spellings(path: Path, places: str, shown: list[str]) -> None:
    await fill(path, "items", f'{{"id":3,{places}}}')
    await define(path, 7, "text", collection=ITEM_FIELDS)
    values = query(path, "SELECT item_id, field_id, field, value FROM item_custom_values")
    assert values == [(3, 7, "Field 7", value) for value in shown]


async def test_values_of_suppliers(path: Path) -> None:
    await fill(path, "suppliers", '{"id":3}')
    await detail(path, '{"dataSupplierCustomFields":[{"value":"54","supplierCustomField":{"id":7}}]}', "suppliers")
    await define(path, 7, "select", REGIONS, "supplier_custom_fields")
    assert query(path, "SELECT supplier_id, field, option FROM supplier_custom_values") == [(3, "Field 7", "North")]


async def test_only_what_the_filter_keeps_shows_and_what_vanished_says_so(path: Path) -> None:
    rows = [
        read_record(f'{{"id":{id_},"dataDocumentCustomFields":[{entry("1")}],"items":[{LINE}]}}'.encode())
        for id_ in (1, 2)
    ]
    rows[0].wanted = False
    async with SqliteState(path, "company").open() as store:
        await listed(store.mirror, *rows)
        census = await scan(store.mirror, rows[:1], at=T0 + 9)
        await store.mirror.close_scan(census.scan, [2], at=T0)
    for view in ("document_custom_values", "line_custom_values"):
        shown = query(path, f"SELECT document_id, vanished_at FROM {view}")
        assert shown == [(2, "2025-06-15T15:06:40")]


async def test_an_option_that_is_no_longer_listed_still_names_its_values(path: Path) -> None:
    await hold(path, entry('"52"'), entry('"Odesa"'), entry('"North"'))
    await define(path, 7, "select", REGIONS)
    again = [{"id": 64, "name": "North", "code": "new"}]
    await define(path, 7, "select", again)
    shown = query(path, "SELECT value, option_id, option FROM document_custom_values ORDER BY value")
    assert shown == [("52", "52", "Odesa"), ("North", "64", "North"), ("Odesa", "52", "Odesa")]
    assert query(path, "SELECT option_id FROM custom_field_options") == [("64",)]
    assert len(query(path, "SELECT * FROM custom_field_option_history")) == len(REGIONS) + 1


async def test_a_value_that_names_an_option_by_what_it_was_called_finds_it(path: Path) -> None:
    await hold(path, entry('"A"'), entry('"B"'), entry('"C"'), entry('"D"'), entry("1"))
    for number, name in enumerate(("A", "B", "A", "C")):
        await define(path, 7, "select", [{"id": 1, "name": name}, {"id": 2, "name": "D"}], at=T0 + number)
    shown = query(path, "SELECT value, option_id, shown FROM document_custom_values ORDER BY value")
    assert shown == [("1", "1", "C"), ("A", "1", "C"), ("B", "1", "C"), ("C", "1", "C"), ("D", "2", "D")]
    await define(path, 7, "select", [{"id": 1, "name": "D"}, {"id": 2, "name": "A"}], at=T0 + 4)
    shown = query(path, "SELECT value, option_id, shown FROM document_custom_values ORDER BY value")
    assert shown == [("1", "1", "D"), ("A", "2", "A"), ("B", "1", "D"), ("C", "1", "D"), ("D", "1", "D")]


async def test_fields_show_what_is_known_of_them(path: Path) -> None:
    await fill(path, DOCUMENT_FIELDS, '{"id":8,"name":"Listed","typeString":"date"}')
    await hold(path, entry("1"), entry("1", "8"))
    await define(path, 7, "number")
    async with SqliteState(path, "company").open() as store:
        await follow_fields(store.change_log, store.custom_fields)
    shown = query(
        path, "SELECT collection, id, name, type, referenced, as_of, problem FROM custom_fields ORDER BY id"
    )
    assert shown == [
        (DOCUMENT_FIELDS, 7, "Field 7", "number", 1, "2025-06-15T15:06:40", None),
        (DOCUMENT_FIELDS, 8, "Listed", "date", 1, None, None),
    ]
    assert query(path, "SELECT field, type FROM document_custom_values WHERE field_id = 8") == [("Listed", "date")]


async def test_the_plain_shell_can_read_them(path: Path) -> None:
    shell = shutil.which("sqlite3")
    if shell is None:
        pytest.skip("there is no sqlite3 shell here")
    await hold(path, entry('"52"'))
    await define(path, 7, "select", REGIONS)
    sql = "SELECT option_path FROM document_custom_values; SELECT count(*) FROM custom_field_options;"
    done = await anyio.run_process([shell, "-readonly", str(path), sql])
    assert done.stdout.decode().splitlines() == ["South / Odesa", "6"]
