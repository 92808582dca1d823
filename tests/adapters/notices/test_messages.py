"""Messages through the real Apprise to a real server, and signs of life."""

from __future__ import annotations

import socket

import pytest

from precoro_daemon.adapters.http.route import Route
from precoro_daemon.adapters.notices.messenger import Messenger
from precoro_daemon.adapters.notices.ping import ping
from precoro_daemon.errors import NoticeUnsent
from precoro_daemon.status.notices import Message
from tests.adapters.notices.receiving import receiver

MESSAGE = Message("acme: 1 thing needs you: ünd", "The kill switch is on\n\n    rm -f /x", "warning")


@pytest.mark.asyncio
async def test_those_that_can_be_reached_get_it_and_the_others_are_named_without_their_secrets() -> None:
    async with receiver() as there:
        messenger = Messenger([there.target, "slack://TopSecretToken", "json://u:hidden-word@127.0.0.1:9/x"], Route())
        with pytest.raises(NoticeUnsent) as failure:
            await messenger.send(MESSAGE)
        [message] = there.messages
    assert (message["title"], message["message"], message["type"]) == (MESSAGE.title, MESSAGE.body, "warning")
    said = str(failure.value)
    assert "target 2 (slack://…) is no address that Apprise can read" in said
    assert "target 3 (json://" in said
    assert "TopSecret" not in said
    assert "hidden-word" not in said


@pytest.mark.asyncio
async def test_a_check_reads_the_addresses_and_sends_nothing() -> None:
    async with receiver() as there:
        await Messenger([there.target], Route()).check()
        with pytest.raises(NoticeUnsent, match="target 2"):
            await Messenger([there.target, "nowhere://x"], Route()).check()
        assert there.messages == []


@pytest.mark.asyncio
async def test_a_sign_of_life_counts_only_where_it_is_answered() -> None:
    async with receiver() as there:
        await ping(there.heartbeat, Route())
        assert there.pings == 1
        there.status = 500
        with pytest.raises(NoticeUnsent, match=r"127\.0\.0\.1 answered 500"):
            await ping(there.heartbeat, Route())
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens there
        with pytest.raises(NoticeUnsent, match="cannot be reached"):
            await ping(f"http://127.0.0.1:{taken.getsockname()[1]}/ping", Route())
