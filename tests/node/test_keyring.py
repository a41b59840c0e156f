"""node.key, and what it protects."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node import errors, keyring


def test_what_was_wrapped_is_unwrapped_after_a_restart(tmp_path: Path) -> None:
    sealed = keyring.create(tmp_path).wrap("fleurs/rsa", b"private")
    assert keyring.load(tmp_path).unwrap("fleurs/rsa", sealed) == b"private"
    assert b"private" not in sealed


@given(st.binary(max_size=2000), st.text(st.characters(codec="utf-8"), max_size=30))
def test_anything_is_wrapped_and_unwrapped(plain: bytes, name: str) -> None:
    ring = keyring.Keyring(bytes(32))
    assert ring.unwrap(name, ring.wrap(name, plain)) == plain


def test_the_same_is_never_sealed_alike_twice() -> None:
    ring = keyring.Keyring(bytes(32))
    assert len({ring.wrap("a", b"private") for _ in range(20)}) == 20


def test_what_was_sealed_under_one_name_is_not_taken_for_another() -> None:
    ring = keyring.Keyring(bytes(32))
    with pytest.raises(errors.Unusable) as caught:
        ring.unwrap("miel/rsa", ring.wrap("fleurs/rsa", b"private"))
    assert caught.value.code == "wrong-node-key"
    assert "miel/rsa" in caught.value.detail


def test_another_nodes_secret_opens_nothing() -> None:
    sealed = keyring.Keyring(bytes(32)).wrap("a", b"private")
    with pytest.raises(errors.Unusable):
        keyring.Keyring(b"\x01" * 32).unwrap("a", sealed)


@pytest.mark.parametrize("length", [0, 1, 11, 12, 13, 27, 28])
def test_what_was_cut_short_is_refused(length: int) -> None:
    ring = keyring.Keyring(bytes(32))
    with pytest.raises(errors.Unusable):
        ring.unwrap("a", ring.wrap("a", b"x" * 10)[:length])


@given(st.integers(0, 37), st.integers(1, 255))
def test_a_changed_byte_is_noticed(position: int, by: int) -> None:
    ring = keyring.Keyring(bytes(32))
    sealed = bytearray(ring.wrap("a", b"x" * 10))
    sealed[position] ^= by
    with pytest.raises(errors.Unusable):
        ring.unwrap("a", bytes(sealed))


def test_the_secret_is_the_owners_alone_and_never_overwritten(tmp_path: Path) -> None:
    keyring.create(tmp_path)
    path = tmp_path / keyring.FILE_NAME
    assert path.stat().st_mode & 0o777 == 0o600
    secret = path.read_bytes()
    assert len(secret) == 32
    with pytest.raises(FileExistsError):
        keyring.create(tmp_path)
    assert path.read_bytes() == secret


def test_without_its_secret_the_node_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(errors.Unusable) as caught:
        keyring.load(tmp_path)
    assert caught.value.code == "no-node-key"
    assert "Put it back" in caught.value.detail


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o610])
def test_a_secret_that_others_could_read_is_refused(tmp_path: Path, mode: int) -> None:
    keyring.create(tmp_path)
    (tmp_path / keyring.FILE_NAME).chmod(mode)
    with pytest.raises(errors.Unusable) as caught:
        keyring.load(tmp_path)
    assert caught.value.code == "loose-node-key"
    assert f"chmod 600 {tmp_path}" in caught.value.detail


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_file_of_another_size_is_no_key(tmp_path: Path, size: int) -> None:
    path = tmp_path / keyring.FILE_NAME
    path.write_bytes(bytes(size))
    path.chmod(0o600)
    with pytest.raises(errors.Unusable) as caught:
        keyring.load(tmp_path)
    assert caught.value.code == "bad-node-key"
