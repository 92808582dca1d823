"""TOML + environment + credential files → frozen Settings; the only reader of them

attachments.py              [fetch_attachments]: attached files
buckets.py                  [fetch_attachments.bucket], [exports.NAME.bucket]: how a bucket is reached
credentials.py              a secret from its file: refused if everyone can read the file, and never shown
custom_fields.py            [resolve_custom_fields]: custom fields
databases.py                how a database is reached: what the ledger, the wanted items and an export have in common
editing.py                  changes one setting in a TOML file and keeps the rest as it was typed
exports.py                  [exports.NAME]: exports that follow the mirror, and where they go
files.py                    opens regular files only, because a pipe could block for ever
fleet.py                    [fleet]: several workers that share the companies of one database
items.py                    [manage_items]: the source of a supplier's wanted items, and the permitted changes
layouts/                    the payment file formats of banks and programs, as TOML files
laziness.py                 sections whose models are built only when they are given, for a faster start
ledger.py                   [ledger]: the accounting system whose payments are kept in step with Precoro's
ledger_access.py            how a ledger behind HTTP is reached, and which account pays in which currency
ledger_business_central.py  [ledger.business_central]: a company of Business Central and its payment journal
ledger_csv.py               [ledger.csv]: folders for incoming and outgoing files of payments
ledger_odoo.py              [ledger.odoo]: an Odoo database, its bank journals, and how its bills are named
ledger_quickbooks.py        [ledger.quickbooks]: a company in QuickBooks Online
ledger_rest.py              [ledger.rest]: the HTTP API of an accounting system, and the calls to it
ledger_sql.py               [ledger.sql]: an accounting database, and the statements for it
ledger_values.py            reads and checks the values of a ledger's settings
ledger_xero.py              [ledger.xero]: an organisation in Xero
lines.py                    finds the line of each table, key and list item of a TOML document
listening.py                [apply_deliveries] and [watch]: webhooks, health and metrics, and the addresses of both
meanings.py                 reads the meaning of each setting from the docstring below it
mistakes.py                 turns the errors of pydantic into sentences for the operator
model.py                    the whole configuration, with the rules between its sections
notify.py                   [notify]: who is notified when something needs a person, and where signs of life are sent
paths.py                    makes relative paths of the configuration absolute, from the directory of its file
payments.py                 [payments], [mark_invoices_paid], [export_payments]: matching and sending of payments
reading.py                  file, environment and credential files → values with their origins → Settings
schema.py                   the JSON schema of config.toml, with which editors complete and check it
sections.py                 the general sections, key by key: meaning, unit, reason for the default
state.py                    [state]: where the mirror is kept, in a file or in a schema of a PostgreSQL database
toml_file.py                reads a TOML file as text and as values
values.py                   reads single values, from TOML or from a variable, and describes the allowed ones
writing.py                  a configuration as TOML text: the chosen keys, each below its meaning
"""

from precoro_daemon.settings.attachments import FetchAttachments
from precoro_daemon.settings.custom_fields import ResolveCustomFields
from precoro_daemon.settings.fleet import Fleet
from precoro_daemon.settings.ledger import Ledger
from precoro_daemon.settings.listening import Watch
from precoro_daemon.settings.model import Settings, file_keys
from precoro_daemon.settings.payments import ExportPayments, MarkInvoicesPaid, Payments
from precoro_daemon.settings.reading import Shared, load, load_company, load_defaults, load_watch, locate
from precoro_daemon.settings.sections import (
    FetchDetails,
    Filters,
    Limits,
    Log,
    MirrorCollections,
    Precoro,
    Reserve,
    TakeCensus,
)
from precoro_daemon.settings.state import State

__all__ = [
    "ExportPayments",
    "FetchAttachments",
    "FetchDetails",
    "Filters",
    "Fleet",
    "Ledger",
    "Limits",
    "Log",
    "MarkInvoicesPaid",
    "MirrorCollections",
    "Payments",
    "Precoro",
    "Reserve",
    "ResolveCustomFields",
    "Settings",
    "Shared",
    "State",
    "TakeCensus",
    "Watch",
    "file_keys",
    "load",
    "load_company",
    "load_defaults",
    "load_watch",
    "locate",
]
