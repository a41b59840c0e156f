"""Looking for words where none may be: in every byte that a node has written.

Whoever doubts that the node holds no personal word plants some (reserves under an invented name)
and looks for them here: in the database, its write-ahead log, copies, mails, photos, whatever lies
in the folder, and in log files beside it. Words are looked for as they are, in other cases, in the
encodings that programs hide text in, and inside gzip.
"""

import base64
import contextlib
import gzip
import hashlib
import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from urllib.parse import quote, quote_plus

from node import errors, sealing
from node.enquiries import SIZES
from node.model import Enquiry, EnquiryAnswer
from node.store import enquiries, reservations, shop_keys

SHORTEST = 4  # characters: shorter words are found anywhere by chance
_STEP = 1 << 20
_GZIP = b"\x1f\x8b\x08"
_OPENED_MOST = 8 << 20  # of one gzip


@dataclass(frozen=True, slots=True)
class Leak:
    """A word, and the file that it was found in."""

    file: Path
    word: str


def search(places: Iterable[Path], words: Iterable[str]) -> tuple[list[Leak], int, int]:
    """Every leak in the files and folders named, how many files were read, and how many bytes.

    Raises errors.Invalid for a word too short to mean anything.
    """
    forms = {word: _forms(word) for word in words}
    for word in forms:
        if len(word) < SHORTEST:
            raise errors.Invalid("word-too-short", f"{word!r} is shorter than {SHORTEST} letters.")
    overlap = max((len(one) for all_ in forms.values() for one in all_), default=1)
    found: list[Leak] = []
    count = size = 0
    for file in _files(places):
        count += 1
        held: set[str] = set()
        for chunk in _chunks(file, overlap):
            size += len(chunk)
            for data in (chunk, *_opened(chunk)):
                lower = data.lower()
                held.update(
                    word
                    for word, all_ in forms.items()
                    if any(one in data or one.lower() in lower for one in all_)
                )
        found += [Leak(file, word) for word in sorted(held)]
    return found, count, size


def _files(places: Iterable[Path]) -> Iterator[Path]:
    for place in places:
        if place.is_dir():
            yield from sorted(one for one in place.rglob("*") if one.is_file())
        else:
            yield place


def _chunks(file: Path, overlap: int) -> Iterator[bytes]:
    """A file in parts that overlap, so that a word on a seam is found too."""
    with file.open("rb") as opened:
        before = b""
        while read := opened.read(_STEP):
            yield before + read
            before = (before + read)[-overlap:]


def _opened(data: bytes) -> Iterator[bytes]:
    """What gzips that begin in these bytes hold."""
    at = data.find(_GZIP)
    while at >= 0:
        opener = zlib.decompressobj(wbits=31)
        with contextlib.suppress(zlib.error):
            yield opener.decompress(data[at:], _OPENED_MOST)
        at = data.find(_GZIP, at + 1)


def _forms(word: str) -> frozenset[bytes]:
    """A word as programs may have written it."""
    plain = word.encode()
    forms = {
        plain,
        word.encode("utf-16-le"),
        word.encode("utf-16-be"),
        json.dumps(word)[1:-1].encode(),
        quote(word).encode(),
        quote_plus(word).encode(),
        plain.hex().encode(),
    }
    # The middle of its base 64, at each of the three places it can begin at.
    for shift in range(3):
        whole = base64.b64encode(bytes(shift) + plain)
        middle = whole[4 if shift else 0 : len(whole) - 4]
        if len(middle) >= SHORTEST + 2:
            forms |= {middle, middle.replace(b"+", b"-").replace(b"/", b"_")}
    return frozenset(forms)


def unsealed(db: sqlite3.Connection) -> list[str]:
    """Codes of reservations whose bytes do not look sealed: of no right size, or text."""
    return [
        one.code
        for one in reservations.find_all(db)
        for data in (one.sealed, one.answer)
        if data is not None and not _looks_sealed(data)
    ]


def unsealed_enquiries(db: sqlite3.Connection) -> tuple[list[str], int]:
    """(ids of enquiries that could be sealed and are not, themselves or an answer to them; how many
    cannot be, since their shop has no key)."""
    could, cannot = [], 0
    for one in enquiries.find_all(db):
        letters: list[Enquiry | EnquiryAnswer] = [one, *enquiries.find_answers(db, one.id)]
        clear = any(letter.sealed is None for letter in letters)
        if clear and shop_keys.current(db, one.shop) is None:
            cannot += 1
        elif clear or not all(_looks_sealed(letter.sealed or b"", SIZES) for letter in letters):
            could.append(one.id)
    return could, cannot


def _looks_sealed(data: bytes, sizes: Sequence[int] = sealing.SIZES) -> bool:
    """Whether bytes can be a sealing: sealed ones cannot be pressed together."""
    if len(data) - sealing.OVERHEAD not in sizes:
        return False
    return len(gzip.compress(data, 9, mtime=0)) >= len(data)


def scripts() -> dict[str, str]:
    """SHA-256 of each script of ours, as this version has it: what a release publishes."""
    folder = resources.files("node.web").joinpath("static")
    return {
        one.name: hashlib.sha256(one.read_bytes()).hexdigest()
        for one in sorted(folder.iterdir(), key=lambda one: one.name)
        if one.name.endswith(".js")
    }
