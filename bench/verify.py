"""Verifying: what a good activity costs the door of an inbox, in processor time and without HTTP.

A listing of a neighbour's, with all that such a document says twice for servers that know nothing
of shops; and a note of half the length, as people's servers send them.

The gate (JSON, bounds), the digest, the signature by a key that is known already, and that id, key
and actor are of one origin: `federation.inbox.read` and what `authenticate` does after it.
"""

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from bench import measure, stand_in
from federation import documents, inbox, signatures, signing, vocabulary
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
    handle = sender.shops[0].handle
    actor = sender.uris.actor(handle)
    listings = [letter.partition(b"\r\n\r\n")[2]
                for letter in sender.creates(LETTERS, "boutiques.example", place)]  # fmt: skip
    notes = [_note(actor, number) for number in range(LETTERS)]
    key, key_id = sender.rsa[handle], sender.uris.main_key(handle)
    for what, bodies in (("listing", listings), ("note", notes)):
        _table(what, bodies, key, key_id, size.rounds or ROUNDS)


def _table(what: str, bodies: list[bytes], key: RSAPrivateKey, key_id: str, rounds: int) -> None:
    now = datetime.now(UTC)
    cavage = _requests(signing.sign_cavage, key, key_id, bodies, now)
    rfc9421 = _requests(signing.sign_rfc9421, key, key_id, bodies, now)
    public = key.public_key()

    def whole(request: signatures.Request) -> None:
        signatures.verify(inbox.read(request, now).signature, public)

    steps: list[tuple[str, list[signatures.Request], Callable[[signatures.Request], object]]] = [
        ("gate: JSON within bounds", cavage, lambda one: documents.parse(one.body)),
        ("digest", cavage, signatures.check_digest),
        ("all that needs no key", cavage, lambda one: inbox.read(one, now)),
        ("whole, draft-cavage-12", cavage, whole),
        ("whole, RFC 9421", rfc9421, whole),
    ]
    taken: dict[str, list[float]] = {name: [] for name, _, _ in steps}
    for nth in range(1 + rounds):  # the first warms up; the steps take turns
        for name, requests, step in steps:
            used = _cpu(requests, step)
            if nth:
                taken[name].append(used)
    length = statistics.median(len(body) for body in bodies)
    measure.table(
        f"a {what} of {length:,.0f} bytes, µs of processor time, RSA-2048, "
        f"{LETTERS} different ones a round (wanted: whole under {WANTED})",
        ("", "min", "median", "max"),
        [(name, *measure.spread(times, ",.1f")) for name, times in taken.items()],
    )


def _note(actor: str, number: int) -> bytes:
    """A Create of a Note by a person, with two languages, a mention, two tags and a picture."""
    note = f"{actor}/statuses/{10**17 + number}"
    said = (
        f"<p>Vu au marché ce matin : {number} paniers de figues. "
        + "Tout est parti. " * 24
        + "</p>"
    )
    return json.dumps(
        {
            "@context": [
                vocabulary.AS2,
                {
                    "ostatus": "http://ostatus.org#",
                    "atomUri": "ostatus:atomUri",
                    "inReplyToAtomUri": "ostatus:inReplyToAtomUri",
                    "conversation": "ostatus:conversation",
                    "sensitive": "as:sensitive",
                    "toot": "http://joinmastodon.org/ns#",
                    "votersCount": "toot:votersCount",
                    "Hashtag": "as:Hashtag",
                    "blurhash": "toot:blurhash",
                    "focalPoint": {"@container": "@list", "@id": "toot:focalPoint"},
                },
            ],
            "id": f"{note}/activity",
            "type": "Create",
            "actor": actor,
            "published": "2026-11-26T10:11:12Z",
            "to": [vocabulary.PUBLIC],
            "cc": [f"{actor}/followers"],
            "object": {
                "id": note,
                "type": "Note",
                "summary": None,
                "inReplyTo": None,
                "published": "2026-11-26T10:11:12Z",
                "url": f"{actor}/{number}",
                "attributedTo": actor,
                "to": [vocabulary.PUBLIC],
                "cc": [f"{actor}/followers"],
                "sensitive": False,
                "atomUri": note,
                "inReplyToAtomUri": None,
                "conversation": f"tag:people.example,2026-11-26:objectId={number}",
                "content": said,
                "contentMap": {"fr": said},
                "attachment": [
                    {
                        "type": "Document",
                        "mediaType": "image/jpeg",
                        "url": f"{actor}/media/{number}.jpg",
                        "name": "Un étal de figues",
                        "blurhash": "UBL_:rOpGG-oBUNG,qRj2so|=eE1w^n4S5NH",
                        "width": 1600,
                        "height": 1200,
                        "focalPoint": [0.0, 0.1],
                    }
                ],
                "tag": [
                    {"type": "Hashtag", "href": f"{actor}/tags/{tag}", "name": f"#{tag}"}
                    for tag in ("figues", "marche")
                ],
                "replies": {
                    "id": f"{note}/replies",
                    "type": "Collection",
                    "first": {
                        "type": "CollectionPage",
                        "next": f"{note}/replies?only_other_accounts=true&page=true",
                        "partOf": f"{note}/replies",
                        "items": [],
                    },
                },
            },
        },
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()


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
    requests = [replace(request) for request in requests]  # as it came in: nothing read before
    count = len(requests)
    begun = time.process_time()
    while requests:
        step(requests.pop())  # nothing that came of it is kept, as at the door
    return (time.process_time() - begun) / count * 1e6
