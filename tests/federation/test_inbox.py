"""What names an activity that came: the same again is known, anything else is not."""

from typing import cast

import pytest

from federation import signatures
from federation.inbox import Claim

ACTOR = "https://a.example/users/fleurs"


def claim(body: bytes = b"{}", actor: str = ACTOR, kind: str = "Update", of: str = "1") -> Claim:
    request = signatures.Request("POST", "b.example", "https", "/inbox", (), body)
    unread = cast(signatures.Claim, None)
    return Claim({}, f"{ACTOR}/{of}", kind, actor, unread, request)


def test_the_same_again_is_known_however_it_was_signed() -> None:
    assert claim().fingerprint == claim().fingerprint
    assert len(claim().fingerprint) == 32


@pytest.mark.parametrize(
    "other",
    [
        claim(b'{"price": 2}'),  # some servers give an Update the id of the one before
        claim(actor=f"{ACTOR}2"),
        claim(kind="Create"),
        claim(of="2"),
    ],
)
def test_anything_else_is_another(other: Claim) -> None:
    assert other.fingerprint != claim().fingerprint
