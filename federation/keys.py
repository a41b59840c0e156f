"""Keys: made, stored, published, and read from strangers.

RSA signs HTTP requests, Ed25519 signs objects. Where a stranger's key comes from, and whose it
is, is for `proofs.key_of` and whoever reads actors.
"""

import hashlib
import re

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPublicKey,
    generate_private_key,
)

from federation import limits, multibase
from federation.errors import Refused

# Not more: WordPress takes a longer key, where no algorithm is named, to mean another hash.
_RSA_BITS = 2048
_RSA_EXPONENT = 65537

# The cost of a check grows with the bits of the exponent. Keys in use have 3, 17 or 65537; an
# exponent as long as the modulus would make a check as slow as signing.
_RSA_EXPONENT_BITS = 32

_PEM = re.compile(
    r"-----BEGIN (RSA )?PUBLIC KEY-----[A-Za-z0-9+/=\s]++-----END (?(1)RSA )PUBLIC KEY-----",
    re.ASCII,
)

# The multicodec of an Ed25519 public key, as a varint.
_ED25519_PUBLIC = b"\xed\x01"
_ED25519_BYTES = 32


def generate_rsa() -> RSAPrivateKey:
    """A new key for HTTP signatures. Takes a tenth of a second or so: not for an event loop."""
    return generate_private_key(public_exponent=_RSA_EXPONENT, key_size=_RSA_BITS)


def generate_ed25519() -> Ed25519PrivateKey:
    """A new key for object proofs."""
    return Ed25519PrivateKey.generate()


def rsa_public_pem(key: RSAPrivateKey | RSAPublicKey) -> str:
    """The public half as `publicKeyPem` has it: SubjectPublicKeyInfo in PEM."""
    public = key.public_key() if isinstance(key, RSAPrivateKey) else key
    return public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode("ascii")


def fingerprint(key: RSAPublicKey) -> str:
    """What two people compare by telephone to be sure of a key: 128 bits of SHA-256 over its
    SubjectPublicKeyInfo (DER), as eight groups of four hexadecimal digits."""
    der = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    digits = hashlib.sha256(der).hexdigest()[:32]
    return " ".join(digits[at : at + 4] for at in range(0, 32, 4))


def load_rsa_public(pem: object) -> RSAPublicKey:
    """A stranger's RSA key from its PEM, SubjectPublicKeyInfo or PKCS#1.

    Of `limits.RSA_BITS_LEAST` to `limits.RSA_BITS_MOST` bits, with an odd exponent from 3 to
    2^32. Raises Refused (bad-key) for all else, private keys and certificates included.
    """
    if not isinstance(pem, str) or len(pem) > limits.PEM:
        raise Refused("bad-key", "no PEM of a usable length")
    pem = pem.strip()
    if _PEM.fullmatch(pem) is None:
        raise Refused("bad-key", "not the PEM of one public key")
    try:
        key = serialization.load_pem_public_key(pem.encode("ascii"))
    except (ValueError, TypeError, OverflowError, UnsupportedAlgorithm) as error:
        raise Refused("bad-key", str(error)) from None
    if not isinstance(key, RSAPublicKey):
        raise Refused("bad-key", type(key).__name__)
    if not limits.RSA_BITS_LEAST <= key.key_size <= limits.RSA_BITS_MOST:
        raise Refused("bad-key", f"RSA of {key.key_size} bits")
    numbers = key.public_numbers()
    if numbers.e < 3 or numbers.e.bit_length() > _RSA_EXPONENT_BITS:
        raise Refused("bad-key", "RSA exponent out of range")
    if numbers.e % 2 == 0 or numbers.n % 2 == 0:
        raise Refused("bad-key", "RSA numbers that are even")
    return key


def private_bytes(key: RSAPrivateKey | Ed25519PrivateKey) -> bytes:
    """A private key in PKCS#8 DER, unencrypted: the caller wraps it before it is stored."""
    return key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def load_rsa_private(der: bytes) -> RSAPrivateKey:
    """One of our own keys, from `private_bytes`. Raises ValueError for anything else.

    The numbers are not checked to make a key (19 µs instead of 37 ms): only bytes that come out
    of authenticated encryption may be given to it.
    """
    key = serialization.load_der_private_key(der, None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("not an RSA private key")
    return key


def load_ed25519_private(data: bytes) -> Ed25519PrivateKey:
    """One of our own keys, from `private_bytes` or its 32 raw bytes. Raises ValueError."""
    if len(data) == _ED25519_BYTES:
        return Ed25519PrivateKey.from_private_bytes(data)
    key = serialization.load_der_private_key(data, None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("not an Ed25519 private key")
    return key


def multikey(key: Ed25519PrivateKey | Ed25519PublicKey) -> str:
    """The public half as `publicKeyMultibase` has it, `z6Mk…` (FEP-521a)."""
    public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key
    return multibase.encode(_ED25519_PUBLIC + public.public_bytes_raw())


def load_multikey(text: object) -> Ed25519PublicKey:
    """A stranger's Ed25519 key from its Multikey. Raises Refused (bad-key)."""
    try:
        data = multibase.decode(text, len(_ED25519_PUBLIC) + _ED25519_BYTES)
    except Refused as error:
        raise Refused("bad-key", error.detail) from None
    if not data.startswith(_ED25519_PUBLIC):
        raise Refused("bad-key", "not a Multikey of Ed25519")
    try:
        return Ed25519PublicKey.from_public_bytes(data.removeprefix(_ED25519_PUBLIC))
    except ValueError as error:
        raise Refused("bad-key", str(error)) from None
