"""HTTP signatures: against published vectors, two independent implementations, and attackers.

A signer of one's own here makes what ours never would: any components, any parameters.
"""

import base64
import hashlib
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from apsig.draft import Signer, Verifier
from apsig.rfc9421 import RFC9421Signer
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    MappingKeyResolver,
    algorithms,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from federation import keys, limits, signatures, signing
from federation.errors import Refused

VECTORS = Path(__file__).parents[2].parent / "shared" / "vectors"
published = pytest.mark.skipif(
    not VECTORS.exists(), reason="the published vectors are not beside the project"
)

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
KEY_ID = "https://peer.example/users/b#main-key"
HOST = "shop.example"
BODY = b'{"type":"Create","content":"Caf\xc3\xa9"}'
KEY = keys.generate_rsa()
PUBLIC = KEY.public_key()
EDWARDS = keys.generate_ed25519()
SIGNERS = {"cavage": signing.sign_cavage, "rfc9421": signing.sign_rfc9421}


def received(
    headers: dict[str, str] | list[tuple[str, str]],
    method: str = "POST",
    target: str = "/inbox",
    body: bytes = BODY,
) -> signatures.Request:
    """What a server would make of a request with these headers and some of every client's."""
    pairs = list(headers.items()) if isinstance(headers, dict) else headers
    pairs = [("user-agent", "peer/1.0"), ("accept", "*/*"), *pairs]
    lowered = tuple((name.lower(), value) for name, value in pairs)
    return signatures.Request(method, HOST, "https", target, lowered, body)


def ours(scheme: str, method: str = "POST", target: str = "/inbox") -> signatures.Request:
    body = BODY if method == "POST" else None
    headers = SIGNERS[scheme](KEY, KEY_ID, method, f"https://{HOST}{target}", body, NOW)
    return received(headers, method, target, body or b"")


def accept(request: signatures.Request, key: Any = PUBLIC) -> signatures.Claim:
    claim = signatures.check(request, NOW)
    signatures.verify(claim, key)
    return claim


def refused(request: signatures.Request, code: str, status: int = 401, key: Any = PUBLIC) -> None:
    with pytest.raises(Refused) as caught:
        accept(request, key)
    assert (caught.value.code, caught.value.status) == (code, status)


def change(request: signatures.Request, **headers: str | None) -> signatures.Request:
    """With other values for some headers; None takes one away."""
    new = {name.replace("_", "-"): value for name, value in headers.items()}
    kept = tuple(pair for pair in request.headers if pair[0] not in new)
    added = tuple((name, value) for name, value in new.items() if value is not None)
    return replace(request, headers=kept + added)


def header(request: signatures.Request, name: str) -> str:
    return dict(request.headers)[name]


@dataclass
class Cavage:
    """A signer by draft-cavage that signs whatever it is told to."""

    components: str | None = "(request-target) host date digest"
    algorithm: str | None = "rsa-sha256"
    method: str = "POST"
    target: str = "/inbox"
    signed_target: str | None = None
    body: bytes = BODY
    host: str = HOST
    date: str = format_datetime(NOW, usegmt=True)
    digest: str | None = None
    created: str | None = None
    expires: str | None = None
    key_id: str = KEY_ID
    key: Any = KEY

    def request(self) -> signatures.Request:
        digest = self.digest or "SHA-256=" + b64(hashlib.sha256(self.body).digest())
        fields = {"host": self.host, "date": self.date, "digest": digest}
        values = {
            **fields,
            "(request-target)": f"{self.method.lower()} {self.signed_target or self.target}",
            "(created)": self.created,
            "(expires)": self.expires,
        }
        names = (self.components or "date").split(" ")
        text = "\n".join(f"{name}: {values.get(name, '')}" for name in names).encode()
        parameters = [f'keyId="{self.key_id}"']
        if self.algorithm is not None:
            parameters.append(f'algorithm="{self.algorithm}"')
        parameters += [f"created={self.created}"] if self.created else []
        parameters += [f"expires={self.expires}"] if self.expires else []
        parameters += [f'headers="{self.components}"'] if self.components else []
        parameters.append(f'signature="{b64(rsa_or_ed25519(self.key, text))}"')
        fields["signature"] = ",".join(parameters)
        return received(fields, self.method, self.target, self.body)


@dataclass
class Rfc9421:
    """A signer by RFC 9421 that signs whatever it is told to."""

    components: str = "@method @target-uri content-digest"
    parameters: str = f';created={SECONDS};keyid="{KEY_ID}";alg="rsa-v1_5-sha256"'
    method: str = "POST"
    target: str = "/inbox"
    body: bytes = BODY
    digest: str | None = None
    key: Any = KEY
    hash: hashes.HashAlgorithm | None = None

    def request(self) -> signatures.Request:
        digest = self.digest or f"sha-256=:{b64(hashlib.sha256(self.body).digest())}:"
        path, _, query = self.target.partition("?")
        fields = {
            "host": HOST,
            "date": format_datetime(NOW, usegmt=True),
            "content-digest": digest,
            "digest": signing.digest_header(self.body),
        }
        values = {
            **fields,
            "@method": self.method,
            "@target-uri": f"https://{HOST}{self.target}",
            "@authority": HOST,
            "@scheme": "https",
            "@path": path,
            "@query": "?" + query,
            "@request-target": self.target,
        }
        names = self.components.split()
        inner = "(" + " ".join(f'"{name}"' for name in names) + ")" + self.parameters
        lines = [f'"{name}": {values.get(name, "")}' for name in names]
        text = "\n".join([*lines, f'"@signature-params": {inner}']).encode()
        fields["signature-input"] = f"sig1={inner}"
        fields["signature"] = f"sig1=:{b64(rsa_or_ed25519(self.key, text, self.hash))}:"
        return received(fields, self.method, self.target, self.body)


