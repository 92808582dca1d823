"""Neither the key nor the e-mail comes out, wherever it hides."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import PurePath
from urllib.parse import quote, quote_plus

import pytest
import structlog
from hypothesis import assume, given
from hypothesis import strategies as st

from precoro_daemon.cli.service import ServiceLog
from precoro_daemon.settings import Settings
from precoro_daemon.status.snapshot import Tallies
from precoro_daemon.telemetry import excerpt, get_logger, redaction, set_up

TOKEN = "Hunter2/+Key="
EMAIL = "buyer+api@example.com"
SECRETS = [TOKEN, EMAIL]


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    before = structlog.get_config()
    stream = io.StringIO()
    set_up("debug", "json", secrets=SECRETS, stream=stream)
    yield stream
    structlog.configure(**before)


@pytest.mark.parametrize(
    "value",
    [
        TOKEN,
        f"X-AUTH-TOKEN: {TOKEN}",
        f"?email={quote(EMAIL, safe='')}&k={quote_plus(TOKEN)}",
        EMAIL.upper(),
        TOKEN.encode(),
        ["deep", ("er", {"k": TOKEN}, {TOKEN})],
        {TOKEN: 1},
        ValueError(TOKEN),
        PurePath(TOKEN),
    ],
    ids=repr,
)
def test_a_secret_in_any_value(value: object, stream: io.StringIO):
    get_logger().info("run_started", value=value)
    assert "[redacted]" in stream.getvalue()
    for secret in SECRETS:
        assert secret.lower() not in stream.getvalue().lower()


@pytest.mark.parametrize(
    "key", ["token", "X-AUTH-TOKEN", "password", "Authorization", "client_secret", "email", "e-mail", "api_key"]
)
def test_a_key_that_is_named_like_a_secret(key: str, stream: io.StringIO):
    get_logger().info("run_started", headers={key: "unknown to us"}, **{key: ["unknown", "to us"]})
    assert "unknown" not in stream.getvalue()


def test_what_is_no_secret_stays(stream: io.StringIO):
    get_logger().info("run_started", key="17", tokens_left=3, reason="monkey business", path="/invoices")
    assert stream.getvalue().endswith('"key":"17","tokens_left":3,"reason":"monkey business","path":"/invoices"}\n')


def test_a_short_secret_is_replaced_where_it_stands_alone_and_in_no_word():
    redact = redaction(["key", "e"])
    assert redact("the key=key e: a monkey, keys and events") == (
        "the [redacted]=[redacted] [redacted]: a monkey, keys and events"
    )
    assert redaction(["eight-88"])("xeight-88x") == "x[redacted]x"


def test_what_the_program_itself_says_is_never_taken_for_a_secret(stream: io.StringIO):
    set_up("debug", "json", secrets=["run_started", "invoices", "take_census"], stream=stream)
    get_logger().info("run_started", job="take_census", collection="invoices", reason="invoices")
    assert (
        '"event":"run_started","job":"take_census","collection":"invoices","reason":"[redacted]"' in stream.getvalue()
    )


def test_without_secrets_nothing_is_replaced():
    assert redaction([])("text") == redaction([""])("text") == "text"


_TEXTS = st.text(st.characters(codec="utf-8"), max_size=600)


@given(_TEXTS, _TEXTS, st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=11, max_size=40))
def test_an_excerpt_is_one_printable_line_without_the_secret(before: str, after: str, secret: str):
    assume(secret.lower() not in "[redacted]")
    cut = excerpt(f"{before}{secret}{after}".encode(), [secret])
    assert secret.lower() not in cut.lower()
    assert len(cut) <= 256
    assert cut.isprintable()


@pytest.mark.parametrize("room", range(230, 260))
def test_a_secret_is_not_cut_in_half_at_the_end(room: int):
    cut = excerpt("x" * room + TOKEN, [TOKEN])
    assert "Hun" not in cut


def test_an_excerpt_of_a_page_for_people():
    assert excerpt(b"<html>\r\n  <h1>502</h1>\x1b[31m\xff\n</html>", []) == "<html> <h1>502</h1> [31m\ufffd </html>"
    assert excerpt("", []) == excerpt(b" \n ", []) == ""
    assert excerpt("y" * 300, []) == "y" * 255 + "…"


def test_a_service_keeps_the_former_key_out_of_its_log_too(
    stream: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is in flight while the configuration is read anew still has it."""
    log = ServiceLog(Tallies().line)
    for token in ("former-key-0123", "present-key-4567"):
        precoro = {"region": "us", "email": EMAIL, "token": token}
        log.follow(Settings(precoro=precoro))  # type: ignore[arg-type]
    get_logger().warning("call_retried", reason="former-key-0123, present-key-4567")
    said = capsys.readouterr().out
    assert "call_retried" in said
    assert "key-" not in said
