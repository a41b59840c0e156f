"""HTTP as bare as can be, so that what is measured is the node: requests as bytes over asyncio
streams, signed beforehand with `cryptography` alone, and a server that only answers."""

import asyncio
import base64
import hashlib
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from email.utils import formatdate

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

BUSY = (503, 429)

Answerer = Callable[[str, str, bytes], Awaitable[tuple[int, str, bytes]]]


def signed_headers(
    key: RSAPrivateKey, key_id: str, host: str, path: str, body: bytes
) -> dict[str, str]:
    """The headers of a POST signed by draft-cavage-12, made without our own signatures.py."""
    headers = {
        "host": host,
        "date": formatdate(usegmt=True),
        "digest": "SHA-256=" + base64.b64encode(hashlib.sha256(body).digest()).decode(),
        "content-type": "application/activity+json",
    }
    base = "\n".join([f"(request-target): post {path}", *(f"{k}: {v}" for k, v in headers.items())])
    signature = base64.b64encode(key.sign(base.encode(), PKCS1v15(), SHA256())).decode()
    covered = " ".join(["(request-target)", *headers])
    headers["signature"] = (
        f'keyId="{key_id}",algorithm="rsa-sha256",headers="{covered}",signature="{signature}"'
    )
    return headers


def request(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """A request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    lines.append(f"content-length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass(slots=True)
class Sent:
    """How a series of requests was answered."""

    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)  # of each, in seconds
    busy: int = 0  # how often 503 was the answer, and the request was sent again


async def send(port: int, requests: Iterable[bytes], connections: int, wanted: int) -> Sent:
    """Sends every request over so many connections that stay open, each as soon as it can.

    What is too busy (503, 429) is tried again after a moment, as any server would; any other answer
    than `wanted` ends the benchmark.
    """
    sent = Sent()
    left = iter(requests)

    async def one_connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for message in left:
            status = 503
            while status in BUSY:
                begun = time.perf_counter()
                writer.write(message)
                status = await status_of(reader)
                if status in BUSY:
                    sent.busy += 1
                    await asyncio.sleep(0.1)
            sent.waits.append(time.perf_counter() - begun)
            assert status == wanted, status
        writer.close()

    begun = time.perf_counter()
    await asyncio.gather(*(one_connection() for _ in range(connections)))
    sent.seconds = time.perf_counter() - begun
    return sent


async def status_of(reader: asyncio.StreamReader) -> int:
    """The status of the next answer, its body read and thrown away."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = length_of(head)
    if length:
        await reader.readexactly(length)
    elif b"\r\ntransfer-encoding: chunked" in head.lower():
        while size := int(await reader.readuntil(b"\r\n"), 16):
            await reader.readexactly(size + 2)
        await reader.readexactly(2)
    return int(head[9:12])


def length_of(head: bytes) -> int:
    """How long the body is that a head announces."""
    _, found, rest = head.lower().partition(b"\r\ncontent-length:")
    return int(rest.split(b"\r\n", 1)[0]) if found else 0


async def serve(port: int, answer: Answerer) -> asyncio.Server:
    """A server that gives each request (method, target, body) to `answer`."""

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                method, target, _ = head.split(b" ", 2)
                body = await reader.readexactly(length_of(head))
                status, kind, content = await answer(method.decode(), target.decode(), body)
                writer.write(
                    f"HTTP/1.1 {status} -\r\ncontent-type: {kind}\r\n"
                    f"content-length: {len(content)}\r\n\r\n".encode()
                    + content
                )
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            writer.close()  # the other end is done, or the benchmark is

    return await asyncio.start_server(serve_one, "127.0.0.1", port)
