"""An Azure Blob Storage of this machine, where Azurite is installed (`npm install azurite`)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate

from precoro_daemon.adapters.objects.bucket_access import BucketAccess

ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""That of every Azurite."""

CONTAINER = "bucket"


def azurite_program() -> str | None:
    return os.environ.get("AZURITE") or shutil.which("azurite-blob")


@contextmanager
def azurite() -> Iterator[str]:
    """The address of its account, with one container. What it has is in its memory."""
    program = azurite_program()
    assert program is not None, "no Azurite on this machine"
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    options = ["--silent", "--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry"]
    served = subprocess.Popen([program, "--blobPort", str(port), *options], stdout=subprocess.DEVNULL)
    origin = f"http://127.0.0.1:{port}/{ACCOUNT}"
    try:
        _wait_for(port)
        _make_container(origin)
        yield origin
    finally:
        served.kill()
        served.wait()


def azure_access(origin: str, prefix: str) -> BucketAccess:
    return BucketAccess(
        "az", CONTAINER, prefix, endpoint=origin, account=ACCOUNT, secret=KEY, allow_http=True, timeout=10.0
    )


def _wait_for(port: int) -> None:
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(port)


def _make_container(origin: str) -> None:
    """Signed by the account's key, as Azure wants it; the library makes none."""
    given = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-08-06"}
    named = "".join(f"{name}:{value}\n" for name, value in given.items())
    text = "PUT" + 12 * "\n" + f"{named}/{ACCOUNT}/{ACCOUNT}/{CONTAINER}\nrestype:container"
    signature = base64.b64encode(hmac.new(base64.b64decode(KEY), text.encode(), hashlib.sha256).digest()).decode()
    headers = {**given, "Authorization": f"SharedKey {ACCOUNT}:{signature}", "Content-Length": "0"}
    asked = urllib.request.Request(f"{origin}/{CONTAINER}?restype=container", method="PUT", headers=headers)
    urllib.request.urlopen(asked).close()
