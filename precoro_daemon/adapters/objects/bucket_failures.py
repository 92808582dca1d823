"""the errors of a bucket, explained to the operator"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from precoro_daemon.errors import BucketUnusable

_HTTP_STATUS = re.compile(r"status code: (\d{3})")
_ERROR_CODE = re.compile(r"<Code>([A-Za-z0-9._-]{1,80})</Code>")
_EXPECTED_REGION = re.compile(r"expecting '([a-z0-9-]{1,40})'")
_LONGEST_REASON_CHARS = 200

_GONE_CODES = frozenset({"NoSuchBucket", "ContainerNotFound"})
_KEY_CODES = frozenset(
    {"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken", "AuthenticationFailed"}
)
_FULL_CODES = frozenset(
    {"QuotaExceeded", "InsufficientStorage", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "AccountIsFull"}
)
_REGION_CODES = frozenset({"AuthorizationHeaderMalformed", "PermanentRedirect", "IllegalLocationConstraintException"})
_SLOWER_CODES = frozenset({"SlowDown", "ServerBusy", "TooManyRequests"})


class Missing(BucketUnusable):
    """The object does not exist. A caller that expected it reads this as a lost bucket."""


class Taken(BucketUnusable):
    """An object with this key exists already."""


@contextmanager
def explained(where: object) -> Iterator[None]:
    """Turns the library's errors about a place into Missing, Taken or BucketUnusable."""
    from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError

    try:
        yield
    except (AlreadyExistsError, FileExistsError) as error:
        raise Taken(f"{where}: an object of that name is there already") from error
    except (BaseError, NotFoundError, FileNotFoundError, TimeoutError) as error:
        text = str(error)
        if isinstance(error, NotFoundError | FileNotFoundError) and _code(text) not in _GONE_CODES:
            raise Missing(f"{where}: what was asked for is not there; is the bucket itself?") from error
        raise BucketUnusable(f"{where}: {reason_of(text)}") from None


def reason_of(text: str) -> str:
    """Returns the library's error as one clause with what to do, without headers or signatures."""
    status, code = _HTTP_STATUS.search(text), _code(text)
    for fits, sentence in _BUCKET_SENTENCES:
        if fits(text, int(status[1]) if status else 0, code):
            return sentence.format(code=code or (status[1] if status else ""), region=_region(text))
    return text.partition("\n")[0][:_LONGEST_REASON_CHARS]


def _code(text: str) -> str:
    found = _ERROR_CODE.search(text)
    return found[1] if found else ""


def _region(text: str) -> str:
    found = _EXPECTED_REGION.search(text)
    return f" ({found[1]})" if found else ""


_Fits = Callable[[str, int, str], bool]

_BUCKET_SENTENCES: tuple[tuple[_Fits, str], ...] = (
    (
        lambda text, _, __: "169.254.169.254" in text or "metadata.google.internal" in text,
        "there are no credentials: give them in [fetch_attachments.bucket], or run where the platform has some",
    ),
    (
        lambda _, __, code: code in _GONE_CODES,
        "there is no such bucket; make it, or mend directory in [fetch_attachments]",
    ),
    (
        lambda text, status, code: code in _REGION_CODES or status == 301 or "Received redirect" in text,
        "the bucket is in another region{region}; set region in [fetch_attachments.bucket]",
    ),
    (
        lambda _, status, code: status == 507 or code in _FULL_CODES,
        "the bucket is full, or its quota is used up ({code}); make room, or raise the quota",
    ),
    (
        lambda _, __, code: code in _KEY_CODES,
        "it does not accept the key ({code}); mend the credentials in [fetch_attachments.bucket]",
    ),
    (
        lambda _, __, code: code == "RequestTimeTooSkewed",
        "it refuses as the clock of this machine is wrong; set the clock",
    ),
    (
        lambda _, status, __: status in (401, 403),
        "access is refused ({code}); the key must be allowed to list the bucket, and to read and write objects in it",
    ),
    (
        lambda _, status, code: status == 429 or code in _SLOWER_CODES,
        "it asks for fewer requests ({code}); the next lap goes on",
    ),
    (lambda _, status, __: status >= 500, "it is in trouble ({code}); the next lap tries again"),
    (
        lambda text, _, __: "certificate" in text,
        "its certificate is not trusted; name the authority's in ca_file of [fetch_attachments.bucket]",
    ),
    (
        lambda text, _, __: "dns error" in text,
        "the name of its host is not known; mend endpoint in [fetch_attachments.bucket], or the network",
    ),
    (
        lambda text, _, __: "kind: Timeout" in text or "timed out" in text,
        "it does not answer in time; the next lap tries again (timeout in [fetch_attachments.bucket] says how long)",
    ),
    (
        lambda text, _, __: "error sending request" in text,
        "it cannot be reached; mend endpoint in [fetch_attachments.bucket], or the network",
    ),
)
"""The first one that fits is used."""
