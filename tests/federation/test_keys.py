"""Keys: what we make can be read, what strangers send is bounded."""

import base64
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from apsig import KeyUtil
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from federation import keys, limits, multibase
from federation.errors import Refused

VECTORS = Path(__file__).parents[2].parent / "shared" / "vectors" / "rfc9421_appendix_b.json"

PEM = serialization.Encoding.PEM
SPKI = serialization.PublicFormat.SubjectPublicKeyInfo
PKCS1 = serialization.PublicFormat.PKCS1


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return keys.generate_rsa()


def refused(pem: object) -> None:
    began = time.process_time()
    with pytest.raises(Refused) as caught:
        keys.load_rsa_public(pem)
    assert caught.value.code == "bad-key"
    assert time.process_time() - began < 0.5


def pem_of(n: int, e: int) -> str:
    """A key of any numbers at all, written by hand: the library would refuse some."""

    def integer(value: int) -> bytes:
        data = value.to_bytes(value.bit_length() // 8 + 1, "big")
        return b"\x02" + length(len(data)) + data

    def length(size: int) -> bytes:
        if size < 128:
            return bytes([size])
        data = size.to_bytes((size.bit_length() + 7) // 8, "big")
        return bytes([128 + len(data)]) + data

    body = integer(n) + integer(e)
    der = b"\x30" + length(len(body)) + body
    text = base64.encodebytes(der).decode()
    return f"-----BEGIN RSA PUBLIC KEY-----\n{text}-----END RSA PUBLIC KEY-----\n"


def test_a_new_rsa_key(rsa_key: rsa.RSAPrivateKey) -> None:
    assert rsa_key.key_size == 2048
    assert rsa_key.public_key().public_numbers().e == 65537
    pem = keys.rsa_public_pem(rsa_key)
    assert pem == keys.rsa_public_pem(rsa_key.public_key())
    assert pem.startswith("-----BEGIN PUBLIC KEY-----\n")
    assert keys.load_rsa_public(pem).public_numbers() == rsa_key.public_key().public_numbers()


def test_spellings_of_a_pem(rsa_key: rsa.RSAPrivateKey) -> None:
    public = rsa_key.public_key()
    for layout in (SPKI, PKCS1):
        pem = public.public_bytes(PEM, layout).decode()
        for text in (pem, pem.rstrip(), "\n " + pem, pem.replace("\n", "\r\n")):
            assert keys.load_rsa_public(text).public_numbers() == public.public_numbers()


@pytest.mark.skipif(not VECTORS.exists(), reason="the published vectors are not beside the project")
def test_published_pems() -> None:
    published = json.loads(VECTORS.read_text())["keys"]
    assert keys.load_rsa_public(published["test-key-rsa"]["public_pem"]).key_size == 2048
    for name in ("test-key-ecc-p256", "test-key-ed25519"):
        refused(published[name]["public_pem"])
    for name in ("test-key-rsa", "test-key-rsa-pss", "test-key-ecc-p256", "test-key-ed25519"):
        refused(published[name]["private_pem"])


@pytest.mark.parametrize("bits", [512, 1024, 2040, 8200, 16384])
def test_sig_19_sizes(bits: int) -> None:
    refused(pem_of((1 << (bits - 1)) + 1, 65537))


@pytest.mark.parametrize("bits", [2048, 3072, 4096, 8192])
def test_sig_19_sizes_in_use(bits: int) -> None:
    assert keys.load_rsa_public(pem_of((1 << (bits - 1)) + 1, 65537)).key_size == bits


@pytest.mark.parametrize("exponent", [0, 1, 2, 4, 65536, (1 << 32) + 1, (1 << 2047) + 1])
def test_sig_19_exponents(exponent: int) -> None:
    refused(pem_of((1 << 2047) + 1, exponent))


def test_sig_19_exponents_in_use() -> None:
    for exponent in (3, 17, 65537):
        assert keys.load_rsa_public(pem_of((1 << 2047) + 1, exponent))


def test_sig_19_even_modulus() -> None:
    refused(pem_of(1 << 2047, 65537))


def test_sig_20_what_is_no_public_rsa_key(rsa_key: rsa.RSAPrivateKey) -> None:
    pem = keys.rsa_public_pem(rsa_key)
    private = rsa_key.private_bytes(
        PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a")])
    now = datetime(2026, 11, 23, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(rsa_key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(rsa_key, hashes.SHA256())
    )
    elliptic = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(PEM, SPKI)
    edwards = keys.generate_ed25519().public_key().public_bytes(PEM, SPKI)
    for text in (
        private,
        pem + private,
        private + pem,
        pem + pem,
        certificate.public_bytes(PEM).decode(),
        elliptic.decode(),
        edwards.decode(),
        pem.replace("PUBLIC", "PRIVATE"),
        pem[:-80],
        pem.replace("M", "N", 1),
        pem.replace("-----END PUBLIC", "-----END RSA PUBLIC"),
        "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----",
        "-----BEGIN PUBLIC KEY-----\né\n-----END PUBLIC KEY-----",
        pem + "\0",
        "",
        "A" * 1_000_000,
        "-----BEGIN PUBLIC KEY-----\n" + "A" * (limits.PEM - 100) + "\n-----END PUBLIC KEY-----",
        None,
        [pem],
        {"pem": pem},
    ):
        refused(text)
    keys.load_rsa_public(" " * 1000 + pem)
    refused(" " * limits.PEM + pem)


def test_private_keys_come_back(rsa_key: rsa.RSAPrivateKey) -> None:
    again = keys.load_rsa_private(keys.private_bytes(rsa_key))
    assert again.private_numbers() == rsa_key.private_numbers()
    edwards = keys.generate_ed25519()
    raw = edwards.private_bytes_raw()
    for data in (raw, keys.private_bytes(edwards)):
        assert keys.load_ed25519_private(data).private_bytes_raw() == raw
    with pytest.raises(ValueError, match="not an RSA"):
        keys.load_rsa_private(keys.private_bytes(edwards))
    with pytest.raises(ValueError, match="not an Ed25519"):
        keys.load_ed25519_private(keys.private_bytes(rsa_key))


def test_multikeys() -> None:
    key = keys.generate_ed25519()
    text = keys.multikey(key)
    assert text.startswith("z6Mk")
    assert text == keys.multikey(key.public_key())
    assert keys.load_multikey(text).public_bytes_raw() == key.public_key().public_bytes_raw()
    # The same to an independent implementation.
    assert KeyUtil(private_key=key).encode_multibase() == text
    other = KeyUtil(private_key=key).decode_multibase(text)
    assert isinstance(other, ed25519.Ed25519PublicKey)
    assert other.public_bytes_raw() == key.public_key().public_bytes_raw()


@pytest.mark.parametrize(
    "text",
    [
        None,
        1,
        "",
        "z",
        "6Mk",
        "z6Mk",
        multibase.encode(b"\xed\x01" + bytes(31)),
        multibase.encode(b"\xed\x01" + bytes(33)),
        multibase.encode(b"\x80\x26" + bytes(32)),
        multibase.encode(b"\xec\x01" + bytes(32)),
        multibase.encode(bytes(34)),
        multibase.encode(bytes(range(32))),
        "z" + "6" * 100_000,
        "u7QF" + "A" * 43,
    ],
)
def test_sig_20_multikeys_that_are_none(text: object) -> None:
    with pytest.raises(Refused) as caught:
        keys.load_multikey(text)
    assert caught.value.code == "bad-key"
