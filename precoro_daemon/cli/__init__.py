"""arguments → settings → run → exit code; the only package that prints or exits"""

# What a command needs is imported inside it: `--help` must not load an HTTP client.

from precoro_daemon.cli.commands import main
from precoro_daemon.cli.running import EXIT_CODES, exit_code

__all__ = ["EXIT_CODES", "exit_code", "main"]
