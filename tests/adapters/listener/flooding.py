"""Webhooks at a fixed rate, each on a connection of its own, whether the listener keeps up or not.

`python -m tests.adapters.listener.flooding PORT SECRET SECONDS RATE` prints what was offered and answered as JSON.
"""

from __future__ import annotations

import errno
import json
import select
import socket
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

_IDS = 50_000
"""Records named in turn: five times what may wait."""

_MOST_OPEN = 4000
"""Twenty times what the listener holds."""

_PATIENCE = 0.5
"""Seconds after which a sender who got no answer hangs up."""

_BURST = 50
"""Connections opened between two looks at answers."""


@dataclass
class Flood:
    """What was offered, and the status of each answer; "" where there was none."""

    port: int
    secret: str
    rate: float
    told: Counter[str] = field(default_factory=Counter)
    open: dict[int, tuple[socket.socket, float]] = field(default_factory=dict)  # by descriptor, the oldest first
    poll: select.epoll = field(default_factory=select.epoll)

    def run(self, seconds: float) -> Counter[str]:
        began = time.monotonic()
        while (passed := time.monotonic() - began) < seconds:
            for _ in range(min(_BURST, round(self.rate * passed) - self.told["offered"])):
                if len(self.open) < _MOST_OPEN:
                    self._offer()
            self._hear(0.0 if self.rate * passed > self.told["offered"] + 1 else 0.001)
        self._hear(1.0)
        return self.told

    def _offer(self) -> None:
        sender = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self.told["offered"] += 1
        if sender.connect_ex(("127.0.0.1", self.port)) in {0, errno.EINPROGRESS}:
            self.open[sender.fileno()] = (sender, time.monotonic())
            self.poll.register(sender, select.EPOLLOUT)
        else:
            self._close(sender, "")

    def _say(self, sender: socket.socket) -> None:
        id_ = self.told["offered"] % _IDS
        body = b'{"id": %d, "type": %d, "action": 1, "idn": %d}' % (id_, id_ % 12, id_)
        head = f"POST /{self.secret} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
        sender.send(head.encode() + body)
        self.poll.modify(sender, select.EPOLLIN)

    def _hear(self, wait: float) -> None:
        for descriptor, event in self.poll.poll(wait):
            sender, _ = self.open[descriptor]
            try:
                if event == select.EPOLLOUT:
                    self._say(sender)
                    continue
                answer = sender.recv(64)
            except OSError:  # closed unread
                answer = b""
            self._forget(descriptor, answer[9:12].decode())
        late = time.monotonic() - _PATIENCE
        for descriptor, (_, since) in list(self.open.items())[:_BURST]:
            if since < late:
                self._forget(descriptor, "")

    def _forget(self, descriptor: int, status: str) -> None:
        sender, _ = self.open.pop(descriptor)
        self._close(sender, status)

    def _close(self, sender: socket.socket, status: str) -> None:
        sender.close()
        self.told[status] += 1


if __name__ == "__main__":
    port, secret, seconds, rate = sys.argv[1:]
    print(json.dumps(Flood(int(port), secret, float(rate)).run(float(seconds))))
