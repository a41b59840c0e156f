"""HTTP signatures of requests that came in, checked: draft-cavage-12 and RFC 9421, with digests.

How they are made is in `signing`. A request is judged in this order, the cheap before the costly:

    claim = signatures.check(request, now)        all that needs no key
    key = …                                       remembered or fetched, by `claim.key_id`
    signatures.verify(claim, key)

Whose the key is, what its owner may do, and whether the request was seen before (a valid one can
be sent again while it is fresh) is for the caller.
"""

import binascii
import functools
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256, SHA512, HashAlgorithm

from federation import documents, limits
from federation.errors import Refused


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came in, or as much of it as a signature can speak of.

    `authority` is the public name of this server, with its port unless that is the scheme's own,
    from the settings: never what `Host` or a proxy's headers say. `target` is path and query as
    received; `headers` are names in lower case with their values as received, decoded as latin-1,
    one pair a line; `fields` are the same by name.
    """

    method: str
    authority: str
    scheme: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    fields: dict[str, list[str]] = field(init=False, repr=False, compare=False)
    _sha256: list[bytes] = field(default_factory=list, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        fields: dict[str, list[str]] = {}
        for name, value in self.headers:
            fields.setdefault(name, []).append(value)
        object.__setattr__(self, "fields", fields)

    @property
    def sha256(self) -> bytes:
        """The hash of the body, made when it is first asked for: much is refused before."""
        if not self._sha256:
            self._sha256.append(hashlib.sha256(self.body).digest())
        return self._sha256[0]

    def once(self, name: str) -> str | None:
        """The value of a header that decides something, and so may be there once; None without it.

        Raises Refused (duplicate-header).
        """
        values = self.fields.get(name)
        if values is None:
            return None
        if len(values) > 1:
            raise Refused("duplicate-header", name)
        return values[0]


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request's signature claims, read but not believed.

    `components` are what it covers, in order. `created` and `expires` are seconds since 1970.
    `parameters` is the value of `@signature-params` (RFC 9421 only).

    `base` is the bytes that were signed, if it is true: the signing string of draft-cavage-12
    (section 2.3) or the signature base of RFC 9421 (section 2.5). Names of this server in it come
    from `request.authority`, so a signature made for another server fails, and one made for us
    holds behind a proxy that rewrites `Host`. Making a claim raises Refused (bad-covered-header)
    where something that it covers is not there, or can be read in two ways.
    """

    request: Request
    scheme: Literal["cavage", "rfc9421"]
    key_id: str
    algorithm: str | None
    components: tuple[str, ...]
    signature: bytes
    created: int | None
    expires: int | None
    parameters: str = ""
    base: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.scheme == "cavage":
            lines = [f"{name}: {_value(name, self)}" for name in self.components]
        else:
            lines = [f'"{name}": {_value(name, self)}' for name in self.components]
            lines.append(f'"@signature-params": {self.parameters}')
        object.__setattr__(self, "base", "\n".join(lines).encode("latin-1"))


def check(request: Request, now: datetime) -> Claim:
    """Everything about a request's signature that can be known without its key.

    `read`, `check_policy` and `check_digest`, in this order. Raises Refused as they do.
    """
    claim = read(request)
    check_policy(claim, now)
    check_digest(request)
    return claim


# --- Digests ------------------------------------------------------------------------------------


def check_digest(request: Request) -> None:
    """Returns if the digests that came with a request are those of its body.

    A request with a body must have `Digest` or `Content-Digest`. In each that is there, SHA-256
    or SHA-512 must be listed, and every value of these two must be right; other algorithms are
    passed over. Raises Refused: no-digest (401), digest-mismatch (401), bad-digest (400),
    duplicate-header (400).
    """
    old, new = request.once("digest"), request.once("content-digest")
    if old is None and new is None and _has_body(request):
        raise Refused("no-digest", status=401)
    # Each by itself: the signature may cover one of them only, and that one must hold.
    if old is not None:
        _check_digests(old, "", request)
    if new is not None:
        _check_digests(new, ":", request)


