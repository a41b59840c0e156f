"""The file that a backup is: nothing of it opens that was not sealed just so."""

import io

import pytest

from node import errors, sealed_files
from node.sealed_files import CHUNK, TAG

SECRET, PUBLIC = sealed_files.generate()
HEAD = 17 + 16 + 80


def sealed(plain: bytes, public: str = PUBLIC) -> bytes:
    out = io.BytesIO()
    sealer = sealed_files.Sealer(out, sealed_files.public_key(public))
    for at in range(0, len(plain), 300_000):
        sealer.write(plain[at : at + 300_000])
    sealer.finish()
    return out.getvalue()


def opened(data: bytes, secret: str = SECRET) -> bytes:
    return sealed_files.Opener(io.BytesIO(data), sealed_files.secret_key(secret)).readall()


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_what_was_sealed_opens(size: int) -> None:
    plain = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    data = sealed(plain)
    assert opened(data) == plain
    assert len(data) == HEAD + size + TAG * max(1, -(-size // CHUNK))
    assert plain[:64] not in data or size < 64


def chunks(data: bytes) -> tuple[bytes, list[bytes]]:
    body = data[HEAD:]
    return data[:HEAD], [body[at : at + CHUNK + TAG] for at in range(0, len(body), CHUNK + TAG)]


def test_no_chunk_can_be_left_out_moved_doubled_or_taken_from_elsewhere() -> None:
    plain = b"a" * (3 * CHUNK + 10)
    head, parts = chunks(sealed(plain))
    _, others = chunks(sealed(plain))
    one, two, three, last = parts
    for wrong in (
        [one, two, three],  # cut at a seam
        [one, two, three, last[:-1]],
        [one, three, last],
        [two, one, three, last],
        [one, one, two, three, last],
        [one, others[1], three, last],
        [one, two, three, last, last],
        [one, two, three, last + b"x"],
        [one, last],
        [],
    ):
        with pytest.raises(errors.Unusable, match="damaged or was cut short"):
            opened(head + b"".join(wrong))


@pytest.mark.parametrize("at", [0, 16, 17, 32, 33, 70, HEAD - 1, HEAD, HEAD + 500])
def test_no_bit_can_be_changed(at: int) -> None:
    data = bytearray(sealed(b"b" * 1000))
    data[at] ^= 1
    with pytest.raises(errors.Unusable):
        opened(bytes(data))


def test_another_key_is_named_as_the_reason() -> None:
    with pytest.raises(errors.Unusable, match="another key"):
        opened(sealed(b"c"), sealed_files.generate()[0])
    with pytest.raises(errors.Unusable, match="no backup"):
        opened(b"PK\x03\x04" + b"0" * 500)


def test_a_mistyped_key_is_noticed() -> None:
    changed = SECRET[:-10] + ("A" if SECRET[-10] != "A" else "B") + SECRET[-9:]
    for wrong in (changed, SECRET[:-1], "", PUBLIC):
        with pytest.raises(errors.Invalid):
            sealed_files.secret_key(wrong)
    assert sealed_files.secret_key(f"# a comment\n\n  {SECRET}\n")
