"""A neighbour whose photos are none: no copy, and its listing is shown without (design: safety,
MED-13 and DOS)."""

import io
import sqlite3
import struct
import threading
import uuid
import zlib
from collections.abc import Iterator
from contextlib import closing

import pytest
from PIL import Image

from node.store.remote_photos import GIVEN_UP
from tests import neighbours
from tests.hostile import stub
from tests.hostile.arena import Arena
from tests.hostile.stub import Document
from tests.hostile.test_outbound import flooding
from tests.hostile.test_slow import dripping

OK = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n"


def bomb() -> bytes:
    """A PNG of a few bytes that says it is 50,000 pixels wide and as high."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        whole = kind + data
        return struct.pack(">I", len(data)) + whole + struct.pack(">I", zlib.crc32(whole))

    head = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1_000_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels)


def photo() -> bytes:
    written = io.BytesIO()
    Image.effect_noise((500, 500), 50).convert("RGB").save(written, "JPEG")
    return written.getvalue()


def tell(arena: Arena, url: str) -> Document:
    """A listing of the neighbour's with a photo."""
    return arena.tell(
        arena.peer.actor(),
        f"affiche {uuid.uuid4().hex}",
        attachment=[{"type": "Image", "mediaType": "image/jpeg", "url": url}],
    )


def row(arena: Arena, note: Document) -> tuple[str | None, int] | None:
    """The copy that is held for a listing, and how often it could not be had."""
    path = arena.town.folder / "node.db"
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
        found = db.execute(
            """
            SELECT remote_photos.id, tries FROM remote_photos
            JOIN listings ON listings.id = remote_photos.listing WHERE uri = ?
            """,
            (note["id"],),
        ).fetchone()
    return None if found is None else (found[0], found[1])


def given_up(arena: Arena, note: Document) -> bool:
    return row(arena, note) == (None, GIVEN_UP)


@pytest.fixture
def sent(arena: Arena) -> Iterator[list[int]]:
    """How many bytes a flood has brought to the node."""
    found: list[int] = []
    yield found
    arena.settle()
    arena.hold()


@pytest.mark.parametrize(
    "form", ["said", "endless", "html", "svg", "bomb", "empty", "gone", "canary", "stranger"]
)
def test_med_13_a_photo_that_is_none(arena: Arena, sent: list[int], form: str) -> None:
    path, peer = f"/media/{uuid.uuid4().hex}.jpg", arena.peer
    arena.stranger.serve("/photo.jpg", photo(), content_type="image/jpeg")
    match form:
        case "said":
            peer.script(path, flooding(OK + b"Content-Length: 1073741824\r\n\r\n", sent))
        case "endless":
            peer.script(path, flooding(OK + b"\r\n", sent))
        case "html":
            peer.serve(path, photo(), content_type="text/html")
        case "svg":
            peer.serve(path, b"<svg onload='x()'/>", content_type="image/svg+xml")
        case "bomb":
            peer.serve(path, bomb(), content_type="image/png")
        case "empty":
            peer.serve(path, b"", content_type="image/jpeg")
        case "gone":
            peer.serve(path, photo(), content_type="image/jpeg", status=410)
        case "canary":
            peer.redirect(path, f"http://127.0.0.1:{arena.canary.port}/photo.jpg")
        case _:
            peer.redirect(path, f"{arena.stranger.url}/photo.jpg")
    strangers = len(arena.stranger.asked)
    note = tell(arena, peer.url + path)
    neighbours.eventually(lambda: given_up(arena, note))
    assert [one.path for one in peer.asked].count(path) == 1
    assert len(arena.stranger.asked) == strangers
    assert sum(sent) < 32 * 1024 * 1024
    assert note["id"] in arena.found(note["sdo:offers"][0]["sdo:itemOffered"]["sdo:name"])


def test_a_good_photo_beside_one_that_drips(arena: Arena, sent: list[int]) -> None:
    """The good one first: who drips is left alone for a minute."""
    url = arena.peer.serve("/media/bonne.jpg", photo(), content_type="image/jpeg")
    good = tell(arena, url)
    neighbours.eventually(lambda: (row(arena, good) or (None,))[0])
    stop = threading.Event()
    arena.peer.script("/media/lente.jpg", dripping(OK + b"\r\n", b"x", stop))
    try:
        slow = tell(arena, f"{arena.peer.url}/media/lente.jpg")
        neighbours.eventually(lambda: any("lente" in one.path for one in arena.peer.asked))
        page = stub.send(arena.town.authority, "GET", "/recherche?q=affiche&ou=Bordeaux", [])
        assert page.status == 200
        assert f"/media/{(row(arena, good) or ('',))[0]}.320.webp".encode() in page.body
        assert (row(arena, slow) or ("",))[0] is None
        neighbours.eventually(lambda: (row(arena, slow) or (None, 0))[1] == 1)
    finally:
        stop.set()