def rsa_or_ed25519(key: Any, text: bytes, algorithm: Any = None) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(text, padding.PKCS1v15(), algorithm or hashes.SHA256())
    signature: bytes = key.sign(text)
    return signature


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


# --- Published vectors


def vector_request(vector: dict[str, Any], target: str) -> signatures.Request:
    headers = tuple((name.lower(), value) for name, value in vector["headers"].items())
    body = vector["body"].encode()
    return signatures.Request(vector["method"], "example.com", "https", target, headers, body)


@published
@pytest.mark.parametrize("index", [0, 1, 2])
def test_draft_cavage_appendix_c(index: int) -> None:
    vector = json.loads((VECTORS / "draft_cavage_12_appendix_c.json").read_text())
    case = vector["cases"][index]
    request = vector_request(vector["request"], vector["request"]["target"])
    parameters = f'keyId="{KEY_ID}",algorithm="rsa-sha256",signature="{case["signature"]}"'
    if case["headers_param"]:
        parameters += f',headers="{case["headers_param"]}"'
    request = change(request, signature=parameters)
    claim = signatures.read(request)
    assert claim.base.decode() == case["signing_string"]
    key = serialization.load_pem_private_key(vector["private_pem"].encode(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    signatures.check_digest(request)
    signatures.verify(claim, key.public_key())


@published
@pytest.mark.parametrize("name", ["B.2.1", "B.2.3", "B.2.5", "B.2.6"])
def test_rfc9421_appendix_b(name: str) -> None:
    vector = json.loads((VECTORS / "rfc9421_appendix_b.json").read_text())
    (case,) = [case for case in vector["cases"] if case["name"] == name]
    request = vector_request(vector["request"], "/foo?param=Value&Pet=dog")
    # The key ids there are no URLs, as ours must be.
    full_id = "https://example.com/" + case["keyid"]
    request = change(
        request,
        signature_input=case["signature_input"].replace(case["keyid"], full_id),
        signature=case["signature"],
    )
    claim = signatures.read(request)
    claim = replace(claim, parameters=claim.parameters.replace(full_id, case["keyid"]))
    assert claim.base.decode() == case["signature_base"]
    signatures.check_digest(request)  # SHA-512
    if name == "B.2.6":
        pem = vector["keys"][case["keyid"]]["public_pem"].encode()
        key = serialization.load_pem_public_key(pem)
        assert isinstance(key, type(EDWARDS.public_key()))
        signatures.verify(claim, key)


@published
def test_rfc9421_appendix_b_component_with_a_parameter_is_not_known() -> None:
    vector = json.loads((VECTORS / "rfc9421_appendix_b.json").read_text())
    (case,) = [case for case in vector["cases"] if case["name"] == "B.2.2"]
    request = vector_request(vector["request"], "/foo?param=Value&Pet=dog")
    request = change(request, signature_input=case["signature_input"], signature=case["signature"])
    refused(request, "bad-signature-header", 400)


# --- What we send


def test_headers_of_cavage_as_every_server_reads_them() -> None:
    headers = signing.sign_cavage(
        KEY, KEY_ID, "POST", "https://Shop.Example:443/inbox?a=b", BODY, NOW
    )
    assert list(headers) == ["Host", "Date", "Digest", "Content-Type", "Signature"]
    assert headers["Host"] == "shop.example"
    assert headers["Date"] == "Mon, 23 Nov 2026 12:00:00 GMT"
    assert headers["Digest"] == signing.digest_header(BODY)
    assert headers["Content-Type"] == "application/activity+json"
    start, _, signature = headers["Signature"].rpartition('signature="')
    assert start == (
        f'keyId="{KEY_ID}",algorithm="rsa-sha256",'
        'headers="(request-target) host date digest content-type",'
    )
    text = "\n".join(
        [
            "(request-target): post /inbox?a=b",
            "host: shop.example",
            "date: Mon, 23 Nov 2026 12:00:00 GMT",
            f"digest: SHA-256={b64(hashlib.sha256(BODY).digest())}",
            "content-type: application/activity+json",
        ]
    )
    raw = base64.b64decode(signature.removesuffix('"'))
    PUBLIC.verify(raw, text.encode(), padding.PKCS1v15(), hashes.SHA256())


def test_headers_of_cavage_get() -> None:
    headers = signing.sign_cavage(KEY, KEY_ID, "GET", "http://127.0.0.1:8001", None, NOW)
    assert list(headers) == ["Host", "Date", "Signature"]
    assert headers["Host"] == "127.0.0.1:8001"
    assert 'headers="(request-target) host date",' in headers["Signature"]


def test_headers_of_rfc9421() -> None:
    headers = signing.sign_rfc9421(KEY, KEY_ID, "POST", "https://shop.example/inbox", BODY, NOW)
    assert headers["Content-Digest"] == signing.content_digest_header(BODY)
    assert headers["Signature-Input"] == (
        'sig1=("@method" "@target-uri" "@authority" "content-digest")'
        f';created={SECONDS};keyid="{KEY_ID}";alg="rsa-v1_5-sha256"'
    )
    assert "Digest" not in headers
    get = signing.sign_rfc9421(KEY, KEY_ID, "GET", "https://shop.example/inbox", None, NOW)
    assert "Content-Digest" not in get
    assert '=("@method" "@target-uri" "@authority");' in get["Signature-Input"]


def test_digest_headers() -> None:
    assert signing.digest_header(b"") == "SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    assert signing.content_digest_header(b"") == (
        "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"
    )


def test_a_digest_that_is_known_is_not_made_again() -> None:
    known = hashlib.sha256(BODY).digest()
    for sign in SIGNERS.values():
        url = "https://shop.example/inbox"
        told = sign(KEY, KEY_ID, "POST", url, b"not looked at", NOW, digest=known)
        assert told == sign(KEY, KEY_ID, "POST", url, BODY, NOW)


def test_methods_are_signed_as_they_are_sent() -> None:
    url = "https://shop.example/inbox"
    for scheme, sign in SIGNERS.items():
        request = received(sign(KEY, KEY_ID, "post", url, BODY, NOW))
        assert accept(request).scheme == scheme


@pytest.mark.parametrize("scheme", SIGNERS)
def test_nothing_is_signed_for_what_is_no_url(scheme: str) -> None:
    for url in ("https://a.example/\r\nx: y", "ftp://a.example/", "https://u@a.example/"):
        with pytest.raises(Refused, match="bad-id"):
            SIGNERS[scheme](KEY, KEY_ID, "POST", url, BODY, NOW)


@pytest.mark.parametrize("scheme", SIGNERS)
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("target", ["/", "/inbox", "/users/a/outbox?since=4&x=%20"])
def test_what_we_sign_we_accept(scheme: str, method: str, target: str) -> None:
    claim = accept(ours(scheme, method, target))
    assert claim.scheme == scheme
    assert claim.key_id == KEY_ID


# --- Independent implementations


@dataclass
class Message:
    method: str
    url: str
    headers: dict[str, str]


RESOLVER = MappingKeyResolver(
    public_keys={KEY_ID: PUBLIC, "ed": EDWARDS.public_key()},
    private_keys={KEY_ID: KEY, KEY_ID + "-ed": EDWARDS},
)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_http_message_signatures_accepts_ours(method: str) -> None:
    url = "https://shop.example/users/a/outbox?since=4"
    body = BODY if method == "POST" else None
    headers = signing.sign_rfc9421(KEY, KEY_ID, method, url, body, datetime.now(UTC))
    verifier = HTTPMessageVerifier(
        signature_algorithm=algorithms.RSA_V1_5_SHA256, key_resolver=RESOLVER
    )
    required = ("@method", "@target-uri", "@authority") + (("content-digest",) if body else ())
    (result,) = verifier.verify(
        Message(method, url, headers), require_components=required, body=body
    )
    assert result.parameters["keyid"] == KEY_ID
    assert result.body == body


@pytest.mark.parametrize(
    "components",
    [
        ("@method", "@target-uri"),
        ("@authority", "@request-target", "@method"),
        ("@method", "@authority", "@path", "@query", "@scheme", "date", "host", "x-list"),
    ],
)
@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
@pytest.mark.parametrize("include_alg", [True, False])
def test_we_accept_http_message_signatures(
    components: tuple[str, ...], kind: str, include_alg: bool
) -> None:
    algorithm = algorithms.RSA_V1_5_SHA256 if kind == "rsa" else algorithms.ED25519
    url = "https://shop.example/inbox?a=b&c=%C3%A9"
    date = format_datetime(NOW, usegmt=True)
    message = Message("POST", url, {"Host": HOST, "Date": date, "X-List": "a, b;c=1"})
    HTTPMessageSigner(signature_algorithm=algorithm, key_resolver=RESOLVER).sign(
        message,
        key_id=KEY_ID if kind == "rsa" else KEY_ID + "-ed",
        created=NOW,
        expires=NOW + timedelta(minutes=5),
        nonce="n",
        include_alg=include_alg,
        covered_component_ids=components,
        body=BODY,
        label="any-label",
    )
    request = received(message.headers, target="/inbox?a=b&c=%C3%A9")
    accept(request, PUBLIC if kind == "rsa" else EDWARDS.public_key())


def test_apsig_accepts_ours() -> None:
    url = "https://shop.example/inbox"
    for method, body in (("POST", BODY), ("GET", None)):
        headers = signing.sign_cavage(KEY, KEY_ID, method, url, body, datetime.now(UTC))
        assert Verifier(PUBLIC, method, url, headers, body).verify(raise_on_fail=True) == KEY_ID


def test_we_accept_apsig() -> None:
    date = {"Date": format_datetime(NOW, usegmt=True)}
    url = "https://shop.example/inbox"
    # It sends the same signature in Signature and in Authorization.
    headers = Signer(dict(date), KEY, "POST", url, KEY_ID, BODY).sign()
    accept(received(headers))
    accept(received(Signer(dict(date), KEY, "GET", url, KEY_ID).sign(), "GET", body=b""))
    del headers["Signature"]
    accept(received(headers))


def test_we_verify_rfc9421_of_apsig_but_demand_more() -> None:
    now = datetime.now(UTC)
    headers = {"Content-Type": "application/activity+json"}
    made = RFC9421Signer(KEY, KEY_ID).sign("POST", "/inbox", HOST, headers, BODY)
    made["content-digest"] = signing.content_digest_header(BODY)  # theirs has two prefixes
    made.pop("host", None)
    request = received(made)
    claim = signatures.read(request)
    signatures.verify(claim, PUBLIC)
    with pytest.raises(Refused, match="not-covered: digest"):
        signatures.check_policy(claim, now)


# --- What GoToSocial, snac and Honk were seen to send


@pytest.mark.parametrize(
    "signer",
    [
        Cavage(algorithm="hs2019", key_id="https://peer.example/users/alice/main-key"),
        Cavage(algorithm="hs2019", method="GET", body=b"", components="(request-target) host date"),
        Cavage(components="(request-target) host digest date"),
        Cavage(components="(request-target) date host digest", algorithm=None),
        Cavage(method="GET", body=b"", components="(request-target) host digest date"),
        Cavage(
            components="(request-target) host (created) (expires) digest",
            algorithm="hs2019",
            created=str(SECONDS),
            expires=str(SECONDS + 60),
        ),
        Cavage(host="SHOP.example"),
    ],
)
def test_what_servers_send(signer: Cavage) -> None:
    accept(signer.request())


def test_parameters_in_any_order_and_spacing() -> None:
    request = Cavage().request()
    parts = header(request, "signature").split(",")
    spaced = " , ".join(reversed([*parts, 'opaque="x"', "version=1"]))
    accept(change(request, signature=spaced))


def test_sig_17_hs2019_is_what_the_key_is() -> None:
    accept(Cavage(algorithm="hs2019").request())
    accept(Cavage(algorithm="HS2019", key=EDWARDS).request(), EDWARDS.public_key())
    accept(Cavage(algorithm=None, key=EDWARDS).request(), EDWARDS.public_key())
    accept(Cavage(algorithm="ed25519", key=EDWARDS).request(), EDWARDS.public_key())


@pytest.mark.parametrize(
    "algorithm", ["rsa-sha1", "rsa-sha512", "hmac-sha256", "none", "", "ed25519", "ecdsa-sha256"]
)
def test_algorithms_of_cavage_that_do_not_pass(algorithm: str) -> None:
    refused(Cavage(algorithm=algorithm).request(), "bad-algorithm")


def test_algorithm_and_key_must_agree() -> None:
    refused(Cavage(key=EDWARDS).request(), "bad-algorithm", key=EDWARDS.public_key())
    refused(Rfc9421(key=EDWARDS).request(), "bad-algorithm", key=EDWARDS.public_key())
    edwards = Rfc9421.parameters.replace("rsa-v1_5-sha256", "ed25519")
    accept(Rfc9421(key=EDWARDS, parameters=edwards).request(), EDWARDS.public_key())
    refused(Rfc9421(parameters=edwards).request(), "bad-algorithm")


@pytest.mark.parametrize("algorithm", ["hmac-sha256", "rsa-pss-sha512", "hs2019", "rsa-sha256", ""])
def test_algorithms_of_rfc9421_that_do_not_pass(algorithm: str) -> None:
    parameters = Rfc9421.parameters.replace("rsa-v1_5-sha256", algorithm)
    refused(Rfc9421(parameters=parameters).request(), "bad-algorithm")


def test_rsa_with_sha512() -> None:
    parameters = Rfc9421.parameters.replace("sha256", "sha512")
    accept(Rfc9421(parameters=parameters, hash=hashes.SHA512()).request())
    refused(Rfc9421(parameters=parameters).request(), "bad-signature")
    refused(Rfc9421(hash=hashes.SHA512()).request(), "bad-signature")


# --- Attacks


def test_sig_01_no_signature() -> None:
    request = Cavage().request()
    refused(change(request, signature=None), "no-signature")
    refused(change(request, signature=None, authorization="Bearer abc"), "no-signature")
    refused(change(request, signature=None, authorization="Signature"), "bad-signature-header", 400)


@pytest.mark.parametrize("scheme", SIGNERS)
def test_sig_02_another_key(scheme: str) -> None:
    refused(ours(scheme), "bad-signature", key=keys.generate_rsa().public_key())


@pytest.mark.parametrize("scheme", SIGNERS)
def test_sig_04_body_altered(scheme: str) -> None:
    refused(replace(ours(scheme), body=BODY + b" "), "digest-mismatch")
    refused(replace(ours(scheme), body=b""), "digest-mismatch")


@pytest.mark.parametrize("scheme", SIGNERS)
def test_sig_04_body_and_digest_altered(scheme: str) -> None:
    name = "digest" if scheme == "cavage" else "content_digest"
    value = getattr(signing, name + "_header")(b"x")
    refused(replace(change(ours(scheme), **{name: value}), body=b"x"), "bad-signature")


def test_sig_05_digest_must_be_covered() -> None:
    refused(Cavage(components="(request-target) host date").request(), "not-covered")
    refused(Rfc9421(components="@method @target-uri").request(), "not-covered")
    # A body makes any method one with a body.
    signer = Cavage(components="(request-target) host date", method="GET")
    refused(signer.request(), "not-covered")


def test_sig_05_the_covered_digest_is_the_one_that_counts() -> None:
    # The signature covers a digest of no use; the swapped body fits another one, uncovered.
    request = Cavage(digest="MD5=1B2M2Y8AsgTpgAmY7PhCfg==").request()
    swapped = replace(request, body=b"x")
    swapped = change(swapped, content_digest=signing.content_digest_header(b"x"))
    refused(swapped, "bad-digest", 400)
    refused(Rfc9421("@method @target-uri digest").request(), "not-covered")
    both = change(Cavage().request(), content_digest=signing.content_digest_header(b"x"))
    refused(both, "digest-mismatch")
    refused(replace(both, body=b"x"), "digest-mismatch")


def test_sig_06_request_target_must_be_covered() -> None:
    refused(Cavage(components="host date digest").request(), "not-covered")
    refused(Rfc9421(components="@method @authority content-digest").request(), "not-covered")
    refused(Rfc9421(components="@target-uri content-digest").request(), "not-covered")
    refused(Rfc9421(components="@method @path content-digest").request(), "not-covered")
    refused(Rfc9421(components="@method @request-target content-digest").request(), "not-covered")


@pytest.mark.parametrize(
    "signer",
    [
        Cavage(),
        Rfc9421(),
        Rfc9421(components="@method @authority @path content-digest"),
        Rfc9421(components="@method @authority @request-target content-digest"),
    ],
)
def test_sig_06_replay_to_another_place(signer: Cavage | Rfc9421) -> None:
    request = signer.request()
    accept(request)
    refused(replace(request, target="/users/a/inbox"), "bad-signature")
    refused(replace(request, method="PUT"), "bad-signature")
    refused(replace(request, authority="other.example"), "bad-signature")


def test_sig_07_host_must_be_covered() -> None:
    refused(Cavage(components="(request-target) date digest").request(), "not-covered")


def test_sig_07_signed_for_another_server() -> None:
    refused(Cavage(host="other.example").request(), "bad-signature")
    # Neither does it help to send the right Host afterwards.
    refused(change(Cavage(host="other.example").request(), host=HOST), "bad-signature")


@pytest.mark.parametrize("scheme", SIGNERS)
def test_sig_33_the_public_name_comes_from_the_settings(scheme: str) -> None:
    request = ours(scheme)
    rewritten = change(request, host="127.0.0.1:8000", x_forwarded_host="evil.example")
    accept(rewritten)
    accept(change(request, host=None))
    forwarded = replace(
        change(request, host="evil.example", x_forwarded_host=HOST), authority="evil.example"
    )
    refused(forwarded, "bad-signature")


def test_sig_08_a_time_must_be_covered() -> None:
    refused(Cavage(components="(request-target) host digest").request(), "not-covered")
    # A `created` that is not covered is not a time that was signed.
    signer = Cavage(components="(request-target) host digest", created=str(SECONDS))
    refused(signer.request(), "not-covered")
    without = f';keyid="{KEY_ID}";alg="rsa-v1_5-sha256"'
    refused(Rfc9421(parameters=without).request(), "not-covered")
    refused(Rfc9421("date @method @target-uri content-digest", without).request(), "not-covered")


def dated(seconds: float) -> Cavage:
    return Cavage(date=format_datetime(NOW + timedelta(seconds=seconds), usegmt=True))


def created(seconds: int) -> Cavage:
    return Cavage(
        components="(request-target) host (created) digest", created=str(SECONDS + seconds)
    )


def created_9421(seconds: int) -> Rfc9421:
    return Rfc9421(parameters=f';created={SECONDS + seconds};keyid="{KEY_ID}"')


@pytest.mark.parametrize(
    ("signer", "ahead"),
    [
        (dated, limits.SIGNATURE_AHEAD_CAVAGE),
        (created, limits.SIGNATURE_AHEAD_CAVAGE),
        (created_9421, limits.SIGNATURE_AHEAD_RFC9421),
    ],
)
def test_sig_09_and_10_windows(signer: Any, ahead: float) -> None:
    accept(signer(-int(limits.SIGNATURE_AGE)).request())
    accept(signer(int(ahead)).request())
    refused(signer(-int(limits.SIGNATURE_AGE) - 1).request(), "too-old")
    refused(signer(-13 * 3600).request(), "too-old")
    refused(signer(int(ahead) + 1).request(), "in-the-future")
    refused(signer(2 * 3600).request(), "in-the-future")


def test_sig_09_a_leap_second() -> None:
    now = datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)
    request = Cavage(date="Sat, 31 Dec 2016 23:59:60 GMT").request()
    signatures.check(request, now)


