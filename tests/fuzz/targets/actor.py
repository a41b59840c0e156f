"""Actors' documents and their keys, shops and listings made of them.

Input: JSON, {"key": a key id, "documents": {URL: document}}. The way around that is looked for: a
key that counts for an owner who does not name it, an inbox or an object on somebody else's server.
"""

import contextlib
import json
from datetime import UTC, datetime
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from federation import actors, addresses, client, documents, keys, multibase, proofs
from federation.errors import FederationError, Refused
from node.exchange import listings_read, shops
from node.model import Listing, Shop

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
_POLICY = addresses.Policy(frozenset(), "boutiques.example")
_URI = "https://away.example/users/fleurs"
_ED25519 = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
_MULTIKEY = keys.multikey(_ED25519)
# The published key of RFC 9421, appendix B.1.1, in its public half.
_PEM = (
    "-----BEGIN RSA PUBLIC KEY-----\n"
    "MIIBCgKCAQEAhAKYdtoeoy8zcAcR874L8cnZxKzAGwd7v36APp7Pv6Q2jdsPBRrw\n"
    "WEBnez6d0UDKDwGbc6nxfEXAy5mbhgajzrw3MOEt8uA5txSKobBpKDeBLOsdJKFq\n"
    "MGmXCQvEG7YemcxDTRPxAleIAgYYRjTSd/QBwVW9OwNFhekro3RtlinV0a75jfZg\n"
    "kne/YiktSvLG34lw2zqXBDTC5NHROUqGTlML4PlNZS5Ri2U4aCNx2rUPRcKIlE0P\n"
    "uKxI4T+HIaFpv8+rdV6eUgOrB2xeI1dSFFn/nnv5OoZJEIB+VmuKn3DCUcCZSFlQ\n"
    "PSXSfBDiUGhwOw76WuSSsf1D4b/vLoJ10wIDAQAB\n"
    "-----END RSA PUBLIC KEY-----\n"
)


def document(**changed: Any) -> dict[str, Any]:
    """An actor as servers serve them."""
    return {
        "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"],
        "id": _URI,
        "type": "Organization",
        "preferredUsername": "fleurs",
        "name": "Au Fil des Fleurs",
        "summary": "<p>Fleuriste</p>",
        "inbox": f"{_URI}/inbox",
        "outbox": f"{_URI}/outbox",
        "endpoints": {"sharedInbox": "https://away.example/inbox"},
        "publicKey": {"id": f"{_URI}#main-key", "owner": _URI, "publicKeyPem": _PEM},
        "assertionMethod": [
            {"id": f"{_URI}#ed25519-key", "type": "Multikey", "controller": _URI,
             "publicKeyMultibase": _MULTIKEY}
        ],
        "location": {"type": "Place", "latitude": 44.8, "longitude": -0.58},
        "sdo:containedInPlace": {"sdo:identifier": "FR-INSEE:33063"},
        "sdo:telephone": "+33 5 56 00 00 00",
        "published": "2026-01-01T08:00:00Z",
        "updated": "2026-11-01T08:00:00Z",
        **changed,
    }  # fmt: skip


_NOTE = {
    "id": f"{_URI}/items/1", "type": "Note", "attributedTo": _URI, "url": f"{_URI}/items/1",
    "content": "<p><strong>Rose</strong></p>", "updated": "2026-11-02T08:00:00Z",
    "sdo:offers": [{"type": "sdo:Offer", "sdo:price": "12.50", "sdo:priceCurrency": "EUR",
                    "sdo:itemOffered": {"sdo:name": "Rose", "sdo:size": {"sdo:value": "500",
                                        "sdo:unitCode": "GRM"}}}],
    "reciprocal": {"resourceQuantity": {"hasNumericalValue": "12.50"}},
    "flohmarkt:data": {"price": "12.50", "name": "Rose", "currency": "EUR"},
}  # fmt: skip


def _seed(key: str, **documents_by_url: Any) -> bytes:
    return json.dumps({"key": key, "documents": documents_by_url}).encode()


_STUB_KEY = {"id": f"{_URI}/main-key", "type": "Key", "owner": _URI, "publicKeyPem": _PEM}
SEEDS = (
    _seed(f"{_URI}#main-key", **{_URI: document()}),
    _seed(f"{_URI}#ed25519-key", **{_URI: document()}),
    _seed(f"{_URI}/main-key", **{f"{_URI}/main-key": _STUB_KEY,
                                 _URI: document(publicKey=_STUB_KEY)}),
    _seed(f"{_URI}/main-key", **{f"{_URI}/main-key": {"id": _URI, "publicKey": _STUB_KEY},
                                 _URI: document(publicKey=[_STUB_KEY, _STUB_KEY])}),
    _seed("https://evil.example/k", **{"https://evil.example/k": {**_STUB_KEY,
                                       "id": "https://evil.example/k"}, _URI: document()}),
    _seed(f"{_URI}#main-key", **{_URI: document(), f"{_URI}/items/1": _NOTE}),
    _seed(f"{_URI}#main-key", **{_URI: document(inbox="https://evil.example/inbox")}),
)  # fmt: skip
WORDS = (
    b'"id"', b'"owner"', b'"controller"', b'"publicKey"', b'"publicKeyPem"', b'"assertionMethod"',
    b'"publicKeyMultibase"', b'"inbox"', b'"endpoints"', b'"sharedInbox"', b"#main-key",
    b"#ed25519-key", b"https://away.example", b"https://evil.example", b"https://away.example:443",
    b'"Organization"', b'"Person"', b'"Note"', b'"sdo:price"', b'"sdo:offers"', b'"attributedTo"',
    b"-----BEGIN PUBLIC KEY-----", b"-----BEGIN RSA PRIVATE KEY-----", b"z6Mk", b"null", b"[]",
    b'"2026-11-25T12:00:00Z"',
)  # fmt: skip


