"""builds adapters, wraps them, hands them to jobs; the only package that names both sides

bearers.py         the token of a ledger behind HTTP, from where the configuration says
checks.py          the checks of `check`: each returns the condition of its part, or raises what is wrong
company.py         one company: its state, its gateway to Precoro, its ledger, and the jobs between them
company_files.py   which companies a process serves: a directory of files, and what no two of them may share
control.py         commands about payments: executed here, or by the service that holds the state
databases.py       opens the databases that the configuration names
doctor.py          what a live account can tell: asked by a few calls, here or by the service, and kept with its date
doors.py           through which webhooks, watchers and commands come to a company: sockets of its own, or shared ones
examination.py     a few calls that show how Precoro treats this account, each fact as soon as it is known
export_targets.py  where exports go, and for `check` whether each place takes what is to come
exporting.py       tables of the mirror as files, in one go, beside a service that may hold the state
files.py           where attached files are kept: a directory, or a bucket
findings.py        what one check of `check` found: a sentence for people, and facts for programs
first_calls.py     the calls before there is a state: whether Precoro takes the key, and what it may see
first_files.py     the files of a first configuration: what was chosen, the secrets, and what a service needs
fleet.py           many companies in one process: their lives are separate; signals and sockets are shared
fleet_commands.py  commands for a company of a fleet: given on any machine, executed by the worker that serves it
fleet_doors.py     the sockets that many companies share: webhooks by their secrets, watchers by the companies' names
fleet_import.py    imports installations of one company into a fleet: files to its directory, states to its database
fleet_inbox.py     webhooks of a fleet: taken at any worker, brought to the states of companies that are served here
fleet_order.py     what a person asks of a fleet, on any machine: who serves what, drain, move, forget
fleet_reading.py   reads the states of all companies of a directory, beside the process that serves them
fleet_view.py      what a worker sees of its whole fleet: who serves which company, and who has other settings for it
following.py       builds the job of the exports that the configuration names
health_client.py   the health client: checks how a service is that runs somewhere
items.py           what the commands do with suppliers' items and the plans for them
jobs.py            the jobs of a company, and the place of each in the plan
ledger.py          opens the ledger that the configuration names
ledger_check.py    what `check` finds out about the ledger: can it be read, searched and written to
ledger_config.py   the section of the configuration that a login knows, put at the file's end
ledger_csv.py      the csv ledger as the configuration describes it
ledger_erp.py      builds the odoo and the business_central ledger from their sections
ledger_grants.py   the grant of the configured ledger: where it is, and how it stands
ledger_login.py    logins at accounting systems, step by step, and what may be chosen after each
ledger_online.py   builds the ledgers that are somebody else's service: Xero and QuickBooks Online
ledger_reading.py  tells one way to read the ledger from another, by the settings that say how
ledger_rest.py     builds a ledger behind HTTP as the configuration describes it
ledger_sql.py      builds a ledger in SQL
lessee.py          this process as one worker of a fleet: it serves the companies whose leases it has
member.py          one company among others in a process: served, started again when it fails, ended alone
moving.py          moves a company's state to another place, on the engine that the place's address names
new_files.py       files that are made together or not at all
notices.py         messages to people when something begins to need them and when it no longer does, and signs of life
payments.py        the jobs of payments, and what the commands do to intents
process.py         one company in a process of its own, until a signal
pushes.py          pushes of an export: shown beside who holds the state, sent anew or dropped by that
runs.py            one run, from opening the state to the report
served.py          one company as a service: holds the state throughout, and rebuilds everything else at each reload
state.py           the state that the configuration names, and the paths of the files beside it
state_reading.py   reads the state beside the instance that may hold it, and takes the snapshot that a command shows
tenure.py          who may serve a company now: on one machine, who holds its state
values.py          settings as the values that the parts are built from
watch.py           answers those who watch a service, with snapshots for which the state is read now and then
write_test.py      doctor --write-test: a payment of the ledger is sent alone, and shows whether Precoro keeps its id
"""