def test_sig_09_every_covered_time_counts() -> None:
    old = dated(-13 * 3600)
    signer = replace(
        old, components="(request-target) host date (created) digest", created=str(SECONDS)
    )
    refused(signer.request(), "too-old")
    signer = replace(signer, date=Cavage.date, created=str(SECONDS - 13 * 3600))
    refused(signer.request(), "too-old")


def test_sig_10_expires() -> None:
    covered = "(request-target) host (created) (expires) digest"

    def cavage(expires: int) -> signatures.Request:
        signer = Cavage(covered, created=str(SECONDS - 10), expires=str(SECONDS + expires))
        return signer.request()

    def rfc9421(expires: int) -> signatures.Request:
        times = f";created={SECONDS - 10};expires={SECONDS + expires}"
        return Rfc9421(parameters=f'{times};keyid="{KEY_ID}"').request()

    for make in (cavage, rfc9421):
        accept(make(0))
        refused(make(-1), "expired")
        refused(make(-11), "bad-signature-header", 400)


@pytest.mark.parametrize(
    "date",
    [
        "",
        "now",
        "2026-11-23T12:00:00Z",
        "Mon, 23 Nov 2026 12:00:00 +0000",
        "Mon, 23 Xyz 2026 12:00:00 GMT",
        "Mon, 31 Feb 2026 12:00:00 GMT",
        "Mon, 23 Nov 0000 12:00:00 GMT",
        "Mon, 23 Nov 2026 25:00:00 GMT",
        "Mon, 23 Nov 2026 12:00:61 GMT",
        "Monday, 23-Nov-26 12:00:00 GMT",
        "Mon, ٢٣ Nov 2026 12:00:00 GMT",
    ],
)
def test_sig_09_dates_that_are_none(date: str) -> None:
    request = Cavage().request()
    with pytest.raises(Refused) as caught:
        accept(change(request, date=date))
    assert caught.value.code in ("bad-date", "bad-covered-header")
    assert caught.value.status == 400


