"""builds adapters, wraps them, hands them to jobs; the only package that names both sides

checks.py         what `check` looks at, part by part: each says how it is, or raises what is wrong with it
company.py        one company: its state, its way to Precoro, its ledger, and the jobs between them
control.py        orders about payments: carried out here, or by the service that holds the state
databases.py      opens the databases that the configuration names
health_client.py  how a service that runs somewhere is, as a health check asks it
items.py          what the commands do with suppliers' items and the plans for them
jobs.py           the jobs of a company, and the place of each in the plan
ledger.py         opens the ledger that the configuration names
listeners.py      opens the sockets on which others ask something of the program
payments.py       the jobs of payments, and what the commands do to intents
process.py        the program as a service: the state held throughout, all else built anew at each reload
runs.py           one run, from opening the state to the report
state.py          backups of the state, and the way back
state_reading.py  the state as `status` shows it, read beside the instance that may hold it
values.py         settings as the values that the parts are built from
watch.py          opens the socket of those who watch, and makes what they see of the program and its state
"""

from precoro_daemon.adapters.host.systemd import find_supervisor
from precoro_daemon.app.checks import CHECKS
from precoro_daemon.app.health_client import ask_health
from precoro_daemon.app.jobs import DELIVERY_JOBS, FILE_JOBS, ITEM_JOBS, JOB_NAMES, PAYMENT_JOBS
from precoro_daemon.app.ledger import open_ledger
from precoro_daemon.app.listeners import webhook_url
from precoro_daemon.app.process import Host, serve
from precoro_daemon.app.runs import Wish, estimate_cost, run, verify_attachments
from precoro_daemon.app.state import back_up_state, demand_state, restore_state
from precoro_daemon.app.state_reading import Look, look
from precoro_daemon.app.values import clock_for, kill_switch, limits, secrets

__all__ = [
    "CHECKS",
    "DELIVERY_JOBS",
    "FILE_JOBS",
    "ITEM_JOBS",
    "JOB_NAMES",
    "PAYMENT_JOBS",
    "Host",
    "Look",
    "Wish",
    "ask_health",
    "back_up_state",
    "clock_for",
    "demand_state",
    "estimate_cost",
    "find_supervisor",
    "kill_switch",
    "limits",
    "look",
    "open_ledger",
    "restore_state",
    "run",
    "secrets",
    "serve",
    "verify_attachments",
    "webhook_url",
]
