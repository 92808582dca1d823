"""What may be said of suppliers' items, and what is refused with a sentence."""

from __future__ import annotations

import pytest

from tests.settings.conftest import Load, Mistake

FILE = '[manage_items]\nkind = "csv"\npath = "{supplier}.csv"\n'
TABLE = '[manage_items]\nkind = "sql"\n[manage_items.sql]\nurl = "sqlite:///erp.db"\n'


def test_a_file_and_its_columns(read: Load) -> None:
    items = read(
        f'{FILE}columns = {{ sku = "No.", price = "Net", "custom.Colour" = "Colour" }}\nkeep = "link"\n'
    ).manage_items
    assert items.columns == {"sku": "No.", "price": "Net", "custom.Colour": "Colour"}
    assert items.keep == ("link",)


def test_a_database_keeps_its_password_out_of_the_file(read: Load, mistake: Mistake) -> None:
    text = f'{TABLE}query = "SELECT 1 AS sku WHERE :supplier <> 2"\n'
    items = read(text, PRECORO_DAEMON__MANAGE_ITEMS__SQL__PASSWORD="s3cret").manage_items
    assert items.sql
    assert items.sql.password
    assert items.sql.password.get_secret_value() == "s3cret"
    assert "does not belong in this file" in mistake(f'{text}password = "s3cret"\n')


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[manage_items]\nkind = "csv"\n', "manage_items.path: missing; kind = csv needs it"),
        ('[manage_items]\nkind = "sql"\n', "manage_items.sql: missing; kind = sql needs it"),
        ('[manage_items]\nkind = "xls"\n', '"xls" is not valid; expected one of: none, csv, jsonl, sql'),
        (f'{FILE}columns = {{ sku = "a", prise = "b" }}\n', "prise is unknown here (did you mean price?)"),
        (f'{FILE}columns = {{ price = "b" }}\n', "nothing names the item of a row"),
        (f'{FILE}delimiter = ","\ndecimal_mark = ","\n', "manage_items.delimiter: is the decimal mark too"),
        (f'{FILE}keep = ["price"]\n', "none of those that are sent anyway"),
        (f"{FILE}max_shrink = 2\n", "a number from 0 to 1"),
        (f'{TABLE}query = "SELECT :vendor"\n', ":vendor is unknown here; allowed: :supplier"),
        (f'{FILE}[mirror_collections]\ncollections = ["items"]\n', "needs the mirror of suppliers"),
        (
            f"{FILE}[mirror_collections.filters.items]\nmodified_since = 2026-01-01\n",
            "the filter on items keeps out older",
        ),
    ],
)
def test_what_does_not_fit(mistake: Mistake, text: str, said: str) -> None:
    assert said in mistake(text)
