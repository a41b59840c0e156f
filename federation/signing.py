"""HTTP signatures of requests that go out, made: draft-cavage-12 and RFC 9421, with digests.

Nearly every server understands draft-cavage-http-signatures-12; some want RFC 9421 with the digests
of RFC 9530. How they are checked is in `signatures`.
"""

import base64
import functools
import hashlib
from datetime import UTC, datetime
from email.utils import format_datetime

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from federation import documents, vocabulary


def sign_cavage(
    key: RSAPrivateKey,
    key_id: str,
    method: str,
    url: str,
    body: bytes | None,
    now: datetime,
    content_type: str = vocabulary.ACTIVITY_JSON,
    digest: bytes | None = None,
) -> dict[str, str]:
    """The headers of a request signed by draft-cavage-12, all of which must be sent as they are.

    With a body: Host, Date, Digest, Content-Type, Signature; without (None): Host, Date,
    Signature. `digest` is the body's SHA-256, where it is known. The request must go to exactly the
    target that `documents.address(url)` gives. Raises Refused (bad-id) for a URL that is not one.
    """
    _, authority, target = documents.address(url)
    headers = {"Host": authority, "Date": _http_date(now)}
    if body is not None:
        headers |= {"Digest": digest_header(body, digest), "Content-Type": content_type}
    lines = [f"(request-target): {method.lower()} {target}"]
    lines += [f"{name.lower()}: {value}" for name, value in headers.items()]
    covered = " ".join(["(request-target)", *(name.lower() for name in headers)])
    signature = _base64(key.sign("\n".join(lines).encode("ascii"), PKCS1v15(), SHA256()))
    # Some readers split at commas and trim nothing: no spaces, and these four only.
    headers["Signature"] = (
        f'keyId="{key_id}",algorithm="rsa-sha256",headers="{covered}",signature="{signature}"'
    )
    return headers


def sign_rfc9421(
    key: RSAPrivateKey,
    key_id: str,
    method: str,
    url: str,
    body: bytes | None,
    now: datetime,
    content_type: str = vocabulary.ACTIVITY_JSON,
    digest: bytes | None = None,
) -> dict[str, str]:
    """The headers of a request signed by RFC 9421, all of which must be sent as they are.

    With a body: Host, Date, Content-Digest, Content-Type, Signature-Input, Signature; without
    (None), neither of the two about the body. `digest` is the body's SHA-256, where it is known.
    Raises Refused (bad-id) for a URL that is not one.
    """
    scheme, authority, target = documents.address(url)
    headers = {"Host": authority, "Date": _http_date(now)}
    covered = {
        "@method": method.upper(),
        "@target-uri": f"{scheme}://{authority}{target}",
        "@authority": authority,
    }
    if body is not None:
        covered["content-digest"] = content_digest_header(body, digest)
        headers |= {"Content-Digest": covered["content-digest"], "Content-Type": content_type}
    components = " ".join(f'"{name}"' for name in covered)
    parameters = (
        f'({components});created={int(now.timestamp())};keyid="{key_id}";alg="rsa-v1_5-sha256"'
    )
    lines = [f'"{name}": {value}' for name, value in covered.items()]
    lines.append(f'"@signature-params": {parameters}')
    signature = _base64(key.sign("\n".join(lines).encode("ascii"), PKCS1v15(), SHA256()))
    headers["Signature-Input"] = f"sig1={parameters}"
    headers["Signature"] = f"sig1=:{signature}:"
    return headers


def digest_header(body: bytes, digest: bytes | None = None) -> str:
    """The value of `Digest` for a body (RFC 3230), as draft-cavage servers expect it.

    `digest` is its SHA-256, where it is known.
    """
    return "SHA-256=" + _base64(digest or hashlib.sha256(body).digest())


def content_digest_header(body: bytes, digest: bytes | None = None) -> str:
    """The value of `Content-Digest` for a body (RFC 9530); `digest` as above."""
    return f"sha-256=:{_base64(digest or hashlib.sha256(body).digest())}:"


@functools.lru_cache(maxsize=16)  # what goes to a host together is signed at one moment
def _http_date(now: datetime) -> str:
    return format_datetime(now.astimezone(UTC), usegmt=True)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
