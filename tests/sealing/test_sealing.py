"""Sealing in Python: the published vector, and what is refused."""

import re
from importlib import resources

import pytest
from cryptography.hazmat.bindings._rust import openssl
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from node import errors, sealing
from tests.sealing.vectors import VECTOR

INFO = sealing.for_shop("https://a.example/users/fleurs", "KEY", "https://a.example/1", "id")

# X25519 public keys of low order: every product with them is zero (RFC 7748, 6.1; curve25519's
# well-known list, the ones below 2^255).
LOW_ORDER = (
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
)


def pair() -> tuple[bytes, bytes]:
    key = X25519PrivateKey.generate()
    return key.private_bytes_raw(), key.public_key().public_bytes_raw()


def test_the_published_vector_opens() -> None:
    """The very suite that seals here; its public call takes no additional data, vectors have it."""
    v = {name: bytes.fromhex(value) for name, value in VECTOR.items()}
    key = X25519PrivateKey.from_private_bytes(v["skRm"])
    suite = sealing._CIPHERS
    opened = openssl.hpke._decrypt_with_aad(suite, v["enc"] + v["ct"], key, v["info"], v["aad"])
    assert opened == v["pt"]


def test_what_was_sealed_opens_again_and_never_looks_the_same() -> None:
    private, public = pair()
    one, other = (sealing.seal(public, INFO, "Je passe vendredi. 🌻") for _ in range(2))
    assert one != other
    assert sealing.open_sealed(private, INFO, one) == "Je passe vendredi. 🌻"
    assert len(one) == 1024 + sealing.OVERHEAD
    assert len(sealing.seal(public, INFO, "é" * 513)) == 2048 + sealing.OVERHEAD
    with pytest.raises(errors.Invalid):
        sealing.seal(public, INFO, "x" * 4097)


def test_nothing_opens_that_was_changed_or_meant_for_another() -> None:
    private, public = pair()
    sealed = sealing.seal(public, INFO, "secret")
    for at in (0, 31, 32, 600, len(sealed) - 1):
        bent = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        with pytest.raises(errors.Invalid):
            sealing.open_sealed(private, INFO, bent)
    for wrong in (sealed[:-1], sealed[:40], b"", sealed + b"x", sealed[32:] + sealed[:32]):
        with pytest.raises(errors.Invalid):
            sealing.open_sealed(private, INFO, wrong)
    bound = ["https://a.example/users/fleurs", "KEY", "https://a.example/1", "id"]
    assert sealing.for_shop(*bound) == INFO
    for at in range(len(bound)):
        other = [*bound[:at], f"{bound[at]}x", *bound[at + 1 :]]
        with pytest.raises(errors.Invalid):
            sealing.open_sealed(private, sealing.for_shop(*other), sealed)
    with pytest.raises(errors.Invalid):
        sealing.open_sealed(pair()[0], INFO, sealed)


@pytest.mark.parametrize("point", LOW_ORDER)
def test_points_of_low_order_are_refused(point: str) -> None:
    private, public = pair()
    with pytest.raises(errors.Invalid):
        sealing.check_key(bytes.fromhex(point))
    sealed = sealing.seal(public, INFO, "secret")
    with pytest.raises(errors.Invalid):
        sealing.open_sealed(private, INFO, bytes.fromhex(point) + sealed[32:])


def test_keys_of_another_length_are_refused() -> None:
    for key in (b"", b"x" * 31, b"x" * 33):
        with pytest.raises(errors.Invalid):
            sealing.check_key(key)
    sealing.check_key(pair()[1])


def test_no_two_lists_are_bound_alike() -> None:
    assert sealing.bind("ab", "c") != sealing.bind("a", "bc") != sealing.bind("abc", "")


def test_what_no_sealing_gives_is_refused() -> None:
    for size in (0, 47, 1024, 1071, 1073, 5000, 1_000_000):
        with pytest.raises(errors.Invalid):
            sealing.check_sealed(bytes(size))
    for text in ("é", "a=b", "abc d", "A" * 9000, "QQ==", "QR"):
        with pytest.raises(errors.Invalid):
            sealing.decode(text, 4096)
    assert sealing.decode(sealing.encode(b"\x00\xff\xfe"), 3) == b"\x00\xff\xfe"


def test_an_owner_key_signs_and_nobody_else() -> None:
    owner = Ed25519PrivateKey.generate()
    public = owner.public_key().public_bytes_raw()
    assert sealing.is_signed(public, owner.sign(INFO), INFO)
    assert not sealing.is_signed(public, owner.sign(INFO), INFO + b"x")
    assert not sealing.is_signed(public, b"", INFO)
    assert not sealing.is_signed(b"short", owner.sign(INFO), INFO)


def test_a_key_is_named_by_four_groups_of_letters() -> None:
    assert sealing.fingerprint(bytes(32)) == "MZUH-VLPY-MK6X-O3EP"


def test_a_card_s_words_are_two_to_the_eleventh_and_easily_typed() -> None:
    text = resources.files("node.web").joinpath("static/words.js").read_text(encoding="utf-8")
    match = re.search(r"const WORDS = `\n(.*?)\n`", text, re.DOTALL)
    assert match is not None
    words = match[1].split()
    assert len(words) == len(set(words)) == 2048
    assert all(re.fullmatch("[a-z]{4,9}", word) for word in words)