def _check_digests(value: str, fence: str, request: Request) -> None:
    """`fence` is what stands around the base 64: a colon in `Content-Digest`."""
    if len(value) > limits.SIGNATURE_HEADER:
        raise Refused("bad-digest", f"{len(value)} characters")
    known = 0
    for member in value.split(","):
        name, equals, text = member.strip(" \t").partition("=")
        name = name.lower()
        if name not in ("sha-256", "sha-512"):
            continue
        if not equals or len(text) < 2 or not (text.startswith(fence) and text.endswith(fence)):
            raise Refused("bad-digest", value)
        sha256 = name == "sha-256"
        actual = request.sha256 if sha256 else hashlib.sha512(request.body).digest()
        written = text[len(fence) : len(text) - len(fence)]
        if binascii.b2a_base64(actual, newline=False).decode("ascii") != written:
            _unbase64(written, "bad-digest")
            raise Refused("digest-mismatch", value, status=401)
        known += 1
    if not known:
        raise Refused("bad-digest", f"no SHA-256 or SHA-512 in {value}")


# --- Reading ------------------------------------------------------------------------------------

# Headers that decide something here: two of one kind would let two readers see two requests.
_ONCE = frozenset(
    {
        "authorization",
        "content-digest",
        "content-type",
        "date",
        "digest",
        "host",
        "signature",
        "signature-input",
    }
)
_COMPONENTS = 32
_SIGNATURE_BYTES = limits.RSA_BITS_MOST // 8

_METHOD = re.compile(r"[A-Z]{1,32}")
_TARGET = re.compile(r"/[\x21-\x7e]*+")
_FIELD_NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]++")
# What a line of a header may hold to be signed over (RFC 9110, section 5.5): no control but the
# tab, and nothing at its ends that one reader would trim and another not.
_FIELD_VALUE = re.compile(r"(?![ \t])[\t\x20-\x7e\x80-\xff]*+(?<![ \t])")

_CAVAGE_PARAMETER = re.compile(
    r"[ \t]*+([A-Za-z]++)=(?:\"([^\"\\\x00-\x1f\x7f-\U0010ffff]*+)\"|([0-9]{1,15}))[ \t]*+(,|\Z)"
)
_CAVAGE_SPECIAL = frozenset({"(request-target)", "(created)", "(expires)"})

# Structured fields (RFC 8941), as far as they are canonical: then the text received is the text
# that was signed.
_LABEL = r"[a-z*][a-z0-9_.*-]*+"
_COMPONENT = r'"@?[a-z0-9!#$%&\'*+.^_`|~-]++"'
_SF_STRING = r'"[\x20\x21\x23-\x5b\x5d-\x7e]*+"'
_SF_INTEGER = r"(?:0|-?[1-9][0-9]{0,14})"
_SIGNATURE_INPUT = re.compile(
    rf"({_LABEL})=(\(((?:{_COMPONENT}(?: {_COMPONENT})*+)?)\)"
    rf"((?:;{_LABEL}(?:=(?:{_SF_STRING}|{_SF_INTEGER}))?)*+))"
)
_SF_PARAMETER = re.compile(rf";({_LABEL})(?:=(?:({_SF_STRING})|({_SF_INTEGER})))?")
_SIGNATURE = re.compile(rf"({_LABEL})=:([A-Za-z0-9+/=]*+):")


def read(request: Request) -> Claim:
    """The claim that a request's signature makes: by RFC 9421 where `Signature-Input` is there,
    else by draft-cavage-12, in `Signature` or in `Authorization: Signature …`.

    What is covered is there and can be read in one way only; nothing is verified. Raises Refused:
    no-signature (401); bad-signature-header, bad-key-id, bad-covered-header, bad-request,
    duplicate-header (400).
    """
    if _METHOD.fullmatch(request.method) is None or _TARGET.fullmatch(request.target) is None:
        raise Refused("bad-request", "method or target that cannot be signed over")
    if len(request.fields) != len(request.headers):
        for name in _ONCE:
            request.once(name)
    described, signature = request.once("signature-input"), request.once("signature")
    if described is not None:
        claim = _read_rfc9421(request, described, signature or "")
    elif signature is not None:
        claim = _read_cavage(request, signature)
    else:
        kind, _, credentials = (request.once("authorization") or "").partition(" ")
        if kind.lower() != "signature":
            raise Refused("no-signature", status=401)
        claim = _read_cavage(request, credentials)
    if claim.expires is not None and claim.created is not None and claim.expires < claim.created:
        raise Refused("bad-signature-header", "expires before it was created")
    return claim


