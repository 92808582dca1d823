"""Which answer is which error, and what the operator reads."""

from __future__ import annotations

import pytest

from precoro_daemon import errors
from precoro_daemon.adapters.http.exchange import Answer, Request, check

GET = Request("GET", "/invoices", (("page", "3"),))
POST = Request("POST", "/payments")
SECRETS = ("t0ken-0f-ours", "api@example.org")


def failure(
    status: int, body: bytes = b"", headers: dict[str, str] | None = None, request: Request = GET
) -> errors.DaemonError:
    with pytest.raises(errors.DaemonError) as caught:
        check(request, Answer(status, headers or {}, body, 1765875600.0), SECRETS)
    return caught.value


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, errors.MalformedAnswer),
        (302, errors.MalformedAnswer),
        (304, errors.MalformedAnswer),
        (400, errors.Refused),
        (401, errors.AuthenticationError),
        (403, errors.Forbidden),
        (404, errors.NotFound),
        (405, errors.Refused),
        (408, errors.ServerFault),
        (409, errors.Refused),
        (422, errors.Refused),
        (429, errors.RateLimited),
        (500, errors.ServerFault),
        (503, errors.ServerFault),
        (599, errors.ServerFault),
        (600, errors.MalformedAnswer),
    ],
)
def test_the_table(status: int, kind: type[errors.DaemonError]):
    error = failure(status, b'{"error": "why"}')
    assert type(error) is kind
    call = f"GET /invoices?page=3: Precoro answered {status}"
    advice_first = kind in (errors.AuthenticationError, errors.Forbidden, errors.NotFound)
    assert (call in str(error), str(error).startswith(call)) == (True, not advice_first)
    assert '{"error": "why"}' in str(error)


@pytest.mark.parametrize("status", [200, 201, 204])
def test_good_answers_pass(status: int):
    check(GET, Answer(status, {"Content-Type": "application/json"}, b"{}", None), SECRETS)
    check(GET, Answer(status, {}, b"", None), SECRETS)


def test_a_web_page_is_never_data():
    page = failure(200, b"<html><title>We will be back</title></html>", {"content-type": "text/html; charset=utf-8"})
    assert type(page) is errors.WebPage
    assert "We will be back" in str(page)


@pytest.mark.parametrize(
    ("status", "headers"), [(500, {}), (302, {}), (408, {}), (200, {"Content-Type": "text/html"})]
)
def test_a_post_whose_answer_says_nothing_is_in_doubt(status: int, headers: dict[str, str]):
    assert type(failure(status, headers=headers, request=POST)) is errors.DoubtfulError


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429])
def test_a_post_that_was_refused_is_not_in_doubt(status: int):
    assert type(failure(status, request=POST)) is not errors.DoubtfulError


def test_foreign_text_is_short_on_one_line_and_without_secrets():
    text = str(failure(500, b"key t0ken-0f-ours\nof api@example.org\n" + b"x" * 5000))
    assert len(text) < 400
    assert "\n" not in text
    assert "t0ken" not in text
    assert "api@" not in text


def test_a_redirect_says_where_to():
    assert "to https://login.example/" in str(failure(302, headers={"Location": "https://login.example/"}))


@pytest.mark.parametrize(("told", "wait"), [("30", 31.0), ("", None), ("soon", None), ("999999999", 26 * 3600.0)])
def test_a_busy_server_may_say_when_to_come_back(told: str, wait: float | None):
    error = failure(503, headers={"Retry-After": told})
    assert isinstance(error, errors.ServerFault)
    assert error.wait == wait


def test_unusual_keys_stay_one_path_segment_of_the_same_host():
    assert Request("GET", "/suppliers/a b?c#d%é").target == "/suppliers/a%20b%3Fc%23d%25%C3%A9"
