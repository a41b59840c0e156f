"""Photos: what is taken, what is refused, and what is left of one that was hostile."""

import contextlib
import io
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms

from node import catalogue, errors, media
from node.media_worker import SIZES, kind_of
from node.store import photos
from tests import ground
from tests.ground import NOW


def picture(width: int = 900, height: int = 600) -> Image.Image:
    """Red on the left, blue on the right, so that turning shows."""
    made = Image.new("RGB", (width, height), "red")
    made.paste("blue", (width // 2, 0, width, height))
    return made


def saved(made: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    written = io.BytesIO()
    made.save(written, kind, **options)
    return written.getvalue()


@pytest.fixture
def develop(tmp_path: Path) -> Callable[[bytes], media.Developed]:
    def run(content: bytes) -> media.Developed:
        source = tmp_path / "upload"
        source.write_bytes(content)
        with source.open("rb") as opened:
            return media.develop(tmp_path, opened)

    return run


def copies(folder: Path, found: media.Developed) -> list[Path]:
    return [
        media.path(folder, found.id, side, suffix) for side in SIZES for suffix in ("webp", "jpg")
    ]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_three_sizes_in_two_forms(
    tmp_path: Path, develop: Callable[[bytes], media.Developed], kind: str
) -> None:
    found = develop(saved(picture(2000, 1000), kind))
    assert (found.width, found.height) == (1600, 800)
    for side in SIZES:
        for suffix, form in (("webp", "WEBP"), ("jpg", "JPEG")):
            with Image.open(media.path(tmp_path, found.id, side, suffix)) as copy:
                assert (copy.format, copy.size) == (form, (side, side // 2))
                red, _, blue = copy.convert("RGB").getpixel((5, 5))
                assert red > 200 > 60 > blue
    assert sum(one.stat().st_size for one in copies(tmp_path, found)) == found.bytes
    assert not any((tmp_path / "media" / "incoming").iterdir())


def test_a_small_picture_is_not_blown_up(develop: Callable[[bytes], media.Developed]) -> None:
    found = develop(saved(picture(90, 60)))
    assert (found.width, found.height) == (90, 60)


def test_the_same_photo_has_the_same_name(develop: Callable[[bytes], media.Developed]) -> None:
    assert develop(saved(picture())).id == develop(saved(picture())).id


@pytest.mark.parametrize(
    ("orientation", "corner"),
    [(1, "red"), (2, "blue"), (3, "blue"), (4, "red"), (6, "red"), (8, "blue")],
)
def test_a_photo_stands_upright(
    tmp_path: Path,
    develop: Callable[[bytes], media.Developed],
    orientation: int,
    corner: str,
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = develop(saved(picture(), exif=exif))
    assert (found.width > found.height) is (orientation < 5)
    with Image.open(media.path(tmp_path, found.id, 320, "jpg")) as copy:
        red, _, blue = copy.getpixel((3, 3))
        assert (red > blue) is (corner == "red")


def test_nothing_that_the_photo_carried_is_in_a_copy(
    tmp_path: Path, develop: Callable[[bytes], media.Developed]
) -> None:
    """GPS, serial numbers, XMP, comments, profiles, and whatever was appended (MED-04, MED-05)."""
    exif = Image.Exif()
    exif[0x010F] = "SECRETMAKER"
    exif.get_ifd(0x8825)[2] = (44.0, 50.0, 16.0)
    exif.get_ifd(0x8769)[0xA431] = "SECRETSERIAL"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    inside = {
        "JPEG": {"exif": exif, "comment": b"SECRETCOMMENT", "xmp": b"<x>SECRETXMP</x>"},
        "WEBP": {"exif": exif, "xmp": b"<x>SECRETXMP</x>"},
        "PNG": {"exif": exif},
    }
    for kind, options in inside.items():
        content = saved(picture(), kind, icc_profile=profile, **options)
        assert b"SECRETMAKER" in content
        found = develop(content + b"PK\x03\x04<script>SECRETTAIL</script>")
        for copy in copies(tmp_path, found):
            written = copy.read_bytes()
            assert b"SECRET" not in written
            assert not any(mark in written for mark in (b"Exif", b"EXIF", b"XMP ", b"ICC"))
            with Image.open(copy) as opened:
                assert not opened.getexif()
                assert not {"exif", "xmp", "icc_profile", "comment"} & opened.info.keys()


def test_what_is_seen_through_stands_on_white(
    tmp_path: Path, develop: Callable[[bytes], media.Developed]
) -> None:
    found = develop(saved(Image.new("RGBA", (50, 50), (0, 0, 0, 0)), "PNG"))
    with Image.open(media.path(tmp_path, found.id, 320, "jpg")) as copy:
        assert copy.getpixel((20, 20)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["L", "P", "1", "I;16", "CMYK", "LA"])
def test_every_kind_of_pixels_comes_out_in_colour(
    develop: Callable[[bytes], media.Developed], mode: str
) -> None:
    made = Image.new(mode, (40, 30)) if mode == "I;16" else picture(40, 30).convert(mode)
    assert develop(saved(made, "JPEG" if mode == "CMYK" else "PNG")).width == 40


def test_of_an_animation_the_first_picture_is_kept(
    tmp_path: Path, develop: Callable[[bytes], media.Developed]
) -> None:
    frames = [Image.new("RGB", (60, 60), colour) for colour in ("red", "blue", "lime")]
    for kind in ("WEBP", "PNG"):
        found = develop(saved(frames[0], kind, save_all=True, append_images=frames[1:]))
        with Image.open(media.path(tmp_path, found.id, 320, "jpg")) as copy:
            assert copy.getpixel((30, 30))[0] > 200


def png(width: int, height: int) -> bytes:
    """A PNG that claims a size, in a hundred bytes."""

    def chunk(name: bytes, content: bytes) -> bytes:
        checked = name + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(b"\x00" * 1000))
    return b"\x89PNG\r\n\x1a\n" + head + data + chunk(b"IEND", b"")


def webp(width: int, height: int) -> bytes:
    """A WebP that claims a canvas."""
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4)
    body += (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", len(body)) + body


SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(png(14_000, 14_000), "photo-too-many-pixels", id="bomb"),
        pytest.param(png(60_000, 60_000), "photo-too-many-pixels", id="larger bomb"),
        pytest.param(png(40_000, 10), "photo-too-many-pixels", id="strip"),
        pytest.param(webp(16_000, 16_000), "photo-too-many-pixels", id="webp bomb"),
        pytest.param(webp(20, 20), "photo-damaged", id="webp without pixels"),
        pytest.param(png(100, 100), "photo-damaged", id="png without pixels"),
        pytest.param(SVG, "photo-not-a-photo", id="svg"),
        pytest.param(b"%!PS-Adobe-3.0 EPSF-3.0\n", "photo-not-a-photo", id="eps"),
        pytest.param(b"%PDF-1.7\n", "photo-not-a-photo", id="pdf"),
        pytest.param(saved(picture(9, 9), "GIF"), "photo-not-a-photo", id="gif"),
        pytest.param(saved(picture(9, 9), "TIFF"), "photo-not-a-photo", id="tiff"),
        pytest.param(saved(picture(9, 9), "BMP"), "photo-not-a-photo", id="bmp"),
        pytest.param(b"\x00\x00\x00\x18ftypheic" + bytes(40), "photo-heic", id="heic"),
        pytest.param(b"\xff\xd8\xff" + SVG, "photo-damaged", id="jpeg in name only"),
        pytest.param(saved(picture())[:-3000], "photo-damaged", id="cut short"),
        pytest.param(b"", "photo-empty", id="empty"),
        pytest.param(b"\xff\xd8\xff" + bytes(media.UPLOAD_MOST), "photo-too-heavy", id="heavy"),
    ],
)
def test_what_is_no_photo_is_refused_with_a_sentence(
    tmp_path: Path, develop: Callable[[bytes], media.Developed], content: bytes, code: str
) -> None:
    with pytest.raises(errors.Invalid) as refused:
        develop(content)
    assert refused.value.code == code
    assert refused.value.detail.endswith(".")
    assert not list((tmp_path / "media").glob("*/*"))


def test_what_a_decoder_breaks_on_is_refused(
    develop: Callable[[bytes], media.Developed],
) -> None:
    """Every fortieth byte of three good files turned: refused or taken, never anything else."""
    for kind in ("JPEG", "PNG", "WEBP"):
        good = bytearray(saved(picture(64, 48), kind))
        for position in range(4, len(good), max(40, len(good) // 4)):
            good[position] ^= 0xFF
            with contextlib.suppress(errors.Invalid):
                assert develop(bytes(good)).width <= 1600


def test_the_process_of_a_photo_has_little_memory(tmp_path: Path) -> None:
    """The limit bites: more than it allows cannot be had."""
    code = (
        "from node import media_worker\n"
        "media_worker.confine()\n"
        "try: bytearray(2 * media_worker.MEMORY_MOST)\n"
        "except MemoryError: print('none')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "none\n"


def test_a_process_that_is_ended_leaves_nothing(
    tmp_path: Path, develop: Callable[[bytes], media.Developed], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "DEVELOPED_WITHIN", 0.01)
    with pytest.raises(errors.Invalid):
        develop(saved(picture()))
    assert not list((tmp_path / "media").glob("*/*"))


def test_names_lead_nowhere_else() -> None:
    good = "a" * 64
    assert media.parse_name(f"{good}.800.jpg") == (good, 800, "jpg")
    for name in (
        "../node.db", f"{good}.801.jpg", f"{good}.800.png", f"{good[:-1]}.800.jpg",
        f"{good}.800.jpg\n", f"{good.upper()}.800.jpg", "..", "", f"/{good}.800.jpg",
    ):  # fmt: skip
        assert media.parse_name(name) is None


def test_heads_are_told_apart() -> None:
    assert kind_of(saved(picture(9, 9))) == "JPEG"
    assert kind_of(b"") == "other"


# --- kept, shown, swept --------------------------------------------------------------------------


def test_a_photo_is_shown_as_long_as_a_listing_shows_it(
    tmp_path: Path, develop: Callable[[bytes], media.Developed]
) -> None:
    made = develop(saved(picture()))
    with ground.opened(tmp_path) as db:
        shop = ground.open_shop(db)
        photo = media.keep(db, tmp_path, shop, made, "Un bouquet", NOW)
        listing = ground.publish(db, shop, "Bouquet", photos=(photo,))
        assert listing.photos == (photo,)
        later = NOW + timedelta(days=3)
        media.sweep(db, tmp_path, later)
        assert photos.is_shown(db, photo.id, later)
        assert media.is_whole(tmp_path, photo.id)
        catalogue.withdraw(db, listing.id, later)
        assert not photos.is_shown(db, photo.id, later)
        for copy in copies(tmp_path, made):
            os.utime(copy, (0, 0))
        assert media.sweep(db, tmp_path, later) == 6
        assert not media.is_whole(tmp_path, photo.id)


def test_a_draft_is_kept_for_a_day(
    tmp_path: Path, develop: Callable[[bytes], media.Developed]
) -> None:
    made = develop(saved(picture()))
    with ground.opened(tmp_path) as db:
        shop, other = ground.open_shop(db), ground.open_shop(db, "pains")
        media.keep(db, tmp_path, shop, made, "", NOW)
        assert photos.get_draft(db, made.id, shop.id, "", NOW) is not None
        assert photos.get_draft(db, made.id, other.id, "", NOW) is None
        tomorrow = NOW + media.DRAFTS_KEPT
        assert photos.get_draft(db, made.id, shop.id, "", tomorrow) is None
        media.sweep(db, tmp_path, tomorrow)
        photo = media.Photo(made.id, "", made.width, made.height)
        with pytest.raises(errors.Invalid, match="no longer kept"):
            ground.publish(db, shop, "Bouquet", photos=(photo,))


def test_files_without_a_row_go_and_young_ones_stay(
    tmp_path: Path, develop: Callable[[bytes], media.Developed]
) -> None:
    """A kill between the files and the row (MED-11), and between the child and its end."""
    made = develop(saved(picture()))
    left = tmp_path / "media" / "incoming" / "tmpabc"
    left.mkdir()
    (left / "1600.webp").touch()
    with ground.opened(tmp_path) as db:
        media.sweep(db, tmp_path, NOW)
        assert media.is_whole(tmp_path, made.id)
        for old in (*copies(tmp_path, made), left):
            os.utime(old, (0, 0))
        media.sweep(db, tmp_path, NOW)
    assert not media.is_whole(tmp_path, made.id)
    assert not left.exists()


def test_no_row_without_files(tmp_path: Path, develop: Callable[[bytes], media.Developed]) -> None:
    made = develop(saved(picture()))
    copies(tmp_path, made)[3].unlink()
    with ground.opened(tmp_path) as db, pytest.raises(errors.TooMany):
        media.keep(db, tmp_path, ground.open_shop(db), made, "", NOW)


def test_a_shop_has_room_for_so_many(
    tmp_path: Path, develop: Callable[[bytes], media.Developed], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = develop(saved(picture()))
    with ground.opened(tmp_path) as db:
        shop = ground.open_shop(db)
        media.check_room(db, shop, NOW)
        media.keep(db, tmp_path, shop, made, "", NOW)
        monkeypatch.setattr(media, "SHOP_PER_MINUTE", 1)
        with pytest.raises(errors.TooMany, match="Wait a minute"):
            media.check_room(db, shop, NOW)
        media.check_room(db, shop, NOW + timedelta(minutes=2))
        monkeypatch.setattr(media, "SHOP_BYTES_MOST", 10)
        with pytest.raises(errors.TooMany, match="too many photos"):
            media.check_room(db, shop, NOW + timedelta(minutes=2))
