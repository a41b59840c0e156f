"""A file sealed to one public key: what a backup is written as, and read from, in little memory.

    magic       17 bytes  "ECHOPPE BACKUP 1\\n": format and its version
    key id      16 bytes  the first of SHA-256 of the public key (X25519) it is sealed to
    sealed key  80 bytes  a fresh key of 32 bytes, sealed by HPKE (RFC 9180, base mode, suite 1 of
                          node/sealing.py) to that public key, bound to magic and key id
    chunks                1 MiB of plain bytes each, AES-256-GCM under the fresh key: 16 bytes
                          longer. Nonce: the chunk's number in 11 bytes, then 1 for the last chunk,
                          else 0. Bound to SHA-256 of all that stands before the chunks.

Only the last chunk is shorter than 1 MiB, and nothing follows it. A chunk that is left out,
doubled, moved, taken from another file or missing at the end does not open: its number, mark or key
is not the one that was sealed. A nonce is never used twice, because the key is never used for two
files.

Base mode tells nothing of who sealed: whoever has the public key can seal a file. Keep backups
where nobody else writes.
"""

import base64
import binascii
import hashlib
import io
import os
import re
import secrets
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from node import errors

MAGIC = b"ECHOPPE BACKUP 1\n"
CHUNK = 1 << 20
TAG = 16
PUBLIC_PREFIX = "echoppe-backup-1-"
SECRET_PREFIX = "echoppe-backup-secret-1-"  # noqa: S105 (what such a key begins with)
_KEY = 32
_KEY_ID = 16
_SEALED_KEY = _KEY + 48
_CHECK = 4  # bytes behind a written key: a typing mistake is noticed
_CIPHERS = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


# --- Keys ----------------------------------------------------------------------------------------


def generate() -> tuple[str, str]:
    """A new key pair as text: the secret half, and the public half that settings name."""
    private = X25519PrivateKey.generate()
    return (
        _written(SECRET_PREFIX, private.private_bytes_raw()),
        _written(PUBLIC_PREFIX, private.public_key().public_bytes_raw()),
    )


def _written(prefix: str, key: bytes) -> str:
    check = hashlib.sha256(prefix.encode() + key).digest()[:_CHECK]
    return prefix + base64.urlsafe_b64encode(key + check).decode("ascii")


def _read_key(prefix: str, text: str) -> bytes:
    match = re.fullmatch(rf"{prefix}([A-Za-z0-9_-]{{48}})", text.strip())
    try:
        data = base64.urlsafe_b64decode(match[1]) if match else b""
    except binascii.Error:
        data = b""
    key = data[:_KEY]
    if not data or _written(prefix, key) != text.strip():
        raise errors.Invalid("bad-backup-key", f"This is no whole key: one begins with {prefix}")
    return key


def public_key(text: str) -> X25519PublicKey:
    """The public half as settings name it. Raises errors.Invalid."""
    return X25519PublicKey.from_public_bytes(_read_key(PUBLIC_PREFIX, text))


def secret_key(text: str) -> X25519PrivateKey:
    """The secret half, from the text of its file: the first line that begins as one does.

    Raises errors.Invalid.
    """
    for line in text.splitlines():
        if line.strip().startswith(SECRET_PREFIX):
            return X25519PrivateKey.from_private_bytes(_read_key(SECRET_PREFIX, line))
    raise errors.Invalid(
        "no-backup-key", f"There is no secret key in it: a line that begins with {SECRET_PREFIX}"
    )


def _key_id(key: X25519PublicKey) -> bytes:
    return hashlib.sha256(key.public_bytes_raw()).digest()[:_KEY_ID]


# --- Writing -------------------------------------------------------------------------------------


class Sealer:
    """What is written to it is sealed and written on. `finish` must end it."""

    def __init__(self, out: IO[bytes], key: X25519PublicKey) -> None:
        self._out = out
        head = MAGIC + _key_id(key)
        secret = secrets.token_bytes(_KEY)
        head += _CIPHERS.encrypt(secret, key, head)
        out.write(head)
        self._cipher = AESGCM(secret)
        self._bound = hashlib.sha256(head).digest()
        self._number = 0
        self._held = bytearray()

    def write(self, data: bytes) -> int:
        """Takes bytes in; they are written a whole chunk at a time."""
        self._held += data
        # One chunk is held back: only what follows it tells that it is not the last.
        while len(self._held) > CHUNK:
            self._put(bytes(self._held[:CHUNK]), last=False)
            del self._held[:CHUNK]
        return len(data)

    def finish(self) -> None:
        """Writes what is held as the last chunk."""
        self._put(bytes(self._held), last=True)
        self._held.clear()

    def _put(self, plain: bytes, *, last: bool) -> None:
        self._out.write(self._cipher.encrypt(_nonce(self._number, last=last), plain, self._bound))
        self._number += 1


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


# --- Reading -------------------------------------------------------------------------------------


class Opener(io.RawIOBase):
    """Reads what a Sealer wrote. Every byte it gives was sealed just so, and in this order.

    Raises errors.Unusable for a file that is no backup, was sealed to another key, or was changed;
    that the file was cut short is known when its last chunk is read.
    """

    def __init__(self, source: IO[bytes], key: X25519PrivateKey) -> None:
        self._source = source
        head = source.read(len(MAGIC) + _KEY_ID + _SEALED_KEY)
        bound = head[: len(MAGIC) + _KEY_ID]
        if not head.startswith(MAGIC):
            raise errors.Unusable("not-a-backup", "This file is no backup of Échoppe.")
        if bound[len(MAGIC) :] != _key_id(key.public_key()):
            raise errors.Unusable(
                "other-backup-key",
                "This backup was sealed to another key than the one you gave. "
                "Look for the key that was made before it.",
            )
        try:
            secret = _CIPHERS.decrypt(head[len(bound) :], key, bound)
        except (InvalidTag, ValueError):
            raise _damaged("its beginning") from None
        self._cipher = AESGCM(secret)
        self._bound = hashlib.sha256(head).digest()
        self._number = 0
        self._plain = memoryview(b"")
        self._next = source.read(CHUNK + TAG)
        self._ended = False

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        """Fills `buffer` from the start; says how far, 0 at the end."""
        if not self._plain and not self._ended:
            self._open_next()
        count = min(len(buffer), len(self._plain))
        buffer[:count] = self._plain[:count]
        self._plain = self._plain[count:]
        return count

    def _open_next(self) -> None:
        chunk, self._next = self._next, self._source.read(CHUNK + TAG)
        last = not self._next
        try:
            plain = self._cipher.decrypt(_nonce(self._number, last=last), chunk, self._bound)
        except (InvalidTag, ValueError):
            raise _damaged(f"chunk {self._number + 1}" + (", its end" if last else "")) from None
        self._number += 1
        self._ended = last
        self._plain = memoryview(plain)


def _damaged(where: str) -> errors.Unusable:
    return errors.Unusable(
        "backup-damaged",
        f"The backup is damaged or was cut short ({where} cannot be opened). Take another one.",
    )


def sync_folder(folder: "os.PathLike[str]") -> None:
    """The names in a folder are on the disk when this returns."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