def _read_cavage(request: Request, text: str) -> Claim:
    """draft-cavage-12, section 2.1: parameters in any order, each once."""
    if len(text) > limits.SIGNATURE_HEADER:
        raise Refused("bad-signature-header", f"{len(text)} characters")
    parameters: dict[str, str] = {}
    position, more = 0, True
    while more:
        match = _CAVAGE_PARAMETER.match(text, position)
        if match is None or match[1] in parameters:
            raise Refused("bad-signature-header", text)
        parameters[match[1]] = match[3] if match[2] is None else match[2]
        position, more = match.end(), match[4] == ","
    if "keyId" not in parameters or "signature" not in parameters:
        raise Refused("bad-signature-header", "keyId or signature is missing")
    # Without `headers`, old drafts and deployed servers mean the date.
    components = _cavage_components(parameters.get("headers", "date").lower())
    algorithm = parameters.get("algorithm")
    return Claim(
        request=request,
        scheme="cavage",
        key_id=_key_id(parameters["keyId"]),
        algorithm=None if algorithm is None else algorithm.lower(),
        components=components,
        signature=_signature(parameters["signature"]),
        created=_seconds(parameters, "created"),
        expires=_seconds(parameters, "expires"),
    )


@functools.lru_cache(maxsize=64)  # a server names the same ones in each of its requests
def _cavage_components(text: str) -> tuple[str, ...]:
    components = _different(tuple(text.split(" ")))
    for component in components:
        if component not in _CAVAGE_SPECIAL and _FIELD_NAME.fullmatch(component) is None:
            raise Refused("bad-signature-header", f"component {component}")
    return components


def _different(components: tuple[str, ...]) -> tuple[str, ...]:
    if len(components) > _COMPONENTS:
        raise Refused("bad-signature-header", f"{len(components)} components")
    if len(set(components)) != len(components):
        raise Refused("bad-signature-header", "a component is named twice")
    return components


def _read_rfc9421(request: Request, signature_input: str, signature: str) -> Claim:
    """RFC 9421, sections 2.3 and 4: exactly one signature, components without parameters."""
    if len(signature_input) > limits.SIGNATURE_HEADER or len(signature) > limits.SIGNATURE_HEADER:
        raise Refused("bad-signature-header", "too long")
    described = _SIGNATURE_INPUT.fullmatch(signature_input)
    signed = _SIGNATURE.fullmatch(signature)
    if described is None or signed is None or described[1] != signed[1]:
        raise Refused("bad-signature-header", f"{signature_input} with {signature}")
    components = _different(tuple(name[1:-1] for name in described[3].split()))
    strings: dict[str, str] = {}
    numbers: dict[str, str] = {}
    for parameter in _SF_PARAMETER.finditer(described[4]):
        name, string, number = parameter.groups()
        if name in strings or name in numbers:
            raise Refused("bad-signature-header", f"{name} twice")
        if string is None:
            numbers[name] = number or ""
        else:
            strings[name] = string[1:-1]
    if "keyid" not in strings or not numbers.keys().isdisjoint({"alg", "keyid", "nonce", "tag"}):
        raise Refused("bad-signature-header", signature_input)
    if not strings.keys().isdisjoint({"created", "expires"}):
        raise Refused("bad-signature-header", signature_input)
    return Claim(
        request=request,
        scheme="rfc9421",
        key_id=_key_id(strings["keyid"]),
        algorithm=strings.get("alg"),
        components=components,
        signature=_signature(signed[2]),
        created=_seconds(numbers, "created"),
        expires=_seconds(numbers, "expires"),
        parameters=described[2],
    )


def _key_id(text: str) -> str:
    if len(text) > limits.KEY_ID:
        raise Refused("bad-key-id", f"{len(text)} characters")
    try:
        return documents.check_id(text, fragment=True)
    except Refused as error:
        raise Refused("bad-key-id", error.detail) from None


def _signature(text: str) -> bytes:
    signature = _unbase64(text, "bad-signature-header")
    if not 0 < len(signature) <= _SIGNATURE_BYTES:
        raise Refused("bad-signature-header", f"a signature of {len(signature)} bytes")
    return signature


