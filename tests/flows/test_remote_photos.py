"""A neighbour's photo with real nodes: a reader's browser asks no node but the one it reads."""

import io
import re
from pathlib import Path

import httpx2
from PIL import Image

from tests import neighbours
from tests.neighbours import Town, eventually


def photo_of(town: Town, query: str) -> dict[str, str] | None:
    """What the API tells of the photo of the one hit."""
    answer = town.get("/api/v1/search", params={"q": query, "near": "Pessac"}).json()
    hits = [hit for ring in answer["rings"] for hit in ring["results"]]
    return hits[0]["photo"] if hits else None


def test_a_neighbours_photo_is_shown_from_here(tmp_path: Path) -> None:
    bordeaux, pessac = neighbours.found(["Bordeaux", "Pessac"], tmp_path)
    exif = Image.Exif()
    exif[0x010F] = "Appareil de Claire"
    Image.new("RGB", (1200, 900), "orange").save(tmp_path / "miel.jpg", exif=exif)
    with neighbours.serving([bordeaux, pessac]):
        bordeaux.run("shop", "add", "ruche", "--name", "La Ruche", "--commune", "Bordeaux")
        listing = bordeaux.run(
            "listing", "add", "ruche", "--name", "Miel de lavande", "--price", "12.50",
            "--photo", str(tmp_path / "miel.jpg"),
        )  # fmt: skip
        neighbours.befriend(bordeaux, pessac)

        photo = eventually(lambda: photo_of(pessac, "miel"))
        assert photo["webp"].startswith(f"{pessac.url}/media/")
        assert (photo["width"], photo["height"]) == (320, 240)
        page = pessac.get("/recherche?q=miel").text
        sources = re.findall(r'(?:src|srcset)="([^"]*)"', page)
        assert photo["webp"].removeprefix(pessac.url) in sources
        # The link to the shop's own node is the one thing that names it.
        assert not [one for one in sources if bordeaux.authority in one]
        assert bordeaux.authority in page

        answer = httpx2.get(photo["webp"], timeout=neighbours.PATIENCE)
        assert answer.headers["content-type"] == "image/webp"
        assert "immutable" in answer.headers["cache-control"]
        with Image.open(io.BytesIO(answer.content)) as copy:
            assert (copy.format, copy.size, len(copy.getexif())) == ("WEBP", (320, 240), 0)
        assert b"Claire" not in answer.content
        for other in (photo["webp"].replace("320", "800"), photo["webp"].replace("webp", "jpg")):
            assert httpx2.get(other, timeout=neighbours.PATIENCE).status_code == 404

        bordeaux.kill()  # what is shown here needs nobody else
        assert httpx2.get(photo["webp"], timeout=neighbours.PATIENCE).status_code == 200
        bordeaux.serve()
        bordeaux.run("listing", "withdraw", listing["id"])
        eventually(
            lambda: httpx2.get(photo["webp"], timeout=neighbours.PATIENCE).status_code == 404
        )
        pessac.stop()
        pessac.serve()  # it sweeps when it starts
        copies = pessac.folder / "media-remote"
        eventually(lambda: not [one for one in copies.rglob("*") if one.is_file()])
