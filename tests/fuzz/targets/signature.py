"""The signature parser, both kinds, up to the verified signature.

The way around that is looked for: a request that verifies and is not one that was signed.
"""

import base64
import email.utils
import hashlib
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from federation import documents, signatures
from federation.errors import Refused

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
DATE = "Wed, 25 Nov 2026 11:59:30 GMT"
CREATED = int(NOW.timestamp()) - 30
AUTHORITY = "boutiques.example"
KEY_ID = "https://away.example/users/fleurs#main-key"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key()
BODY = (
    b'{"id":"https://away.example/1","type":"Create","actor":"https://away.example/users/fleurs"}'
)
OTHER_BODY = (
    b'{"id":"https://away.example/2","type":"Delete","actor":"https://away.example/users/fleurs"}'
)
TARGETS = ("/inbox", "/users/fleurs/inbox?a=b")


def _hash(body: bytes) -> str:
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


def _sign(base: str) -> str:
    return base64.b64encode(KEY.sign(base.encode("latin-1"))).decode()


def cavage(target: str, body: bytes, covered: str, *, query: bool = True) -> bytes:
    """A request signed by draft-cavage-12, as `one` reads it."""
    digest = f"SHA-256={_hash(body)}"
    known = {
        "(request-target)": f"post {target if query else target.partition('?')[0]}",
        "host": AUTHORITY,
        "date": DATE,
        "digest": digest,
        "content-type": "application/activity+json",
        "(created)": str(CREATED),
    }
    made = _sign("\n".join(f"{name}: {known[name]}" for name in covered.split()))
    times = f"created={CREATED}," if "(created)" in covered else ""
    return (
        f"POST {target}\nhost: {AUTHORITY}\ndate: {DATE}\ndigest: {digest}\n"
        f"content-type: application/activity+json\n"
        f'signature: keyId="{KEY_ID}",{times}algorithm="hs2019",headers="{covered}",'
        f'signature="{made}"\n\n'
    ).encode() + body


def rfc9421(target: str, body: bytes, names: str) -> bytes:
    """A request signed by RFC 9421, as `one` reads it."""
    digest = f"sha-256=:{_hash(body)}:"
    known = {
        "@method": "POST",
        "@target-uri": f"https://{AUTHORITY}{target}",
        "@authority": AUTHORITY,
        "@path": target.partition("?")[0],
        "@query": f"?{target.partition('?')[2]}",
        "content-digest": digest,
        "date": DATE,
    }
    listed = " ".join(f'"{name}"' for name in names.split())
    described = f'({listed});created={CREATED};keyid="{KEY_ID}";alg="ed25519"'
    base = "\n".join(f'"{name}": {known[name]}' for name in names.split())
    made = _sign(f'{base}\n"@signature-params": {described}')
    return (
        f"POST {target}\nhost: {AUTHORITY}\ndate: {DATE}\ncontent-digest: {digest}\n"
        f"signature-input: sig1={described}\nsignature: sig1=:{made}:\n\n"
    ).encode() + body


SEEDS = (
    *(cavage(target, body, "(request-target) host date digest content-type")
      for target in TARGETS for body in (BODY, OTHER_BODY)),
    cavage(TARGETS[0], BODY, "(request-target) host digest (created)"),
    cavage(TARGETS[1], BODY, "(request-target) host date digest", query=False),
    *(rfc9421(target, body, "@method @target-uri content-digest")
      for target in TARGETS for body in (BODY, OTHER_BODY)),
    rfc9421(TARGETS[1], BODY, "@method @authority @path @query content-digest date"),
)  # fmt: skip
WORDS = (
    b"signature: ", b"signature-input: ", b"authorization: Signature ", b"digest: ",
    b"content-digest: ", b"date: ", b"host: ", b"keyId=", b"headers=", b"algorithm=", b"created=",
    b"expires=", b'"hs2019"', b'"ed25519"', b"(request-target)", b"(created)", b"(expires)",
    b"@target-uri", b"@request-target", b"@query", b"@scheme", b";created=", b";keyid=", b";tag=",
    b";req", b";sf", b"sig1=", b"SHA-512=", b"sha-256=:", b"unixsum=", b",", b"\r\n ",
)  # fmt: skip

# What was signed, by method, target and body: what verifies must be one of these.
_SIGNED = {(target, body) for target in TARGETS for body in (BODY, OTHER_BODY)}
_SIGNED.add((TARGETS[1].partition("?")[0], BODY))  # signed without its query, as old servers do


def read(data: bytes) -> signatures.Request:
    """A request from lines: method and target, headers, an empty line, and the body."""
    head, _, body = data.partition(b"\n\n")
    first, *lines = head.decode("latin-1").split("\n")
    method, _, target = first.partition(" ")
    headers = tuple((name.lower(), value.removeprefix(" "))
                    for name, _, value in (line.partition(":") for line in lines))  # fmt: skip
    return signatures.Request(method, AUTHORITY, "https", target, headers, body)


def one(data: bytes) -> None:
    """Reads a request; whatever is accepted must be covered, fresh, whole and readable once."""
    request = read(data)
    try:
        claim = signatures.check(request, NOW)
    except Refused as refused:
        assert refused.status in (400, 401), refused
        return
    assert documents.check_id(claim.key_id, fragment=True) == claim.key_id
    covered = set(claim.components)
    assert len(covered) == len(claim.components) <= 32
    assert 0 < len(claim.signature) <= 1024
    _is_fresh(claim, request)
    fields = dict(request.headers)
    for name in claim.components:
        if name[0] not in "@(":
            assert name == "host" or name in fields, name
    if request.method != "GET":
        digests = covered & {"digest", "content-digest"}
        assert digests
        assert any(_hash(request.body) in fields[name] or "512" in fields[name]
                   for name in digests)  # fmt: skip
    try:
        signatures.verify(claim, PUBLIC)
    except Refused:
        return
    path = request.target.partition("?")[0]
    assert request.method == "POST"
    assert {(request.target, request.body), (path, request.body)} & _SIGNED, request


def _is_fresh(claim: signatures.Claim, request: signatures.Request) -> None:
    """Something that is covered says when, and all that says so is within the hour."""
    moments = [claim.created] if claim.created is not None else []
    if "date" in claim.components:
        (date,) = (value for name, value in request.headers if name == "date")
        parsed = email.utils.parsedate_to_datetime(date.replace(":60 GMT", ":59 GMT"))
        moments.append(int(parsed.timestamp()))
    assert moments
    for moment in moments:
        assert abs(moment - NOW.timestamp()) <= 3600, moment
    assert claim.expires is None or claim.expires >= NOW.timestamp()
