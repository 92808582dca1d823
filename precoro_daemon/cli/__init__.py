"""arguments → settings → run → exit code; the only package that prints or exits

commands.py         all commands, and those that change nothing: check, status, estimate
completion.py       completion: what a shell needs to complete commands and options
config.py           config: the example of all settings, their schema for editors, and the units for systemd
console.py          the console, and lines and tables on it, in which foreign text can do nothing to the terminal
demo.py             the main job against the sandbox, shown step by step
demo_payments.py    the part of the demo in which payments go from a ledger to Precoro and back
deployment.py       alerts, dashboards, deployment: what Prometheus, Grafana, Docker Compose and Kubernetes read
doctor.py           doctor: a few calls that settle what only a live account can tell
export.py           export: tables of the mirror as CSV, Excel, JSON lines or Parquet
exports.py          exports: what was pushed to receivers, what waits, what is dead; sent anew or dropped
fact_tables.py      what was found out about Precoro, as a table for people
files.py            commands for attached files
fleet.py            fleet: many companies in one process or on several machines, and how they all are
fleet_screen.py     what a person sees while many companies are served: where each stands, and what needs a person
fleet_tables.py     all companies as a table for people, and as JSON for programs
hang_up.py          the terminal on which a service was started: is it still there?
help.py             the manual that ships with the program, page by page
history.py          history: what runs and laps brought and what failed in them, day by day or one by one
init.py             init: asks for what a first configuration needs, tries it, and writes it
init_dialogue.py    the questions of init, one after the other; each answer is held against the settings' own rules
item_tables.py      plans for suppliers' items as tables for people, and as JSON for programs
items.py            suppliers' items: what would change, carry it out, and the file one starts from
ledger.py           ledger: log in to an accounting system, see how the login stands, log out
ledger_dialogue.py  one login at an accounting system, as a dialogue: log in, choose, keep
ledger_rows.py      ledger reread, ledger dismiss: what was read of the ledger, and what of it cannot be read
lines.py            what people are shown, as lines as wide as their screen: sentences, and what knows its own lines
man.py              man: the help of each command as a page for man(1)
notify.py           notify: try who is notified when something needs a person
once.py             --once: one run, and what a person or a program reads of it
output.py           --quiet, --verbose and --json: one set of options for every command that prints facts
payment_tables.py   payments as tables for people, and as JSON for programs
payments.py         payments: what would be sent, what a person must decide, and what happened to each
program.py          the program's commands by name: listed without being imported, imported when called
questions.py        what a command asks on a terminal, unless its options say it
rehearsals.py       the sandbox, and the demo that runs against it
run_record.py       what a run did so far: by collection, its calls, files and payments
run_summary.py      what a run brought: what is new, what failed, what is left and what to type; and the same as JSON
running.py          what every command needs: settings, a console, an event loop, how failures end
screen.py           what a person sees while a run goes on
service.py          run: the program as a service, until a signal stops it
service_screen.py   what a person sees while the service runs: jobs, their turns, the quota, and what needs a person
shape_tables.py     what of Precoro's answers changed, as a table for people
sheets.py           tables that lose nothing: columns where there is room, else sentences below, else row by row
state.py            commands for the state: a backup while the program runs, the way back, and a move to another place
status_json.py      the snapshot as JSON for programs: times in Unix seconds
status_tables.py    the snapshot as tables and sentences for people; last, above the prompt, what needs them
tables.py           estimates, verdicts and answers as tables for people
"""

# What a command needs is imported inside it: `--help` must not load an HTTP client.

from precoro_daemon.cli.commands import main

__all__ = ["main"]
