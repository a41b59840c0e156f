"""Sealing, as `node/web/static/sealing.js` does it in the browser: HPKE, bound and padded.

What a resident writes is sealed in their browser to a key that the merchant's browser made; this
node holds neither private half and never opens anything. Here is what a node needs all the same:
to check what comes in, to seal an enquiry as soon as it has been read, and, for the command that
opens an exported envelope with its owner's key, the way back.

Suite 1: RFC 9180, base mode, one message for each sealing, with DHKEM(X25519, HKDF-SHA256),
HKDF-SHA256 and AES-256-GCM.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from node import errors

SUITE = 1
SIZES = (1024, 2048, 4096)  # a text is padded to one of these: its length says little
OVERHEAD = 48  # 32 bytes of a fresh public key before, 16 of a tag behind
KEY = 32
SIGNATURE = 64
ID = 22  # letters of a reservation's id

_CIPHERS = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")


# --- The two acts --------------------------------------------------------------------------------


def seal(public_key: bytes, info: bytes, text: str, sizes: Sequence[int] = SIZES) -> bytes:
    """Seals a text to a key (32 bytes), padded to one of these sizes.

    Raises errors.Invalid for a key or text that cannot be.
    """
    try:
        key = X25519PublicKey.from_public_bytes(public_key)
        return _CIPHERS.encrypt(padded(text, sizes), key, info)
    except ValueError as error:
        raise errors.Invalid("cannot-seal", str(error)) from None


def open_sealed(private_key: bytes, info: bytes, sealed: bytes) -> str:
    """The text that was sealed to a key (32 bytes) for exactly this.

    Raises errors.Invalid where it was not, or where one bit was changed: never a part of it.
    """
    try:
        key = X25519PrivateKey.from_private_bytes(private_key)
        return _CIPHERS.decrypt(sealed, key, info).decode("utf-8").rstrip(" ")
    except (InvalidTag, ValueError):
        raise errors.Invalid("cannot-be-read", "This cannot be read with this key.") from None


# --- What a sealing is bound to, and how long it is ----------------------------------------------


def bind(*texts: str) -> bytes:
    """Texts as one: each behind its length in two bytes, so no two lists give the same bytes."""
    encoded = [text.encode() for text in texts]
    return b"".join(len(one).to_bytes(2, "big") + one for one in encoded)


def for_shop(shop: str, key: str, listing: str, reservation: str) -> bytes:
    """What a reservation is sealed for: the ids of shop, key, listing and the reservation's own."""
    return bind("echoppe reservation 1", shop, key, listing, reservation)


def for_resident(shop: str, reservation: str) -> bytes:
    """What the shop's answer is sealed for."""
    return bind("echoppe answer 1", shop, reservation)


def for_enquiry(shop: str, key: str, uri: str) -> bytes:
    """What an enquiry, or the shop's copy of an answer, is sealed for: `uri` is its note's."""
    return bind("echoppe enquiry 1", shop, key, uri)


def statement(shop: str, owner: str, sealing: str, created: str) -> bytes:
    """What an owner key signs: that this sealing key is the shop's."""
    return bind("echoppe keys 1", shop, owner, sealing, created)


def padded(text: str, sizes: Sequence[int] = SIZES) -> bytes:
    """The text with blanks behind, up to one of the sizes. Raises ValueError for a longer one."""
    data = text.encode()
    size = next((one for one in sizes if one >= len(data)), None)
    if size is None:
        raise ValueError(f"{len(data)} bytes are too many to be sealed")
    return data.ljust(size, b" ")


def check_sealed(sealed: bytes) -> None:
    """Raises errors.Invalid for bytes that no sealing gives: all that a node can see of them."""
    if len(sealed) - OVERHEAD not in SIZES:
        raise errors.Invalid("not-sealed", f"{len(sealed)} bytes are not a sealed text.")


# --- Keys as people and pages see them -----------------------------------------------------------


def fingerprint(public_key: bytes) -> str:
    """A key's name: the first 80 bits of its SHA-256 in base 32, four groups of four."""
    letters = base64.b32encode(hashlib.sha256(public_key).digest()[:10]).decode("ascii")
    return "-".join(letters[at : at + 4] for at in range(0, 16, 4))


def check_key(public_key: bytes) -> None:
    """Raises errors.Invalid for what is no X25519 key that can be sealed to: low order included."""
    seal(public_key, b"", "")


def is_signed(owner: bytes, signature: bytes, message: bytes) -> bool:
    """Whether an owner key (Ed25519, 32 bytes) signed this."""
    try:
        Ed25519PublicKey.from_public_bytes(owner).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def reservation_id(secret: str) -> str:
    """A reservation's id: 128 bits that the secret of its private link gives, one way only."""
    digest = hashlib.sha256(f"echoppe reservation {secret}".encode()).digest()
    return encode(digest[:16])


# --- Bytes ---------------------------------------------------------------------------------------


def encode(data: bytes) -> str:
    """base64url without padding, as keys and sealed bytes stand in pages."""
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def decode(text: str, most: int) -> bytes:
    """Bytes written so, of which there may be `most`. Raises errors.Invalid for anything else."""
    if len(text) > most * 4 // 3 + 3 or not _BASE64URL.fullmatch(text):
        raise errors.Invalid("not-base64", "This is not base64url.")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise errors.Invalid("not-base64", "This is not base64url.") from None
    if len(data) > most or encode(data) != text:
        raise errors.Invalid("not-base64", "This is not base64url.")
    return data