def sha256(data: bytes = BODY) -> str:
    return b64(hashlib.sha256(data).digest())


def sha512(data: bytes = BODY) -> str:
    return b64(hashlib.sha512(data).digest())


@pytest.mark.parametrize(
    "digest",
    [
        f"sha-256={sha256()}",
        f"SHA-512={sha512()}",
        f"SHA-256={sha256()},SHA-512={sha512()}",
        f"MD5=xyz, Sha-256={sha256()}, unixsum=30637",
    ],
)
def test_sig_14_digests_that_pass(digest: str) -> None:
    accept(Cavage(digest=digest).request())


@pytest.mark.parametrize(
    ("digest", "code", "status"),
    [
        (f"SHA-256={sha256(b'x')}", "digest-mismatch", 401),
        (f"SHA-256={sha256()},SHA-256={sha256(b'x')}", "digest-mismatch", 401),
        (f"SHA-256={sha256()},SHA-512={sha512(b'x')}", "digest-mismatch", 401),
        (f"SHA-512={sha256()}", "digest-mismatch", 401),
        ("MD5=1B2M2Y8AsgTpgAmY7PhCfg==", "bad-digest", 400),
        (f"SHA-256={sha256()[:-1]}", "bad-digest", 400),
        (f"SHA-256={sha256()}x", "bad-digest", 400),
        (f"SHA-256=:{sha256()}:", "bad-digest", 400),
        ("SHA-256", "bad-digest", 400),
        ("SHA-256=", "bad-digest", 400),
        (",", "bad-digest", 400),
        ("SHA-256=" + "A" * limits.SIGNATURE_HEADER, "bad-digest", 400),
    ],
)
def test_sig_14_digests_that_do_not_pass(digest: str, code: str, status: int) -> None:
    refused(Cavage(digest=digest).request(), code, status)


