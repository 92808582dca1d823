"""Layouts by name, each held against a small made-up file in the form that its bank writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from precoro_daemon.adapters.ledgers.exports import Export, read_export
from precoro_daemon.app.ledger_csv import form_and_reader
from precoro_daemon.settings import Settings
from precoro_daemon.settings.layouts import LAYOUTS
from tests.settings.conftest import Load, Mistake

SAMPLES = {
    "chase": (
        "Details,Posting Date,Description,Amount,Type,Balance,Check or Slip #\n"
        "DEBIT,01/31/2026,INV-16,-409.62,ACH_DEBIT,1000.00,,\nCREDIT,01/31/2026,INV-17,10.00,ACH_CREDIT,1010.00,,\n"
    ),
    "dkb": (
        '"Girokonto";"DE00"\n"Zeitraum:";"01.01.2026 - 31.01.2026"\n"Kontostand vom 31.01.2026:";"1.234,56 €"\n""\n'
        '"Buchungsdatum";"Wertstellung";"Status";"Zahlungspflichtige*r";"Zahlungsempfänger*in";"Verwendungszweck";'
        '"Umsatztyp";"IBAN";"Betrag (€)";"Gläubiger-ID";"Mandatsreferenz";"Kundenreferenz"\n'
        '"31.01.26";"31.01.26";"Gebucht";"Wir";"Lieferant";"INV-16";"Ausgang";"DE1";"-409,62";"";"";""\n'
        '"31.01.26";"31.01.26";"Vorgemerkt";"Wir";"Lieferant";"INV-18";"Ausgang";"DE1";"-1.409,62";"";"";""\n'
        '"31.01.26";"31.01.26";"Gebucht";"Kunde";"Wir";"INV-17";"Eingang";"DE1";"10";"";"";""\n'
    ),
    "ing_de": (
        "Umsatzanzeige;Datei erstellt am: 31.01.2026 10:00\n\nIBAN;DE00\nSaldo;1.000,00;EUR\n\n"
        "Buchung;Wertstellungsdatum;Auftraggeber/Empfänger;Buchungstext;"
        "Verwendungszweck;Saldo;Währung;Betrag;Währung\n"
        "31.01.2026;31.01.2026;Lieferant;Überweisung;INV-16;1.000,00;EUR;-409,62;EUR\n"
        "31.01.2026;31.01.2026;Kunde;Gutschrift;INV-17;1.010,00;EUR;10,00;EUR\n"
    ),
    "ing_nl": (
        '"Datum";"Naam / Omschrijving";"Rekening";"Tegenrekening";"Code";"Af Bij";"Bedrag (EUR)";"Mutatiesoort";'
        '"Mededelingen";"Saldo na mutatie";"Tag"\n'
        '"20260131";"Leverancier";"NL00";"NL01";"OV";"Af";"409,62";"Overschrijving";"INV-16";"1000,00";""\n'
        '"20260131";"Klant";"NL00";"NL01";"OV";"Bij";"10,00";"Overschrijving";"INV-17";"1010,00";""\n'
    ),
    "n26": (
        '"Booking Date","Value Date","Partner Name","Partner Iban",Type,"Payment Reference","Account Name",'
        '"Amount (EUR)","Original Amount","Original Currency","Exchange Rate"\n'
        '2026-01-31,2026-01-31,Supplier,DE1,"Debit Transfer",INV-16,Main,-409.62,,,\n'
        '2026-01-31,2026-01-31,Customer,DE1,"Credit Transfer",INV-17,Main,10.00,,,\n'
    ),
    "revolut": (
        "Date started (UTC),Date completed (UTC),ID,Type,State,Description,Reference,Orig currency,Orig amount,"
        "Payment currency,Amount,Total amount,Exchange rate,Fee,Fee currency,Balance,Account\n"
        "2026-01-30,2026-01-31,a-1,TRANSFER,COMPLETED,To A,INV-16,EUR,409.62,EUR,-409.62,-410.62,,1.00,EUR,9,Main\n"
        "2026-01-30,2026-01-31,a-2,TOPUP,COMPLETED,From B,INV-17,EUR,10.00,EUR,10.00,10.00,,0.00,EUR,9,Main\n"
        "2026-01-30,2026-01-31,a-3,TRANSFER,REVERTED,To C,INV-19,EUR,5.00,EUR,-5.00,-5.00,,0.00,EUR,9,Main\n"
        "2026-01-30,,a-4,TRANSFER,PENDING,To D,INV-20,EUR,5.00,EUR,-5.00,-5.00,,0.00,EUR,,Main\n"
        "2026-01-30,2026-01-31,a-5,EXCHANGE,COMPLETED,To USD,,EUR,5.00,EUR,-5.00,-5.00,,0.00,EUR,9,Main\n"
        "2026-01-30,2026-01-31,a-5,EXCHANGE,COMPLETED,To USD,,USD,6.00,USD,6.00,6.00,,0.00,USD,9,USD Main\n"
    ),
    "sparkasse": (
        '"Auftragskonto";"Buchungstag";"Valutadatum";"Buchungstext";"Verwendungszweck";"Glaeubiger ID";'
        '"Mandatsreferenz";"Kundenreferenz (End-to-End)";"Sammlerreferenz";"Lastschrift Ursprungsbetrag";'
        '"Auslagenersatz Ruecklastschrift";"Beguenstigter/Zahlungspflichtiger";"Kontonummer/IBAN";"BIC (SWIFT-Code)";'
        '"Betrag";"Waehrung";"Info"\n'
        '"DE00";"31.01.26";"31.01.26";"UEBERWEISUNG";"INV-16";"";"";"";"";"";"";"A";"DE1";"X";"-409,62";"EUR";'
        '"Umsatz gebucht"\n'
        '"DE00";"31.01.26";"31.01.26";"GUTSCHRIFT";"INV-17";"";"";"";"";"";"";"B";"DE1";"X";"10,00";"EUR";'
        '"Umsatz gebucht"\n'
        '"DE00";"31.01.26";"31.01.26";"UEBERWEISUNG";"INV-18";"";"";"";"";"";"";"A";"DE1";"X";"-9,62";"EUR";'
        '"Umsatz vorgemerkt"\n'
    ),
    "vr": (
        "Bezeichnung Auftragskonto;IBAN Auftragskonto;BIC Auftragskonto;Bankname Auftragskonto;Buchungstag;"
        "Valutadatum;"
        "Name Zahlungsbeteiligter;IBAN Zahlungsbeteiligter;BIC (SWIFT-Code) Zahlungsbeteiligter;Buchungstext;"
        "Verwendungszweck;Betrag;Waehrung;Saldo nach Buchung\n"
        "Konto;DE00;X;VR;31.01.2026;31.01.2026;A;DE1;X;Ueberweisung;INV-16;-409,62;EUR;1.000,00\n"
        "Konto;DE00;X;VR;31.01.2026;31.01.2026;B;DE1;X;Gutschrift;INV-17;10,00;EUR;1.010,00\n"
    ),
    "wise": (
        "TransferWise ID,Date,Amount,Currency,Description,Payment Reference,Running Balance,Exchange From,"
        "Exchange To,"
        "Exchange Rate,Payer Name,Payee Name,Payee Account Number,Merchant,Card Last Four Digits,"
        "Card Holder Full Name,Attachment,Note,Total fees\n"
        "TRANSFER-1,31-01-2026,-409.62,EUR,Sent money to A,INV-16,9.00,,,,,A,,,,,,,0.50\n"
        "TRANSFER-2,31-01-2026,10.00,EUR,Received money from B,INV-17,9.00,,,,B,,,,,,,,0\n"
    ),
    "datev": (
        '"EXTF";700;21;"Buchungsstapel";13;20260131140440439;;"RE";"";"";1;2;20260101;4;20260101;20260131;"Jan";"";1\n'
        "Umsatz (ohne Soll/Haben-Kz);Soll/Haben-Kennzeichen;WKZ Umsatz;Kurs;Basis-Umsatz;WKZ Basis-Umsatz;Konto;"
        "Gegenkonto (ohne BU-Schlüssel);BU-Schlüssel;Belegdatum;Belegfeld 1;Belegfeld 2;Skonto;Buchungstext\n"
        '409,62;"S";"EUR";;;"";70001;1800;"";3101;"INV-16";"";;"Zahlung"\n'
        '10,00;"H";"EUR";;;"";70001;1800;"";3101;"INV-17";"";;"Erstattung"\n'
        '409,62;"S";"EUR";;;"";4400;70001;"";3101;"INV-16";"";;"Rechnung"\n'
    ),
}
"""In each: INV-16 was paid, INV-17 came in; what else there is was not paid."""

OWN = {"datev": 'only = { "Gegenkonto (ohne BU-Schlüssel)" = ["1800"] }\n'}


def csv_settings(read: Load, name: str, more: str = "") -> Settings:
    text = f'[ledger]\nkind = "csv"\nname = "Bank"\n[ledger.csv]\nin_directory = "in"\nlayout = "{name}"\n'
    return read(text + more)


def read_sample(settings: Settings, name: str) -> Export:
    assert settings.ledger.csv
    form, reader = form_and_reader(settings.ledger.csv)
    return read_export(f"{name}.csv", SAMPLES[name].encode(form.encoding), form, reader)


@pytest.mark.parametrize("name", LAYOUTS)
def test_what_was_paid_is_read_and_nothing_else(name: str, read: Load):
    export = read_sample(csv_settings(read, name, OWN.get(name, "")), name)
    assert [one.reason for one in export.unreadable] == []
    paid = [one for one in export.payments if one.amount > 0]
    assert [(one.invoice, f"{one.amount}", str(one.paid_on)) for one in paid] == [("INV-16", "409.62", "2026-01-31")]
    assert {one.currency for one in export.payments} == {"USD" if name == "chase" else "EUR"}
    assert [f"{one.amount}" for one in export.payments if one.invoice == "INV-17"] == ["-10.00"] or name == "dkb"


def test_without_the_bank_s_account_nothing_in_a_file_of_datev_is_a_payment(read: Load):
    export = read_sample(csv_settings(read, "datev"), "datev")
    assert (export.payments, export.unreadable, export.passed_over) == ([], [], 3)


def test_own_keys_win_over_a_layout(read: Load):
    more = (
        'decimal_mark = "."\ngrouping = ""\ncolumns = { invoice = "Description", key = "" }\nvoid = { State = [] }\n'
    )
    csv = csv_settings(read, "revolut", more).ledger.csv
    assert csv
    assert (csv.columns["invoice"], csv.columns["amount"], "key" in csv.columns) == ("Description", "Amount", False)
    assert csv.void == {}
    assert csv.only["State"] == ("COMPLETED",)


def test_a_layout_that_is_not_known_is_named(mistake: Mistake):
    line = mistake('[ledger]\nkind = "csv"\nname = "b"\n[ledger.csv]\nin_directory = "in"\nlayout = "wisee"\n')
    assert 'ledger.csv.layout: "wisee" is not valid (did you mean "wise"?)' in line


def test_every_layout_is_a_file_of_its_own():
    folder = Path(__file__).parents[2] / "precoro_daemon" / "settings" / "layouts"
    assert sorted(path.stem for path in folder.glob("*.toml")) == sorted(LAYOUTS)
