"""Verifying: what a good activity costs the door of an inbox, in processor time and without HTTP.

The gate (JSON, bounds), the digest, the signature by a key that is known already, and that id, key
and actor are of one origin: `federation.inbox.read` and what `authenticate` does after it.
"""

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from bench import measure, stand_in
from federation import documents, inbox, signatures, signing
from node import territory
from node.store import places

ROUNDS = 5
LETTERS = 400
WANTED = 150  # µs


def run(_base: Path, size: measure.Size) -> None:
    """Prints a table."""
    db = places.open_places()
    place = territory.resolve(db, "Talence")
    db.close()
    sender = stand_in.found(9, 1, place)
    bodies = [letter.partition(b"\r\n\r\n")[2]
              for letter in sender.creates(LETTERS, "boutiques.example", place)]  # fmt: skip
    handle = sender.shops[0].handle
    key, key_id = sender.rsa[handle], sender.uris.main_key(handle)
    now = datetime.now(UTC)
    cavage = _requests(signing.sign_cavage, key, key_id, bodies, now)
    rfc9421 = _requests(signing.sign_rfc9421, key, key_id, bodies, now)
    public = key.public_key()

    def whole(request: signatures.Request) -> None:
        signatures.verify(inbox.read(request, now).signature, request, public)

    steps: list[tuple[str, list[signatures.Request], Callable[[signatures.Request], object]]] = [
        ("gate: JSON within bounds", cavage, lambda one: documents.parse(one.body)),
        ("digest", cavage, signatures.check_digest),
        ("all that needs no key", cavage, lambda one: inbox.read(one, now)),
        ("whole, draft-cavage-12", cavage, whole),
        ("whole, RFC 9421", rfc9421, whole),
    ]
    rows = []
    for name, requests, step in steps:
        taken = [_cpu(requests, step) for _ in range(1 + (size.rounds or ROUNDS))][1:]
        rows.append((name, *measure.spread(taken, ",.1f")))
    length = statistics.median(len(body) for body in bodies)
    measure.table(
        f"one good activity of {length:,.0f} bytes, µs of processor time, RSA-2048, "
        f"{LETTERS} different ones a round (wanted: whole under {WANTED})",
        ("", "min", "median", "max"),
        rows,
    )


def _requests(
    sign: Callable[..., dict[str, str]],
    key: RSAPrivateKey,
    key_id: str,
    bodies: list[bytes],
    now: datetime,
) -> list[signatures.Request]:
    made = []
    for body in bodies:
        headers = sign(key, key_id, "POST", "https://boutiques.example/inbox", body, now)
        pairs = tuple((name.lower(), value) for name, value in headers.items())
        made.append(signatures.Request("POST", "boutiques.example", "https", "/inbox", pairs, body))
    return made


def _cpu(requests: list[signatures.Request], step: Callable[[signatures.Request], object]) -> float:
    begun = time.process_time()
    for request in requests:
        step(request)
    return (time.process_time() - begun) / len(requests) * 1e6