@pytest.mark.parametrize(
    "digest", [f"sha-512=:{sha512()}:", f"sha-256=:{sha256()}:, sha-512=:{sha512()}:"]
)
def test_sig_14_content_digests_that_pass(digest: str) -> None:
    accept(Rfc9421(digest=digest).request())


@pytest.mark.parametrize(
    ("digest", "code", "status"),
    [
        (f"sha-256=:{sha256(b'x')}:", "digest-mismatch", 401),
        (f"sha-256=:{sha256()}:, sha-512=:{sha512(b'x')}:", "digest-mismatch", 401),
        (f"sha-256={sha256()}", "bad-digest", 400),
        (f"sha-256=:{sha256()}", "bad-digest", 400),
        (f"sha-256=:{sha256()}:;a", "bad-digest", 400),
        ("sha-256=:", "bad-digest", 400),
        ("sha-256", "bad-digest", 400),
        ("md5=:1B2M2Y8AsgTpgAmY7PhCfg==:", "bad-digest", 400),
    ],
)
def test_sig_14_content_digests_that_do_not_pass(digest: str, code: str, status: int) -> None:
    refused(Rfc9421(digest=digest).request(), code, status)


def test_a_body_needs_a_digest() -> None:
    request = received({"host": HOST})
    with pytest.raises(Refused, match="no-digest"):
        signatures.check_digest(request)
    signatures.check_digest(received({}, "GET", body=b""))
    with pytest.raises(Refused, match="no-digest"):
        signatures.check_digest(received({}, "GET", body=b"x"))
    with pytest.raises(Refused, match="no-digest"):
        signatures.check_digest(received({}, "POST", body=b""))


