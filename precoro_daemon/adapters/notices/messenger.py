"""messages through Apprise, in a process that lives for one message

Apprise takes a second of CPU and 30 MB to import, and blocks while it sends. A service that sends one message a week
should pay for that once a week. Addresses contain secrets, so they go through a pipe and not on the command line.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from subprocess import PIPE, CalledProcessError

import anyio
import msgspec

from precoro_daemon.adapters.http.route import Route
from precoro_daemon.errors import NoticeUnsent
from precoro_daemon.status.notices import Message

_SENT_WITHIN_S = 90.0
"""Real seconds for all targets together; Apprise gives each a few seconds."""

_CHILD = "precoro_daemon.adapters.notices.sending"


@dataclass(frozen=True, slots=True)
class Messenger:
    """Sends to each of the addresses.

    route  the proxy, and the certificates to trust
    """

    addresses: Sequence[str]
    route: Route

    async def send(self, message: Message) -> None:
        """Sends the message. Raises NoticeUnsent with the targets that failed; the others have received it."""
        await self._run({"message": asdict(message)})

    async def check(self) -> None:
        """Checks that each address is valid, without sending anything. Raises NoticeUnsent."""
        await self._run({})

    async def _run(self, task: dict[str, object]) -> None:
        ca_file = str(self.route.ca_file) if self.route.ca_file else None
        given = {"addresses": list(self.addresses), "ca_file": ca_file} | task
        command = [sys.executable, "-P", "-m", _CHILD]
        try:
            with anyio.fail_after(_SENT_WITHIN_S):
                done = await anyio.run_process(
                    command, input=msgspec.json.encode(given), stderr=PIPE, env=self._environment()
                )
            failed = msgspec.json.decode(done.stdout, type=list[str])
        except TimeoutError:
            raise NoticeUnsent(f"no answer within {_SENT_WITHIN_S:.0f} seconds") from None
        except CalledProcessError as error:
            lines = error.stderr.decode(errors="replace").strip().splitlines()
            raise NoticeUnsent(lines[-1] if lines else f"the sender ended with {error.returncode}") from None
        except (OSError, msgspec.MsgspecError) as error:
            raise NoticeUnsent(f"the sender cannot be run: {error}") from None
        if failed:
            raise NoticeUnsent("; ".join(failed))

    def _environment(self) -> dict[str, str]:
        """Passes the proxy in variables, where Requests, which Apprise uses, expects it."""
        proxy = self.route.proxy
        return {**os.environ, **({"HTTPS_PROXY": proxy, "HTTP_PROXY": proxy} if proxy else {})}
