"""arguments → settings → run → exit code; the only package that prints or exits

commands.py         the main command with --once, and the commands that change nothing: check, status, estimate
completion.py       completion: the scripts with which a shell completes commands and options
config.py           config: the example of all settings, their schema for editors, and the units for systemd
console.py          a console that escapes control characters in foreign text before they reach the terminal
demo.py             the demo: mirrors the sandbox and shows each step
demo_payments.py    the part of the demo in which payments go from a ledger to Precoro and back
deployment.py       alerts, dashboards, deployment: files for Prometheus, Grafana, Docker Compose and Kubernetes
doctor.py           doctor: a few calls that find out what can only be seen on a live account
export.py           export: tables of the mirror as CSV, Excel, JSON lines or Parquet
exports.py          exports: shows what was pushed to receivers, what waits and what is dead; replays or drops it
fact_tables.py      the facts that were found out about Precoro, as a table for people
files.py            commands for attached files
fleet.py            fleet: serves many companies in one process or on several machines, and shows their status
fleet_screen.py     the live screen while many companies are served: the state of each, and what needs a person
fleet_tables.py     all companies as a table for people, and as JSON for programs
hang_up.py          detects that the terminal on which a service was started is gone
help.py             help: prints the pages of the manual that ships with the program
history.py          history: shows what runs and laps changed and what failed in them, by day or one by one
init.py             init: asks for the values of a first configuration, tries them, and writes the files
init_dialogue.py    the questions of init, in order; each answer is checked against the rules of the settings
item_tables.py      plans for suppliers' items as tables for people, and as JSON for programs
items.py            items: plans, applies, shows and drops changes of a supplier's items, and pulls them into a file
ledger.py           ledger: logs in to an accounting system, shows the state of the login, logs out
ledger_dialogue.py  the dialogue of one login at an accounting system: log in, choose a company, choose accounts
ledger_rows.py      ledger reread, ledger dismiss: reads the ledger again, and hides rows that cannot be read
lines.py            output for people as lines that fit their screen: sentences, and blocks that lay themselves out
man.py              man: writes the help of each command as a page for man(1)
notify.py           notify: tests the messages that are sent when something needs a person
once.py             --once: one run, and its report for people or programs
output.py           --quiet, --verbose and --json: the same options for every command that prints facts
payment_tables.py   payments as tables for people, and as JSON for programs
payments.py         payments: shows what would be sent, takes decisions, shows the history of each payment
program.py          the program's commands by name: listed without being imported, imported when called
questions.py        the questions that a command asks on a terminal unless its options answer them
rehearsals.py       sandbox and demo: the local Precoro, and the demo that runs against it
run_record.py       the record of a run so far: by collection, its calls, files and payments
run_summary.py      the summary of a run: what is new, what failed, what is left, what to type next; also as JSON
running.py          what every command needs: settings, a console, an event loop, error handling
screen.py           the live screen during a run
service.py          run: the program as a service, until a signal stops it
service_screen.py   the live screen while the service runs: jobs, their turns, the quota, and what needs a person
shape_tables.py     changes of the shape of Precoro's answers, as a table for people
sheets.py           tables that lose nothing: in columns if there is room, else with sentences below, else row by row
state.py            state: a backup while the program runs, its restore, and a move to another place
status_json.py      the snapshot as JSON for programs: times in Unix seconds
status_tables.py    the snapshot as tables and sentences for people; what needs them comes last, above the prompt
tables.py           estimates, results of file checks and answers of queries as tables for people
"""

# A command imports what it needs in its body, so that `--help` does not load an HTTP client.

from precoro_daemon.cli.commands import main

__all__ = ["main"]