@pytest.mark.parametrize("name", ["digest", "date", "host", "signature", "content-type"])
@pytest.mark.parametrize("first", [True, False])
def test_sig_15_duplicate_headers(name: str, first: bool) -> None:
    request = ours("cavage")
    other = (name, header(Cavage(body=b"x", date="").request(), "digest"))
    pairs = (other, *request.headers) if first else (*request.headers, other)
    refused(replace(request, headers=pairs), "duplicate-header", 400)


@pytest.mark.parametrize("name", ["content-digest", "signature-input", "signature"])
def test_sig_15_duplicate_headers_rfc9421(name: str) -> None:
    request = ours("rfc9421")
    pairs = (*request.headers, (name, header(request, name)))
    refused(replace(request, headers=pairs), "duplicate-header", 400)


def test_sig_15_duplicate_digests_when_asked_alone() -> None:
    request = ours("cavage")
    pairs = (*request.headers, ("digest", signing.digest_header(b"x")))
    with pytest.raises(Refused, match="duplicate-header"):
        signatures.check_digest(replace(request, headers=pairs))


@pytest.mark.parametrize(
    "key_id",
    [
        "",
        "Test",
        "/users/b#main-key",
        "acct:b@peer.example",
        "file:///etc/passwd",
        "data:application/activity+json,{}",
        "https://user@peer.example/users/b",
        "https://peer.example/../b",
        "https://peer.example/ b",
        "https://peer.example/" + "b" * limits.KEY_ID,
    ],
)
@pytest.mark.parametrize("scheme", SIGNERS)
def test_sig_23_key_ids(scheme: str, key_id: str) -> None:
    if scheme == "cavage":
        request = Cavage(key_id=key_id).request()
    else:
        request = Rfc9421(parameters=f';created={SECONDS};keyid="{key_id}"').request()
    refused(request, "bad-key-id", 400)


def test_sig_29_query() -> None:
    accept(Cavage(target="/inbox?a=b").request())
    # Old servers leave it out.
    accept(Cavage(target="/inbox?a=b", signed_target="/inbox").request())
    refused(Cavage(target="/inbox?a=b", signed_target="/inbox?a=c").request(), "bad-signature")
    refused(Cavage(target="/inbox", signed_target="/inbox?a=b").request(), "bad-signature")
    refused(Cavage(target="/inbox?a=b", signed_target="/outbox").request(), "bad-signature")


def test_sig_29_query_counts_in_rfc9421() -> None:
    request = Rfc9421(target="/inbox").request()
    refused(replace(request, target="/inbox?a=b"), "bad-signature")
    by_path = Rfc9421("@method @authority @path content-digest", target="/inbox?a=b")
    refused(by_path.request(), "not-covered")
    by_path = replace(by_path, components="@method @authority @path @query content-digest")
    accept(by_path.request())
    refused(replace(by_path.request(), target="/inbox?a=c"), "bad-signature")


GOOD = header(Rfc9421().request(), "signature-input")
ID = f'keyid="{KEY_ID}"'


