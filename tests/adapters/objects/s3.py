"""S3 servers on this machine: moto in this process, and rclone where it is installed."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from precoro_daemon.adapters.objects.bucket_access import BucketAccess

BUCKET = "bucket"


@contextmanager
def moto() -> Iterator[str]:
    """Its origin, with one bucket."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - a second, in each process that collects tests

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    origin = "http://{}:{}".format(*server.get_host_and_port())
    with urllib.request.urlopen(urllib.request.Request(f"{origin}/{BUCKET}", method="PUT")):
        pass
    try:
        yield origin
    finally:
        server.stop()


def rclone_binary() -> str | None:
    return os.environ.get("RCLONE") or shutil.which("rclone")


@contextmanager
def rclone(folder: Path) -> Iterator[str]:
    """Its origin, with one bucket. It has neither conditions nor what is put beside an object."""
    (folder / BUCKET).mkdir()
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    program = [rclone_binary() or "rclone", "--config", "", "serve", "s3", "--addr", f"127.0.0.1:{port}"]
    served = subprocess.Popen([*program, "--auth-key", "ACCESSKEY,SECRETKEY", str(folder)], stderr=subprocess.DEVNULL)
    origin = f"http://127.0.0.1:{port}"
    try:
        _wait_for(origin)
        yield origin
    finally:
        served.kill()
        served.wait()


def _wait_for(origin: str) -> None:
    for _ in range(200):
        try:
            urllib.request.urlopen(origin).close()
        except urllib.error.HTTPError as refused:
            refused.close()
            return
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(origin)


def access_to(origin: str, prefix: str = "", *, timeout: float = 10.0, bucket: str = BUCKET) -> BucketAccess:
    return BucketAccess(
        scheme="s3",
        bucket=bucket,
        prefix=prefix,
        endpoint=origin,
        region="us-east-1",
        access_key_id="ACCESSKEY",
        secret="SECRETKEY",
        allow_http=True,
        timeout=timeout,
    )
