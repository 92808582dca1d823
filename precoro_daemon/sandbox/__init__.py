"""a local Precoro: limits, pages, files, payments, faults; for tests and rehearsals"""

from precoro_daemon.sandbox.options import Quota, SandboxOptions
from precoro_daemon.sandbox.server import Sandbox, serve

__all__ = ["Quota", "Sandbox", "SandboxOptions", "serve"]