def _seconds(parameters: dict[str, str], name: str) -> int | None:
    """A time as it would be written again: no leading zero, no fraction, not before 1970."""
    text = parameters.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 15) or str(int(text)) != text:
        raise Refused("bad-signature-header", f"{name}={text}")
    return int(text)


def _unbase64(text: str, code: str) -> bytes:
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    except ValueError as error:
        raise Refused(code, str(error)) from None
    # One way to write it: bits behind the last byte would pass otherwise (RFC 4648, section 3.5).
    if binascii.b2a_base64(data, newline=False) != text.encode("ascii"):
        raise Refused(code, "not as base 64 is written")
    return data


# --- Policy -------------------------------------------------------------------------------------

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# IMF-fixdate (RFC 9110, section 5.6.7), the one form that may be sent.
_HTTP_DATE = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), ([0-9]{2}) ([A-Z][a-z]{2}) ([0-9]{4})"
    r" ([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT"
)


def check_policy(claim: Claim, now: datetime) -> None:
    """Returns if a claim covers what it must, and is fresh.

    What must be covered is what would otherwise let the signature serve another request: method
    and target, the server that it is for, the time, and the body where there is one. Everything
    that it says about time must hold: no older than `limits.SIGNATURE_AGE`, not ahead of our
    clock by more than the limit of its scheme, not expired.

    Raises Refused with status 401: not-covered, too-old, in-the-future, expired; bad-date (400).
    """
    request, covered = claim.request, set(claim.components)
    if claim.scheme == "cavage":
        ahead = limits.SIGNATURE_AHEAD_CAVAGE
        _demand("(request-target)" in covered, "(request-target)")
        _demand("host" in covered, "host")
        _demand("date" in covered or "(created)" in covered, "date or (created)")
        digests = {"digest", "content-digest"}
    else:
        ahead = limits.SIGNATURE_AHEAD_RFC9421
        _demand("@method" in covered, "@method")
        _demand(_covers_target(covered, request.target), "@target-uri")
        _demand(claim.created is not None, "created")
        digests = {"content-digest"}
    if _has_body(request):
        _demand(not covered.isdisjoint(digests), "digest")
    seconds = now.timestamp()
    if "date" in covered:
        date = _parse_http_date(request.once("date") or "")
        _check_fresh(date, seconds, limits.SIGNATURE_AHEAD_CAVAGE)
    if claim.created is not None:
        _check_fresh(claim.created, seconds, ahead)
    if claim.expires is not None and claim.expires < seconds:
        raise Refused("expired", f"at {claim.expires}", status=401)


def _demand(condition: bool, component: str) -> None:
    if not condition:
        raise Refused("not-covered", component, status=401)


def _covers_target(covered: set[str], target: str) -> bool:
    if "@target-uri" in covered:
        return True
    if "@authority" not in covered:
        return False
    if "@request-target" in covered:
        return True
    return "@path" in covered and ("?" not in target or "@query" in covered)


def _has_body(request: Request) -> bool:
    return request.method not in ("GET", "HEAD") or bool(request.body)


def _check_fresh(then: float, now: float, ahead: float) -> None:
    if then < now - limits.SIGNATURE_AGE:
        raise Refused("too-old", f"by {now - then:.0f} s", status=401)
    if then > now + ahead:
        raise Refused("in-the-future", f"by {then - now:.0f} s", status=401)


@functools.lru_cache(maxsize=64)  # a busy second brings the same date many times
def _parse_http_date(text: str) -> float:
    match = _HTTP_DATE.fullmatch(text)
    if match is None or match[2] not in _MONTHS:
        raise Refused("bad-date", text)
    month = _MONTHS.index(match[2]) + 1
    # A leap second counts as the one before it.
    second = 59 if match[6] == "60" else int(match[6])
    try:
        return datetime(
            int(match[3]),
            month,
            int(match[1]),
            int(match[4]),
            int(match[5]),
            second,
            tzinfo=UTC,
        ).timestamp()
    except ValueError:
        raise Refused("bad-date", text) from None


# --- Verifying ----------------------------------------------------------------------------------


