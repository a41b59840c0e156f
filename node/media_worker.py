"""One photo in, six clean files out: run as a process of its own by `node/media.py`.

    python -m node.media_worker TARGET_FOLDER [small] < photo

`small`: a single file, which is all that is kept of a neighbour's photo.

Whatever a stranger's bytes do to the decoder, they do it here: with little memory, little time and
no connection to the database. It answers with one JSON line, `{"id", "width", "height", "bytes"}`
or `{"refused": CODE}`. The files hold pixels and nothing else: they are drawn anew, so nothing
that the photo carried (place, camera, thumbnail,
appended bytes) can be in them.
"""

import hashlib
import io
import json
import os
import resource
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from node.pixels import fit

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

SIZES = (1600, 800, 320)  # longest side, in pixels
SUFFIXES = ("webp", "jpg")
PIXELS_MOST = 40_000_000
SIDE_MOST = 30_000
MEMORY_MOST = 1024**3  # of addresses: a WebP of 40 megapixels takes 700 MB (a JPEG under 150)
CPU_SECONDS = 15
FILE_MOST = 8 * 1024 * 1024  # of one written file
WEBP = {"quality": 78, "method": 1}
JPEG = {"quality": 80, "optimize": True}

_FORMS: dict[str, tuple[str, dict[str, Any]]] = {"webp": ("WEBP", WEBP), "jpg": ("JPEG", JPEG)}

_ORIENTATION = 0x0112


class Unfit(Exception):
    """The photo cannot be used; the argument is a short name of why."""


def kind_of(head: bytes) -> str:
    """What the first bytes say a file is: JPEG, PNG, WEBP, HEIC or "other"."""
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] == b"ftyp" and head[8:12] in (
        b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1",
    ):  # fmt: skip
        return "HEIC"
    return "other"


def webp_size(head: bytes) -> tuple[int, int]:
    """Width and height in a WebP's head: its decoder would take memory for all of it at once."""
    chunk = head[12:16]
    if chunk == b"VP8X" and len(head) >= 30:
        width = 1 + int.from_bytes(head[24:27], "little")
        return width, 1 + int.from_bytes(head[27:30], "little")
    if chunk == b"VP8L" and len(head) >= 25:
        bits = int.from_bytes(head[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if chunk == b"VP8 " and len(head) >= 30:
        width, height = struct.unpack("<HH", head[26:30])
        return width & 0x3FFF, height & 0x3FFF
    raise Unfit("damaged")


def check_size(width: int, height: int) -> None:
    """Raises Unfit for a picture of too many pixels."""
    if width < 1 or height < 1:
        raise Unfit("damaged")
    if width * height > PIXELS_MOST or max(width, height) > SIDE_MOST:
        raise Unfit("too-many-pixels")


def develop(
    source: BinaryIO,
    target: Path,
    sizes: tuple[int, ...] = SIZES,
    suffixes: tuple[str, ...] = SUFFIXES,
) -> dict[str, Any]:
    """Reads a photo and writes its clean sizes into a folder, named by the first of the last form.

    Raises Unfit.
    """
    head = source.read(64)
    kind = kind_of(head)
    if kind == "HEIC":
        raise Unfit("heic")
    if kind == "other":
        raise Unfit("not-a-photo")
    if kind == "WEBP":
        check_size(*webp_size(head))
    source.seek(0)
    picture = read(source, kind, sizes[0])
    width, height = picture.size
    answer: dict[str, Any] = {"width": width, "height": height, "bytes": 0}
    for side in sizes:
        size = fit(width, height, side)
        if size != picture.size:
            picture = picture.resize(size, _bicubic(), reducing_gap=3.0)
        for suffix in suffixes:
            written = io.BytesIO()
            kind, options = _FORMS[suffix]
            picture.save(written, kind, **options)
            content = written.getvalue()
            if side == sizes[0] and suffix == suffixes[-1]:
                answer["id"] = hashlib.sha256(content).hexdigest()
            answer["bytes"] += len(content)
            write(target / f"{side}.{suffix}", content)
    return answer


def read(source: BinaryIO, kind: str, side: int) -> "Picture":
    """The first picture in a file, at most `side` long, upright, in plain sRGB. Raises Unfit."""
    from PIL import Image, ImageFile

    Image.MAX_IMAGE_PIXELS = None  # checked here, to a lower bound
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        with Image.open(source, formats=(kind,)) as opened:
            check_size(*opened.size)
            turned = opened.getexif().get(_ORIENTATION)
            profile = opened.info.get("icc_profile")
            size = fit(*opened.size, side)
            opened.draft("RGB", size)  # a JPEG is decoded at a half, a quarter or an eighth
            opened.load()
            picture = plain(opened, size)
    except Unfit:
        raise
    except MemoryError:
        raise Unfit("too-many-pixels") from None
    except Exception:  # whatever a decoder raises, the photo is to blame
        raise Unfit("damaged") from None
    if profile:
        picture = in_srgb(picture, profile)
    ways = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
    return picture.transpose(ways[turned]) if turned in ways else picture


def plain(picture: "Picture", size: tuple[int, int]) -> "Picture":
    """Of that size, in RGB, with nothing beside its pixels; what was transparent is white."""
    from PIL import Image

    found = picture
    if found.mode.startswith("I"):  # 16 bits: the upper 8 are shown
        found = found.point(lambda value: value * (1 / 256)).convert("L")
    seen_through = found.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in found.info
    mode = "RGBA" if seen_through else "RGB"
    if found.mode != mode:
        found = found.convert(mode)
    found = found.resize(size, _bicubic(), reducing_gap=3.0)  # a copy where it fits already
    if seen_through:
        ground = Image.new("RGB", found.size, "white")
        ground.paste(found, mask=found.getchannel("A"))
        found = ground
    found.info = {}  # a comment or a profile would be written again
    return found


def in_srgb(picture: "Picture", profile: bytes) -> "Picture":
    """Its colours as sRGB has them: the profile goes, and so must the need for it."""
    from PIL import ImageCms

    try:
        found = ImageCms.profileToProfile(
            picture, ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture  # a profile of another kind of picture, or none at all
    if found is None:
        return picture
    found.info = {}
    return found


def _bicubic() -> Any:
    from PIL import Image

    return Image.Resampling.BICUBIC


def write(path: Path, content: bytes) -> None:
    """Writes a file that is on the disk when this returns."""
    with path.open("xb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())


def confine() -> None:
    """Takes from this process what developing one photo does not need."""
    os.nice(5)
    for limit, value in (
        (resource.RLIMIT_AS, MEMORY_MOST),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, FILE_MOST),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(limit)
        lowest = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (lowest, lowest))


def main() -> None:
    """Develops the photo on standard input."""
    confine()
    try:
        small = ((SIZES[-1],), ("webp",)) if sys.argv[2:] == ["small"] else ()
        answer = develop(sys.stdin.buffer, Path(sys.argv[1]), *small)
    except Unfit as error:
        answer = {"refused": str(error)}
    except MemoryError:
        answer = {"refused": "too-many-pixels"}
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