@pytest.mark.parametrize(
    "signature_input",
    [
        GOOD.replace('"content-digest"', '"content-digest";req'),
        GOOD.replace('"content-digest"', '"content-digest";tr'),
        GOOD.replace('"content-digest"', '"content-digest";bs'),
        GOOD.replace('"content-digest"', '"content-digest";sf'),
        GOOD.replace('"content-digest"', '"content-digest";key="sha-256"'),
        GOOD.replace('"content-digest"', '"content-digest" "@query-param";name="a"'),
        GOOD.replace('"content-digest"', '"content-digest" "@status"'),
        GOOD.replace('"content-digest"', '"content-digest" "@unknown"'),
        GOOD.replace('"content-digest"', '"content-digest" "@signature-params"'),
        GOOD.replace('"content-digest"', '"content-digest" "content-digest"'),
        GOOD.replace('"content-digest"', '"Content-Digest"'),
        GOOD.replace('"content-digest"', '"content-digest" ""'),
        GOOD.replace('"content-digest"', '"content-digest" "datex hosty"'),
        GOOD.replace('"content-digest"', '"content-digest"  "date"'),
        GOOD.replace('"content-digest"', "content-digest"),
        GOOD.replace("sig1", "sig2"),
        GOOD.replace("sig1", "Sig1"),
        f"{GOOD}, sig2=();created=1",
        f"{GOOD}, {GOOD}",
        GOOD + ";created=1",
        GOOD + f";{ID}",
        GOOD + ";",
        GOOD + " ",
        GOOD + ";expires=soon",
        GOOD + ';expires="1"',
        GOOD + ";expires=-1",
        GOOD + ";expires=1.5",
        GOOD + ";expires",
        GOOD + ";tag=1",
        GOOD.replace(";created", "; created"),
        GOOD.replace("created=1", "created=01"),
        GOOD.replace(ID, "keyid=1"),
        GOOD.replace(ID, 'tag="a"'),
        GOOD.replace(ID, ID[:-1] + '\\""'),
        GOOD.replace("sig1=(", "sig1="),
        "sig1",
        "",
        "sig1=()",
        "sig1=(" + " ".join(f'"a{i}"' for i in range(33)) + f");created=1;{ID}",
        GOOD + ';nonce="' + "a" * limits.SIGNATURE_HEADER + '"',
    ],
)
def test_sig_31_signature_inputs_that_do_not_pass(signature_input: str) -> None:
    request = change(Rfc9421().request(), signature_input=signature_input)
    refused(request, "bad-signature-header", 400)


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "sig1",
        "sig1=::",
        "sig1=:A:",
        "sig1=:AAAA",
        "sig1=AAAA",
        "sig2=:AAAA:",
        "sig1=:AAAA:, sig2=:AAAA:",
        "sig1=:AAAA:;a",
        "sig1=:" + "A" * 1400 + ":",
        "sig1=:" + "A" * limits.SIGNATURE_HEADER + ":",
        'keyId="a",signature="AAAA"',
    ],
)
def test_sig_31_signatures_that_do_not_pass(signature: str) -> None:
    request = Rfc9421().request()
    refused(change(request, signature=signature), "bad-signature-header", 400)
    refused(change(request, signature=None), "bad-signature-header", 400)


def test_parameters_of_rfc9421_that_pass() -> None:
    accept(Rfc9421(parameters=Rfc9421.parameters + ';nonce="a b";tag="x";flag;n=-5').request())


CAVAGE = header(Cavage().request(), "signature")


@pytest.mark.parametrize(
    "signature",
    [
        "",
        ",",
        "keyId",
        CAVAGE + ",",
        "," + CAVAGE,
        CAVAGE + f',keyId="{KEY_ID}x"',
        CAVAGE + ',headers="date"',
        CAVAGE.replace("keyId", "keyid"),
        CAVAGE.replace("signature=", "signatur="),
        CAVAGE.replace('rsa-sha256"', "rsa-sha256"),
        CAVAGE.replace('"rsa-sha256"', "rsa-sha256"),
        CAVAGE.replace('"rsa-sha256"', '"rsa\\"sha256"'),
        CAVAGE.replace("host date", "host  date"),
        CAVAGE.replace("host date", "host date host"),
        CAVAGE.replace("host date", "host date (unknown)"),
        CAVAGE.replace("host date", "host date (created)"),
        CAVAGE.replace("host date", "host date (expires)"),
        CAVAGE.replace("host date", "host date @method"),
        CAVAGE.replace("host date", "host date a:b"),
        CAVAGE.replace("host date", "host date " + " ".join(f"a{i}" for i in range(33))),
        CAVAGE.replace("(request-target) host date digest", ""),
        CAVAGE + ",created=01",
        CAVAGE + ",created=1.5",
        CAVAGE + ',created="x"',
        CAVAGE + ',created="٣"',
        CAVAGE + ",expires=-1",
        CAVAGE + ",created=" + "1" * 16,
        CAVAGE + ',a="\n"',
        CAVAGE + ',a="é"',
        'keyId="https://a.example/",signature=""',
        'keyId="https://a.example/",signature="AAA"',
        'keyId="https://a.example/",signature="AA AA"',
        'keyId="https://a.example/",signature="' + "A" * 1400 + '"',
        CAVAGE + ',a="' + "a" * limits.SIGNATURE_HEADER + '"',
    ],
)
def test_signature_headers_that_do_not_pass(signature: str) -> None:
    request = change(Cavage().request(), signature=signature)
    refused(request, "bad-signature-header", 400)


@pytest.mark.parametrize(
    "value",
    ["a\nb", "a\r\n b", "a\rb", "a\0b", " a", "a ", "a\t", "\ta", "a\x7fb", "a\n", "\u20ac"],
)
@pytest.mark.parametrize("scheme", SIGNERS)
def test_sig_32_values_that_can_be_read_in_two_ways(scheme: str, value: str) -> None:
    if scheme == "cavage":
        request = Cavage(components="(request-target) host date digest x-a").request()
    else:
        request = Rfc9421("@method @target-uri content-digest x-a").request()
    for hostile in (change(request, x_a=value), request):  # or covered and missing
        with pytest.raises(Refused) as caught:
            signatures.read(hostile)  # before a key is fetched
        assert (caught.value.code, caught.value.status) == ("bad-covered-header", 400)