def verify(claim: Claim, key: RSAPublicKey | Ed25519PublicKey) -> None:
    """Returns if `key` made the signature that `claim` was read from.

    The algorithm must be one for this kind of key: rsa-sha256, hs2019 or none named for RSA in
    draft-cavage-12, where old servers leave the query out of what they sign; rsa-v1_5-sha256,
    rsa-v1_5-sha512 or none in RFC 9421; ed25519, none, or hs2019 for Ed25519. Comes after `check`
    and says nothing that `check` says. Raises Refused: bad-signature, bad-algorithm (401).
    """
    algorithm = _hash(claim, key)
    if _is_valid(claim, key, algorithm):
        return
    path, mark, _ = claim.request.target.partition("?")
    if claim.scheme == "cavage" and mark:
        without = replace(claim, request=replace(claim.request, target=path))
        if _is_valid(without, key, algorithm):
            return
    raise Refused("bad-signature", claim.key_id, status=401)


def _value(name: str, claim: Claim) -> str:
    if name[0] == "@" or name[0] == "(":
        return _derived(name, claim)
    values = claim.request.fields.get(name)
    if name == "host":
        authority = claim.request.authority
        if values is not None and len(values) == 1 and values[0].lower() == authority.lower():
            return values[0]
        return authority
    if values is None:
        raise Refused("bad-covered-header", f"{name} is covered and missing")
    for value in values:
        if _FIELD_VALUE.fullmatch(value) is None:
            raise Refused("bad-covered-header", f"{name} can be read in two ways")
        # RFC 9421, section 2.1: fields outside ASCII cannot be covered.
        if claim.scheme == "rfc9421" and not value.isascii():
            raise Refused("bad-covered-header", f"{name} is not ASCII")
    return ", ".join(values)


def _derived(name: str, claim: Claim) -> str:
    request = claim.request
    path, _, query = request.target.partition("?")
    authority = request.authority.lower()
    match name:
        case "(request-target)":
            return f"{request.method.lower()} {request.target}"
        case "(created)" if claim.created is not None:
            return str(claim.created)
        case "(expires)" if claim.expires is not None:
            return str(claim.expires)
        case "@method":
            return request.method
        case "@target-uri":
            return f"{request.scheme}://{authority}{request.target}"
        case "@authority":
            return authority
        case "@scheme":
            return request.scheme
        case "@request-target":
            return request.target
        case "@path":
            return path
        case "@query":
            return f"?{query}"
    raise Refused("bad-signature-header", f"{name} is covered and has no value")


_SHA256, _SHA512, _PADDING = SHA256(), SHA512(), PKCS1v15()
_Accepted = Mapping[str | None, HashAlgorithm]
_ED25519_RFC9421: _Accepted = {None: _SHA512, "ed25519": _SHA512}
_ED25519_CAVAGE: _Accepted = {**_ED25519_RFC9421, "hs2019": _SHA512}
_RSA_RFC9421: _Accepted = {None: _SHA256, "rsa-v1_5-sha256": _SHA256, "rsa-v1_5-sha512": _SHA512}
_RSA_CAVAGE: _Accepted = {None: _SHA256, "rsa-sha256": _SHA256, "hs2019": _SHA256}


def _hash(claim: Claim, key: RSAPublicKey | Ed25519PublicKey) -> HashAlgorithm:
    """The hash for an RSA key to verify with; Ed25519 has its own and takes no other.

    The key decides. What the sender names as algorithm may confirm that, never choose.
    """
    if isinstance(key, Ed25519PublicKey):
        accepted = _ED25519_CAVAGE if claim.scheme == "cavage" else _ED25519_RFC9421
    else:
        accepted = _RSA_CAVAGE if claim.scheme == "cavage" else _RSA_RFC9421
    if claim.algorithm not in accepted:
        raise Refused("bad-algorithm", str(claim.algorithm), status=401)
    return accepted[claim.algorithm]


def _is_valid(claim: Claim, key: RSAPublicKey | Ed25519PublicKey, algorithm: HashAlgorithm) -> bool:
    try:
        if isinstance(key, Ed25519PublicKey):
            key.verify(claim.signature, claim.base)
        else:
            key.verify(claim.signature, claim.base, _PADDING, algorithm)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True