class _Web:
    """Serves the documents of the input as the guarded client would give them: told by the origin
    of their id."""

    def __init__(self, served: dict[str, Any]) -> None:
        self.served = served

    async def fetch_document(self, url: str, **_: Any) -> tuple[dict[str, Any], str]:
        addresses.check_url(url, _POLICY)
        for _ in range(2):
            found = self.served.get(url)
            if not isinstance(found, dict):
                raise Refused("no-answer")
            named = documents.check_id(found.get("id"))
            if not documents.same_origin(named, url):
                raise Refused("foreign-id")
            if named == url:
                return found, url
            url = named
        raise Refused("id-mismatch")


class _Nothing:
    """A store that keeps nothing."""

    async def get_actor(self, uri: str) -> None:
        return None

    async def get_key(self, key_id: str) -> None:
        return None

    async def put(self, actor: actors.RemoteActor) -> None:
        return None


def one(data: bytes) -> None:
    """Reads every document as what it may be, and looks the key up among them."""
    if data[:1] == b"z":
        _multibase(data.decode("latin-1"))
    try:
        given = documents.parse(data)
    except Refused:
        return
    served = given.get("documents")
    served = served if isinstance(served, dict) else {}
    for found in served.values():
        if isinstance(found, dict):
            _read(found)
    key_id = given.get("key")
    if isinstance(key_id, str):
        with contextlib.suppress(Refused):
            _look_up(documents.check_id(key_id, fragment=True), served)


def _look_up(key_id: str, served: dict[str, Any]) -> None:
    web = cast("client.Client", _Web(served))
    resolver = actors.ActorResolver(web, cast("actors.ActorStore", _Nothing()), None, lambda: NOW)
    looking = resolver.key(key_id)
    try:
        looking.send(None)
    except StopIteration as ended:
        key, public = ended.value
    except FederationError:
        return
    else:
        raise AssertionError("it waits for something")
    owner = served[key.owner]
    assert key.id == key_id
    assert owner["id"] == key.owner
    assert documents.origin(key.owner) == documents.origin(key_id)
    assert key_id in json.dumps(owner, ensure_ascii=False)
    assert key.material in _strings(owner)
    if isinstance(public, RSAPublicKey):
        assert 2048 <= public.key_size <= 8192
        assert public.public_numbers().e >= 3


def _strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for inner in value for text in _strings(inner)]
    return [value] if isinstance(value, str) else []


def _read(found: dict[str, Any]) -> None:
    with contextlib.suppress(Refused):
        actor = actors.from_document(found)
        origin = documents.origin(actor.id)
        for url in (actor.inbox, actor.shared_inbox, *(key.id for key in actor.keys)):
            assert url is None or documents.origin(url) == origin, url
        for key in actor.keys:
            assert key.owner == actor.id
            with contextlib.suppress(Refused):
                key.load()
    shop: Shop | None = None
    with contextlib.suppress(Refused):
        shop = shops.from_document(found, "away.example", "1", NOW)
        assert documents.same_origin(shop.url, shop.uri)
        assert len(shop.name) <= 100
        assert len(shop.summary or "") <= 500
        assert shop.updated.year < 2027
    with contextlib.suppress(Refused):
        proofs.verification_method(found)
    with contextlib.suppress(Refused):
        _listing(listings_read.from_document(found, shop or _SHOP, "1", NOW))


_SHOP = shops.from_document(document(), "away.example", "1", NOW)


def _listing(listing: Listing) -> None:
    assert documents.same_origin(listing.url, listing.uri)
    assert 0 < len(listing.name) <= 120
    assert len(listing.description) <= 5000
    assert 0 < len(listing.offers) <= listings_read.OFFERS_READ
    assert listing.updated.year < 2027
    for offer in listing.offers:
        assert offer.price_cents is None or 0 <= offer.price_cents < 10**12
        assert len(offer.currency) == 3
        assert len(offer.axes) <= listings_read.AXES_READ


def _multibase(text: str) -> None:
    try:
        decoded = multibase.decode(text, 64)
    except Refused:
        return
    assert len(decoded) <= 64
    assert multibase.encode(decoded) == text
    with contextlib.suppress(Refused):
        keys.load_multikey(text)
