"""TOML + environment + credential files → frozen Settings; the only reader of them

attachments.py              the section of attached files
buckets.py                  [fetch_attachments.bucket]: how a bucket of files is reached
credentials.py              a secret from its file: read only if nobody else can, and never shown
custom_fields.py            the section of custom fields: meaning, unit, reason for the default
databases.py                how a database is reached: what the ledger and a table of wanted items have in common
editing.py                  one setting in a TOML file becomes another, and all else stays as it was typed
exports.py                  [exports.NAME]: what leaves the mirror by itself, and where it goes
files.py                    opens what is a regular file: a pipe may be waited for, for ever
fleet.py                    [fleet]: several workers that share the companies of one database
items.py                    [manage_items]: where a supplier's wanted items come from, and what may be done about them
layouts/                    how banks and programs write their files of payments, as TOML files
laziness.py                 sections whose rules are built only when they are given, which makes a start shorter
ledger.py                   [ledger]: the accounting system that payments are kept in step with
ledger_access.py            how a ledger behind HTTP is reached, and from which account it pays in which currency
ledger_business_central.py  [ledger.business_central]: a company of Business Central and its payment journal
ledger_csv.py               [ledger.csv]: files of payments that come in, and files that go out
ledger_odoo.py              [ledger.odoo]: a database of Odoo, its bank journals, and what the bills are called there
ledger_quickbooks.py        [ledger.quickbooks]: a company in QuickBooks Online
ledger_rest.py              [ledger.rest]: an accounting system's HTTP interface and what is asked of it
ledger_sql.py               [ledger.sql]: an accounting database and what is asked of it
ledger_values.py            how the values of a ledger's settings are read, and what is allowed
ledger_xero.py              [ledger.xero]: an organisation in Xero
lines.py                    on which line of a TOML document each table, key and list item stands
listening.py                [apply_deliveries] and [watch]: what others may ask of the program, and where it listens
meanings.py                 what each setting means, as it stands below it in the code
mistakes.py                 what pydantic complains of, as sentences for the operator
model.py                    the whole configuration, its sections held against each other
notify.py                   [notify]: who is notified when something needs a person, and where signs of life go
paths.py                    paths of the configuration: a relative one starts at the directory of its file
payments.py                 [payments], [mark_invoices_paid], [export_payments]: what is matched and what may be sent
reading.py                  file, environment and credential files → values with their origins → Settings
schema.py                   the JSON schema of config.toml, by which editors complete and check it
sections.py                 every section, key by key: meaning, unit, reason for the default
state.py                    [state]: where the mirror is kept, in a file or in a schema of a PostgreSQL database
toml_file.py                a TOML file as text and as values, or one sentence that says where it is none
values.py                   how one value is read, from TOML or from a variable, and what is allowed
writing.py                  a configuration as text: what was chosen, each key under its meaning
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
