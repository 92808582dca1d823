"""`export`: tables of a state as files, as a person asks for them."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from precoro_daemon.app.exporting import FORMS, export_into_stream, table_names
from precoro_daemon.app.state import state_of
from precoro_daemon.cli import main
from precoro_daemon.cli.export import Shown, export
from precoro_daemon.mirror.rules.documents import read_record
from precoro_daemon.settings import load
from tests.cli.test_hostile_text import _RAW, BAD
from tests.contracts.listing import listed

CONFIG = """
[precoro]
base_url = "http://127.0.0.1:9"
email = "a@example.org"
[state]
url = "sqlite:///{}/state.db"
"""
SUPPLIERS = [{"id": 1, "name": "Åkesson"}, {"id": 2, "name": "=1+1"}]
INVOICES = [{"id": 5, "sum": "12.500", "currency": "EUR"}, {"id": 6, "sum": 7, "logicType": 1}]

Export = Callable[..., Result]


@pytest.fixture
def exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Export:
    config = tmp_path / "config.toml"
    config.write_text(CONFIG.format(tmp_path))
    monkeypatch.chdir(tmp_path)

    settings = load(config, {}, spare=("precoro",))

    async def fill() -> None:
        async with state_of(settings).open() as store:
            for name, rows in (("suppliers", SUPPLIERS), ("invoices", INVOICES)):
                records = [read_record(json.dumps(row).encode()) for row in rows]
                await listed(store.mirror, *records, collection=name)

    asyncio.run(fill())
    return lambda *words: CliRunner().invoke(main, ["export", *words, "--config", str(config)])


def test_a_directory_gets_a_file_for_each(exported: Export, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    for form in FORMS:
        done = exported("suppliers", "invoices", "--to", form, "--out", "out")
        assert (done.exit_code, done.output) == (
            0,
            f"out/suppliers.{form}: 2 suppliers\nout/invoices.{form}: 1 invoices\n",
        )
    with (tmp_path / "out" / "suppliers.csv").open(newline="") as file:
        assert [row["name"] for row in csv.DictReader(file)] == ["Åkesson", "'=1+1"]
    [invoice] = map(json.loads, (tmp_path / "out" / "invoices.jsonl").read_text().splitlines())
    assert (invoice["id"], invoice["sum"], invoice["sum_minor"], invoice["data"]) == (5, "12.500", 1250, INVOICES[0])
    assert pq.read_table(tmp_path / "out" / "suppliers.parquet").column("name").to_pylist() == ["Åkesson", "=1+1"]
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "out").iterdir()} == {0o600}


def test_several_are_the_sheets_of_one_excel_file(exported: Export, tmp_path: Path) -> None:
    assert exported("credit_notes", "suppliers", "--to", "xlsx", "--out", "all.xlsx").exit_code == 0
    book = openpyxl.load_workbook(tmp_path / "all.xlsx")
    assert {sheet.title: sheet.max_row for sheet in book} == {"credit_notes": 2, "suppliers": 3}
    done = exported("credit_notes", "suppliers", "--to", "csv", "--out", "all.csv")
    assert done.exit_code == 2
    assert "several collections need a directory" in done.output
    assert not (tmp_path / "all.csv").exists()


def test_the_standard_output_takes_one(exported: Export) -> None:
    done = exported("suppliers", "--to", "jsonl", "--out", "-")
    assert [json.loads(line)["name"] for line in done.stdout_bytes.splitlines()] == ["Åkesson", "=1+1"]
    assert exported("suppliers", "invoices", "--to", "jsonl", "--out", "-").exit_code == 2


def test_on_a_terminal_nothing_in_the_data_acts(exported: Export, capsys: pytest.CaptureFixture[str]) -> None:
    stream = Shown()
    stream.write(f"name\n{BAD}\n".encode())
    stream.flush()
    stream.flush()
    shown = capsys.readouterr().out
    assert shown.startswith("name\nA\\u001b")
    assert _RAW.findall(shown) == []


def test_what_cannot_be_is_said_in_a_sentence(exported: Export, tmp_path: Path) -> None:
    done = exported("invoice", "--to", "csv")
    assert done.exit_code == 2
    assert "invoice: there is no such collection; there are documents, purchase_orders" in done.output
    done = exported("invoices", "--to", "csv", "--out", "missing/invoices.csv")
    assert done.output == "precoro-daemon: missing/invoices.csv cannot be written: no such file or directory\n"
    (tmp_path / "state.db").unlink()
    done = exported("invoices", "--to", "csv")
    assert done.exit_code == 4
    assert "There is no state in" in done.output


def test_without_the_library_the_sentence_says_what_to_install(
    exported: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)  # what Python itself takes for missing
    done = exported("invoices", "--to", "parquet")
    assert (done.exit_code, done.output) == (
        4, "precoro-daemon: Parquet needs the package pyarrow; run: pip install 'precoro-daemon[parquet]'\n"
    )  # fmt: skip
    assert not (tmp_path / "invoices.parquet").exists()


def test_the_command_offers_what_there_is() -> None:
    [form] = [option for option in export.params if option.name == "form"]
    assert set(form.type.choices) == set(FORMS)  # type: ignore[attr-defined]
    assert {"invoices", "invoice_lines", "attachments", "document_custom_values"} <= set(table_names())
    assert "data_dictionary" not in table_names()


@pytest.mark.usefixtures("exported")
@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_a_reader_that_went_away_or_a_full_disk_is_no_fault_of_the_state(tmp_path: Path, form: str) -> None:
    class Closed(io.BytesIO):
        def write(self, _: object, /) -> int:
            raise BrokenPipeError

    settings = load(tmp_path / "config.toml", {}, spare=("precoro",))
    with pytest.raises(BrokenPipeError):
        export_into_stream(settings, "suppliers", form, Closed())
