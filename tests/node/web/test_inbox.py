"""What is turned away by its head, before a body is read."""

from typing import Any, cast

import pytest

from federation import limits
from node.web.door import Headers
from node.web.inbox import Inbox

KIND = (b"content-type", b"application/activity+json")


class Penalties:
    """A door that counts who failed."""

    def __init__(self) -> None:
        self.failures = 0

    def failed(self, headers: Headers, peer: str) -> None:
        self.failures += 1


def turned_away(*headers: tuple[bytes, bytes]) -> tuple[int, str] | None:
    door, unused = Penalties(), cast(Any, None)
    inbox = Inbox(unused, cast(Any, door), unused, unused, unused, unused)
    refusal = inbox.turn_away(headers, "192.0.2.1")
    assert door.failures == (refusal is not None)
    return refusal and (refusal.status, refusal.code)


@pytest.mark.parametrize(
    "length", [b"0", b"1", b"007", str(limits.INBOX_BODY).encode(), b"0000000001"]
)
def test_a_body_of_a_usual_length_is_read(length: bytes) -> None:
    assert turned_away(KIND, (b"content-length", length)) is None
    assert turned_away(KIND) is None


@pytest.mark.parametrize(
    "length",
    [
        str(limits.INBOX_BODY + 1).encode(),
        b"4000000000",
        b"00000000004000000000",
        b"0" * 5000,
        b"9" * 5000,
        b"-1",
        b"+1",
        b"1 ",
        b"",
        "²".encode("latin-1"),
    ],
)
def test_dos_06_any_other_length_is_too_large(length: bytes) -> None:
    assert turned_away(KIND, (b"content-length", length)) == (413, "too-large")


def test_what_is_no_activity_and_what_is_encoded() -> None:
    assert turned_away() == (415, "wrong-content-type")
    assert turned_away((b"content-type", b"text/html")) == (415, "wrong-content-type")
    # Of two the first goes; that there are two is said when the signature is read.
    assert turned_away(KIND, (b"content-type", b"text/html")) is None
    assert turned_away(KIND, (b"content-encoding", b"gzip")) == (415, "encoded-body")
    assert turned_away(KIND, (b"content-encoding", b"identity")) is None
