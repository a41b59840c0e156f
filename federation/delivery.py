"""Delivering an activity to an inbox: sign, post, and say what the answer means.

What to send, to whom, and when to try again is the application's to remember; how long to wait is
told here.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from federation import client, signing, vocabulary
from federation.errors import Gone, Refused, Unreachable

FIRST_WAIT = 2.0
LONGEST_WAIT = 12 * 3600.0
GIVE_UP_AFTER = 7 * 24 * 3600.0
RFC9421_REMEMBERED = 7 * 24 * 3600.0
REFUSALS_MOST = 5


@dataclass(frozen=True, slots=True)
class Signer:
    """In whose name a request is signed."""

    key_id: str
    key: RSAPrivateKey


def backoff(failures: int, chance: random.Random) -> float:
    """Seconds to wait after so many failures in a row: doubling, half of it left to chance.

    The chance keeps a thousand servers from knocking in step at one that has just come back.
    """
    most = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(failures, 20))
    return most / 2 + chance.random() * most / 2


def sign(
    inbox: str,
    body: bytes,
    signer: Signer,
    now: datetime,
    *,
    rfc9421: bool = False,
    digest: bytes | None = None,
) -> dict[str, str]:
    """The headers that sign a delivery made now. Costs most of what a delivery costs.

    `digest` is the body's SHA-256, where it is known.
    """
    how = signing.sign_rfc9421 if rfc9421 else signing.sign_cavage
    return how(
        signer.key,
        signer.key_id,
        "POST",
        inbox,
        body,
        now,
        content_type=vocabulary.ACTIVITY_JSON,
        digest=digest,
    )


async def deliver(
    http: client.Client,
    inbox: str,
    body: bytes,
    signer: Signer,
    now: datetime,
    *,
    rfc9421: bool = False,
    headers: Mapping[str, str] | None = None,
) -> bool:
    """Posts `body` to `inbox`; returns whether RFC 9421 was the signature that passed.

    `headers` are those of `sign`, where it was signed a moment ago, in a thread say. The other kind
    of signature is tried once when the first is refused with 400 or 401 ("double-knocking";
    draft-cavage first, since more servers know only that). Redirects are not followed. Raises Gone
    (404, 410: the inbox is no more), Refused (any other 4xx or 3xx) and Unreachable (5xx, 429, or
    no answer).
    """
    if headers is None:
        headers = sign(inbox, body, signer, now, rfc9421=rfc9421)
    try:
        await _knock(http, inbox, body, headers, now)
    except Refused as refusal:
        if refusal.status not in (400, 401):
            raise
        again = sign(inbox, body, signer, now, rfc9421=not rfc9421)
        await _knock(http, inbox, body, again, now)
        return not rfc9421
    return rfc9421


async def _knock(
    http: client.Client, inbox: str, body: bytes, headers: Mapping[str, str], now: datetime
) -> None:
    answer = await http.post(inbox, body, headers)
    if 200 <= answer.status < 300:
        return
    detail = f"{answer.status} from {inbox}"
    if answer.status in (404, 410):
        raise Gone("inbox-gone", detail)
    if answer.status in (408, 425, 429) or answer.status >= 500:
        raise Unreachable("not-now", detail, retry_after=client.retry_after(answer, now))
    if answer.status < 400:
        raise Refused("redirected", detail, status=answer.status)
    raise Refused("refused", detail, status=answer.status)
