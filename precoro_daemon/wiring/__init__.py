"""builds adapters, wraps them, hands them to jobs; the only package that names both sides"""

from precoro_daemon.adapters.systemd import find_supervisor
from precoro_daemon.wiring.asking import ask_health
from precoro_daemon.wiring.checks import CHECKS
from precoro_daemon.wiring.jobs import DELIVERY_JOBS, FILE_JOBS, ITEM_JOBS, JOB_NAMES, PAYMENT_JOBS
from precoro_daemon.wiring.ledger import open_ledger
from precoro_daemon.wiring.listeners import webhook_url
from precoro_daemon.wiring.look import Look, look
from precoro_daemon.wiring.runs import Wish, estimate_cost, run, verify_attachments
from precoro_daemon.wiring.services import Host, serve
from precoro_daemon.wiring.state import back_up_state, demand_state, restore_state
from precoro_daemon.wiring.values import clock_for, kill_switch, limits, secrets

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
