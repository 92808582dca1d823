"""the process that sends one message: reads it and the addresses as JSON, and writes the failures as JSON"""

from __future__ import annotations

import logging
import os
import ssl
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec


class _Task(msgspec.Struct):
    """message  title, body and kind; None only validates the addresses"""

    addresses: list[str]
    ca_file: str | None = None
    message: dict[str, str] | None = None


class _Complaints(logging.Handler):
    """Keeps Apprise's last log line about a failure."""

    said = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.said = record.getMessage()


def main() -> None:
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=_Task)
    try:
        with _certificates(task.ca_file):
            failed = list(_failures(task))
    except ImportError:
        sys.exit("Apprise is not installed; run: pip install 'precoro-daemon[notify]'")
    sys.stdout.buffer.write(msgspec.json.encode(failed))


def _failures(task: _Task) -> Iterator[str]:
    """Yields a line for each target with an invalid address or a failed delivery."""
    import apprise  # noqa: PLC0415 - an extra

    complaints = _Complaints(logging.WARNING)
    apprise.logger.addHandler(complaints)
    for number, address in enumerate(task.addresses, start=1):
        complaints.said = ""
        target = apprise.Apprise.instantiate(address)
        if target is None:
            scheme = address.partition("://")[0]
            yield f"target {number} ({scheme}://…) is no address that Apprise can read"
        elif task.message is not None:
            given = task.message
            sent = target.notify(body=given["body"], title=given["title"], notify_type=given["kind"])
            if not sent:
                shown: str = target.url(privacy=True)  # type: ignore[no-untyped-call]
                yield f"target {number} ({shown}): {complaints.said or 'it did not take the message'}"


@contextmanager
def _certificates(ca_file: str | None) -> Iterator[None]:
    """Trusts these certificates in addition to the system's."""
    if ca_file is None:
        yield
        return
    import certifi  # noqa: PLC0415 - comes with Apprise

    with tempfile.TemporaryDirectory() as directory:
        bundle = Path(directory) / "ca.pem"
        known = [certifi.where(), ssl.get_default_verify_paths().cafile, ca_file]
        bundle.write_bytes(b"\n".join(Path(path).read_bytes() for path in known if path and Path(path).exists()))
        os.environ["REQUESTS_CA_BUNDLE"] = os.environ["SSL_CERT_FILE"] = str(bundle)
        yield


if __name__ == "__main__":
    main()