def test_sig_32_a_header_moved_into_another() -> None:
    # "a: 1" and "b: 2", or "a" alone with the value "1\nb: 2": one text, two requests.
    signer = Cavage(components="(request-target) host date digest x-a")
    request = change(signer.request(), x_a="1\nx-b: 2")
    refused(request, "bad-covered-header", 400)


def test_repeated_fields_are_joined() -> None:
    signer = Rfc9421("@method @target-uri content-digest x-a")
    request = signer.request()
    claim = replace(signatures.read(change(request, x_a="1")), signature=b"x")
    pairs = (*request.headers, ("x-a", "1"), ("x-a", "2 3"), ("x-a", ""))
    claim = replace(claim, request=replace(request, headers=pairs))
    assert b'\n"x-a": 1, 2 3, \n' in claim.base


def test_bytes_beyond_ascii_in_fields() -> None:
    claim = signatures.read(Cavage(components="(request-target) host date digest").request())
    request = change(Cavage().request(), x_a="caf\xc3\xa9")
    claim = replace(claim, components=("x-a",), request=request)
    assert claim.base == b"x-a: caf\xc3\xa9"
    with pytest.raises(Refused, match="bad-covered-header"):
        replace(claim, scheme="rfc9421")


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("post", "/"),
        ("PO ST", "/"),
        ("", "/"),
        ("POST\n", "/"),
        ("POST", ""),
        ("POST", "inbox"),
        ("POST", "/a b"),
        ("POST", "/a\n"),
        ("POST", "/é"),
        ("POST", "https://shop.example/inbox"),
    ],
)
def test_requests_that_cannot_be_signed_over(method: str, target: str) -> None:
    refused(replace(Cavage().request(), method=method, target=target), "bad-request", 400)


@pytest.mark.parametrize("scheme", SIGNERS)
def test_signatures_altered(scheme: str) -> None:
    request = ours(scheme)
    claim = signatures.read(request)
    for signature in (b"\0", claim.signature[:-1], claim.signature + b"\0", bytes(256)):
        with pytest.raises(Refused, match="bad-signature"):
            signatures.verify(replace(claim, signature=signature), PUBLIC)
        if scheme == "rfc9421":
            other = replace(claim, signature=signature, algorithm="ed25519")
            with pytest.raises(Refused, match="bad-signature"):
                signatures.verify(other, EDWARDS.public_key())


def test_parameters_of_rfc9421_are_signed() -> None:
    request = Rfc9421().request()
    later = header(request, "signature-input").replace(str(SECONDS), str(SECONDS + 1))
    refused(change(request, signature_input=later), "bad-signature")


def test_schemes_are_not_mixed() -> None:
    # With Signature-Input there, the other header is read by RFC 9421 only.
    mixed = change(ours("cavage"), signature_input=GOOD)
    refused(mixed, "bad-signature-header", 400)


def test_the_cheap_comes_before_the_costly() -> None:
    # No key is needed, so none is fetched, to see that these cannot pass.
    with pytest.raises(Refused, match="digest-mismatch"):
        signatures.check(replace(ours("cavage"), body=b"x"), NOW)
    with pytest.raises(Refused, match="too-old"):
        signatures.check(ours("rfc9421"), NOW + timedelta(days=1))


# --- Any header at all

HEADER = st.text(alphabet=st.characters(max_codepoint=255), max_size=60)
SHAPED = st.text(alphabet='sig1=("@method" "date");:,keyIdhttps/a.xAA=\\ \t', max_size=80)
EDITED = st.tuples(
    st.sampled_from([GOOD, CAVAGE, header(Rfc9421().request(), "signature")]),
    st.integers(0, 200),
    st.integers(0, 20),
    SHAPED,
).map(lambda edit: edit[0][: edit[1]] + edit[3] + edit[0][edit[1] + edit[2] :])
ANY = HEADER | SHAPED | EDITED
NAMES = st.sampled_from(
    ["signature", "signature-input", "authorization", "digest", "content-digest", "date", "host"]
)


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from([Cavage().request(), Rfc9421().request()]),
    st.dictionaries(NAMES, ANY),
    st.just("/inbox") | st.text(max_size=20),
    st.sampled_from(["POST", "GET", "x"]),
)
def test_any_header_is_only_refused(
    request: signatures.Request, headers: dict[str, str], target: str, method: str
) -> None:
    request = replace(change(request, **headers), method=method, target=target)
    try:
        claim = accept(request)
    except Refused:
        return
    # What passes still says what was signed.
    assert claim.key_id == KEY_ID
    assert (method, target) == ("POST", "/inbox")


@given(st.dictionaries(NAMES, ANY))
def test_any_header_is_only_refused_by_each_step(headers: dict[str, str]) -> None:
    request = change(Cavage().request(), **headers)
    claim = signatures.read(Cavage().request())
    for step in (
        lambda: signatures.read(request),
        lambda: signatures.check_policy(claim, NOW),
        lambda: signatures.check_digest(request),
        lambda: signatures.verify(claim, PUBLIC),
    ):
        try:
            step()
        except Refused:
            continue


@pytest.mark.parametrize("scheme", ["cavage", "rfc9421"])
def test_headers_that_sign_are_short(scheme: str) -> None:
    """What is longer than any true one is refused by its length, before it is taken apart."""
    headers = SIGNERS[scheme](KEY, KEY_ID, "POST", f"https://{HOST}/inbox", BODY, NOW)
    name = "Signature" if scheme == "cavage" else "Signature-Input"
    request = received({**headers, name: headers[name].ljust(limits.SIGNATURE_HEADER + 1, "x")})
    with pytest.raises(Refused, match="bad-signature-header") as caught:
        signatures.read(request)
    assert len(caught.value.detail) < 100
