"""Another server, written by hand: its own keys, its own signatures, a small real HTTP server that
serves what a test puts there and writes down everything that it is asked.

Nothing of the product is imported, so that the node is held against something else.
"""

import base64
import contextlib
import hashlib
import http.client
import http.server
import itertools
import json
import socket
import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit

import rfc8785
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

AS2 = "https://www.w3.org/ns/activitystreams"
PUBLIC = f"{AS2}#Public"
ACTIVITY_JSON = "application/activity+json"
PATIENCE = 60.0  # seconds, as in tests/neighbours.py
COVERED = "(request-target) host date digest content-type"

Headers = list[tuple[str, str]]

_ADDRESSES = itertools.count(1)
Document = dict[str, Any]


# --- requests ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reply:
    """What the node answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """The short name of a refusal."""
        return str(json.loads(self.body)["error"])


def send(
    authority: str,
    method: str,
    target: str,
    headers: Headers,
    body: bytes = b"",
    within: float = PATIENCE,
) -> Reply:
    """One request, its headers sent as they are, twice where they are there twice."""
    connection = http.client.HTTPConnection(authority, timeout=within)
    try:
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        names = [name.lower() for name, _ in headers]
        for name, value in headers:
            connection.putheader(name, value)
        if method == "POST" and "x-forwarded-for" not in names:
            # Each from an address of its own, as the node's proxy would say: hundreds of bad
            # requests of one test must not be held against the next (tests/hostile/test_flood.py).
            connection.putheader("X-Forwarded-For", f"2001:db8:{next(_ADDRESSES):x}::1")
        if method == "POST" and "content-length" not in names:
            connection.putheader("Content-Length", str(len(body)))
        if "host" not in names:
            connection.putheader("Host", authority)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.endheaders(body or None)  # who is refused early need not be heard out
        answer = connection.getresponse()
        fields = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(answer.status, fields, answer.read())
    finally:
        connection.close()


def raw(port: int, data: bytes, within: float = PATIENCE) -> bytes:
    """Bytes sent as they are, and what comes back until the other side closes or falls silent.

    Only where silence is as good as an answer may it be taken for one soon.
    """
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=within) as connection:
        try:
            connection.sendall(data)
            while chunk := connection.recv(65536):
                received += chunk
        except OSError:
            pass
    return received


def http_date(moment: datetime | None = None) -> str:
    """A Date."""
    return format_datetime(moment or datetime.now(UTC), usegmt=True)


def digest(body: bytes) -> str:
    """A Digest of SHA-256."""
    return "SHA-256=" + base64.b64encode(hashlib.sha256(body).digest()).decode()


def cavage(
    key: rsa.RSAPrivateKey,
    key_id: str,
    url: str,
    body: bytes,
    *,
    covered: str = COVERED,
    parameters: str = 'algorithm="rsa-sha256"',
    sign: Callable[[bytes], bytes] | None = None,
    **changed: str | None,
) -> Headers:
    """A POST signed by draft-cavage-12. `changed` headers (with _ for -) are signed as given;
    None leaves one out."""
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    headers: dict[str, str | None] = {
        "host": parts.netloc,
        "date": http_date(),
        "digest": digest(body),
        "content-type": ACTIVITY_JSON,
        **{name.replace("_", "-"): value for name, value in changed.items()},
    }
    known: dict[str, str | None] = {"(request-target)": f"post {target}", **headers}
    for parameter in parameters.split(","):
        name, _, value = parameter.partition("=")
        known[f"({name})"] = value.strip('"')
    base = "\n".join(f"{name}: {known[name]}" for name in covered.split()).encode()
    made = sign(base) if sign else key.sign(base, PKCS1v15(), SHA256())
    signature = base64.b64encode(made).decode()
    more = f"{parameters}," if parameters else ""
    return [
        *((name, value) for name, value in headers.items() if value is not None),
        ("signature", f'keyId="{key_id}",{more}headers="{covered}",signature="{signature}"'),
    ]


def rfc9421(
    key: rsa.RSAPrivateKey,
    key_id: str,
    url: str,
    body: bytes,
    *,
    components: Sequence[str] = ('"@method"', '"@target-uri"', '"content-digest"'),
    parameters: str | None = None,
    labels: tuple[str, str] = ("sig1", "sig1"),
) -> Headers:
    """A POST signed by RFC 9421; components are written as in Signature-Input."""
    parts = urlsplit(url)
    content_digest = f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"
    known = {
        "@method": "POST",
        "@target-uri": url,
        "@authority": parts.netloc,
        "@path": parts.path,
        "content-digest": content_digest,
        "content-type": ACTIVITY_JSON,
    }
    if parameters is None:
        created = int(datetime.now(UTC).timestamp())
        parameters = f';created={created};keyid="{key_id}";alg="rsa-v1_5-sha256"'
    described = f"({' '.join(components)}){parameters}"
    lines = [f"{name}: {known[name.split(';')[0].strip(chr(34))]}" for name in components]
    lines.append(f'"@signature-params": {described}')
    signature = key.sign("\n".join(lines).encode(), PKCS1v15(), SHA256())
    return [
        ("host", parts.netloc),
        ("content-type", ACTIVITY_JSON),
        ("content-digest", content_digest),
        ("signature-input", f"{labels[0]}={described}"),
        ("signature", f"{labels[1]}=:{base64.b64encode(signature).decode()}:"),
    ]


def replaced(headers: Headers, name: str, *values: str) -> Headers:
    """The headers with other values of one, after signing."""
    return [*((n, v) for n, v in headers if n != name), *((name, value) for value in values)]


def multibase(data: bytes) -> str:
    """Base 58, as Multikey and proofs have it."""
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = alphabet[digit] + text
    return "z" + "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def proved(document: Document, key: Ed25519PrivateKey, method: str) -> Document:
    """A document with an eddsa-jcs-2022 proof."""
    proof = {
        "@context": document["@context"],
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "created": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "verificationMethod": method,
        "proofPurpose": "assertionMethod",
    }
    hashed = b"".join(hashlib.sha256(rfc8785.dumps(part)).digest() for part in (proof, document))
    return {**document, "proof": {**proof, "proofValue": multibase(key.sign(hashed))}}


def encode(document: Document) -> bytes:
    """A document as bytes."""
    return json.dumps(document, ensure_ascii=False).encode()


# --- the server ----------------------------------------------------------------------------------

Handler = http.server.BaseHTTPRequestHandler
Script = Callable[[Handler], None]


@dataclass(frozen=True)
class Asked:
    """One request that came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What stands at a path."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    stub: "Stub"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A node that hangs up in the middle is what some tests want."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_: Any) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        """Serves what stands there."""
        self._write_down(b"")
        found = self.server.stub.answers.get(self.path) or self.server.stub.answers.get(
            self.path.partition("?")[0], Answer(b"", 404)
        )
        if not isinstance(found, Answer):
            found(self)
            return
        self.send_response(found.status)
        for name, value in found.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(found.body)))
        self.end_headers()
        self.wfile.write(found.body)

    def do_POST(self) -> None:
        """Takes a delivery."""
        length = int(self.headers.get("Content-Length", "0"))
        body = self.rfile.read(length)
        if len(body) < length:  # who was ended amid it has delivered nothing
            self.close_connection = True
            return
        status = self.server.stub.statuses.get(self.path, 202)
        self._write_down(body)  # what is not yet written down is answered as is said from now on
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _write_down(self, body: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.stub.asked.append(Asked(self.command, self.path, headers, body))


class Stub:
    """Another server on the loopback."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer | Script] = {}
        self.asked: list[Asked] = []
        self.statuses: dict[str, int] = {}  # what a delivery to a path is answered with
        self.key = rsa.generate_private_key(65537, 2048)
        self.other_key = rsa.generate_private_key(65537, 2048)
        self.object_key = Ed25519PrivateKey.generate()
        self._numbers = itertools.count(1)
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.stub = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        """Stops serving."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def authority(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        """The origin."""
        return f"http://{self.authority}"

    def serve(
        self,
        path: str,
        document: Document | bytes,
        *,
        status: int = 200,
        content_type: str = ACTIVITY_JSON,
        **headers: str,
    ) -> str:
        """Puts a document at a path; returns its URL."""
        body = document if isinstance(document, bytes) else encode(document)
        fields = {"Content-Type": content_type}
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers[path] = Answer(body, status, fields)
        return self.url + path

    def redirect(self, path: str, to: str) -> str:
        """Puts a redirect at a path; returns its URL."""
        self.answers[path] = Answer(b"", 302, {"Location": to})
        return self.url + path

    def script(self, path: str, script: Script) -> str:
        """Puts a behaviour at a path; returns its URL."""
        self.answers[path] = script
        return self.url + path

    def actor(
        self, kind: str = "Organization", handle: str | None = None, **changed: Any
    ) -> "Actor":
        """A new actor, its document served. None as a changed member leaves it out."""
        made = Actor(self, handle or f"boutique{next(self._numbers)}", kind, self.key)
        made.publish(**changed)
        return made

    def deliveries(self, kind: str) -> list[Document]:
        """What was delivered here, of one type."""
        posts = [json.loads(asked.body) for asked in self.asked if asked.method == "POST"]
        return [activity for activity in posts if activity["type"] == kind]


@dataclass(frozen=True)
class Actor:
    """An actor of a stub."""

    stub: Stub
    handle: str
    kind: str
    key: rsa.RSAPrivateKey

    @property
    def path(self) -> str:
        return f"/users/{self.handle}"

    @property
    def uri(self) -> str:
        return self.stub.url + self.path

    @property
    def key_id(self) -> str:
        return f"{self.uri}#main-key"

    def document(self, key: rsa.RSAPrivateKey | None = None) -> Document:
        """Its document, naming this key."""
        method = f"{self.uri}#ed25519-key"
        rsa_key = {"id": self.key_id, "owner": self.uri, "publicKeyPem": pem(key or self.key)}
        public = self.stub.object_key.public_key().public_bytes_raw()
        return {
            "@context": [AS2, "https://w3id.org/security/v1"],
            "id": self.uri,
            "type": self.kind,
            "preferredUsername": self.handle,
            "name": f"Boutique {self.handle}",
            "inbox": f"{self.uri}/inbox",
            "outbox": f"{self.uri}/outbox",
            "endpoints": {"sharedInbox": f"{self.stub.url}/inbox"},
            "publicKey": rsa_key,
            "assertionMethod": [
                {
                    "id": method,
                    "type": "Multikey",
                    "controller": self.uri,
                    "publicKeyMultibase": multibase(b"\xed\x01" + public),
                }
            ],
        }

    def publish(self, key: rsa.RSAPrivateKey | None = None, **changed: Any) -> None:
        """Serves its document, with changes."""
        document = {**self.document(key), **changed}
        self.stub.serve(self.path, {name: v for name, v in document.items() if v is not None})

    def note(self, name: str, price: Any = "12.50", **changed: Any) -> Document:
        """A listing of its."""
        uri = f"{self.uri}/items/{uuid.uuid4()}"
        now = datetime.now(UTC).replace(microsecond=0)
        return {
            "@context": [AS2, {"sdo": "https://schema.org/"}],
            "id": uri,
            "type": "Note",
            "attributedTo": self.uri,
            "to": [PUBLIC],
            "url": uri,
            "published": f"{now - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
            "updated": f"{now:%Y-%m-%dT%H:%M:%SZ}",
            "content": f"<p><strong>{name}</strong></p>",
            "sdo:offers": [
                {
                    "type": "sdo:Offer",
                    "sdo:price": price,
                    "sdo:priceCurrency": "EUR",
                    "sdo:itemOffered": {"type": "sdo:Product", "sdo:name": name},
                }
            ],
            **changed,
        }

    def activity(self, kind: str, told: Any, **changed: Any) -> Document:
        """An activity of its about something."""
        return {
            "@context": AS2,
            "id": f"{self.uri}/activities/{uuid.uuid4()}",
            "type": kind,
            "actor": self.uri,
            "to": [PUBLIC],
            "object": told,
            **changed,
        }


def pem(key: rsa.RSAPrivateKey) -> str:
    """The public half of a key."""
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def tombstone(uri: str) -> Document:
    """What is left of a listing."""
    return {"id": uri, "type": "Tombstone"}


def later(note: Document, name: str, price: str = "1.00", seconds: int = 60) -> Document:
    """A later state of a listing under another name and price."""
    moment = datetime.fromisoformat(note["updated"]) + timedelta(seconds=seconds)
    offer = note["sdo:offers"][0]
    return {
        **note,
        "updated": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        "sdo:offers": [
            {
                **offer,
                "sdo:price": price,
                "sdo:itemOffered": {**offer["sdo:itemOffered"], "sdo:name": name},
            }
        ],
    }
