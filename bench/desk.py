"""A merchant's heavy moments, and residents who search meanwhile: a photo of 12 MB until it is
public, and a file of ten thousand rows until it has been looked at.

Everything over HTTP, as a browser does it, on a node with ten thousand listings.
"""

import io
import random
import re
import time
from pathlib import Path

from PIL import Image

from bench import measure, resident, town
from tests.flows.test_merchant import Browser, hidden, signed_in

SHOPS, LISTINGS = 50, 10_000
ROUNDS = 5
ROWS = 10_000
PIXELS = (4608, 3456)  # sixteen megapixels of a telephone
PHOTO_LEAST = 12_000_000
SEED = 20261126


def run(base: Path, size: measure.Size) -> None:
    """Prints a table."""
    rounds = size.rounds or ROUNDS
    chance = random.Random(SEED)
    node = town.found(base, "desk")
    shops = town.open_shops(node, SHOPS)
    town.publish(node, shops, town.wares_of(chance, LISTINGS))
    node.run("shop", "add", "fleurs", "--name", "Fleurs", "--commune", "Pessac")
    photo, rows = _photo(chance), _rows(chance)
    alone: list[float] = []
    beside: list[float] = []
    public, looked = [], []
    node.serve()
    try:
        claire = signed_in(node, "claire@example.fr", "--role", "merchant", "--shop", "fleurs")
        with resident.searching(node.url, alone):
            time.sleep(5)
        with resident.searching(node.url, beside):
            for number in range(rounds):
                public.append(_publish(claire, f"Rosier {number}", photo))
            for _ in range(rounds):
                looked.append(_look(claire, rows))
        assert node.process is not None
        most = measure.memory(node.process.pid, "VmHWM")
    finally:
        node.stop()
    measure.table(
        f"a shop's heavy moments on a node of {LISTINGS:,} listings, s "
        "(wanted: photo public in 1.5, file looked at in 5)",
        ("", "min", "median", "max"),
        [
            (f"photo of {len(photo) / 1e6:.1f} MB: sent, published, its page and it read back",
             *measure.spread(public, ".2f")),
            (f"file of {ROWS:,} rows: sent until its first screen is there",
             *measure.spread(looked, ".2f")),
        ],
    )  # fmt: skip
    measure.table(
        f"searches meanwhile, one each {resident.EVERY * 1000:.0f} ms, ms (wanted: p95 under 50); "
        f"memory of the node at most {most:.0f} MiB (wanted: under 300)",
        ("", "number", "p50", "p95", "max"),
        [
            (name, f"{len(taken)}", *(f"{measure.percentile(taken, part):.1f}"
                                      for part in (50, 95, 100)))
            for name, taken in (("nobody at the desk", alone), ("photos and files", beside))
        ],
    )  # fmt: skip


def _photo(chance: random.Random) -> bytes:
    """A JPEG that is mostly noise, so that nothing in it is easy."""
    noise = Image.frombytes("L", PIXELS, chance.randbytes(PIXELS[0] * PIXELS[1]))
    smooth = Image.effect_mandelbrot(PIXELS, (-2.0, -1.2, 1.0, 1.2), 60)
    picture = Image.merge("RGB", (Image.blend(smooth, noise, 0.5), smooth, noise))
    for quality in range(60, 96, 3):
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=quality, subsampling=0)
        if out.tell() >= PHOTO_LEAST:
            return out.getvalue()
    raise AssertionError("no photo of that weight")


def _rows(chance: random.Random) -> bytes:
    lines = ["Référence;Désignation;Prix TTC;Qté;Rayon;Description"]
    lines += [
        f"R{number};{' '.join(chance.choices(town.WORDS, k=3))} {number};"
        f"{chance.randrange(1, 90)},50;{number % 40};Fleurs coupées;"
        f"{' '.join(chance.choices(town.WORDS, k=12))}"
        for number in range(ROWS)
    ]
    return "\r\n".join(lines).encode("cp1252")


def _publish(claire: Browser, name: str, photo: bytes) -> float:
    path = "/ma-boutique/fleurs/ajouter"
    form = hidden(claire.get(path).text, "form")
    data = {"form": form, "name": name, "price": "12"}
    begun = time.perf_counter()
    files = {"photo": ("rosier.jpg", photo, "image/jpeg")}
    answer = claire.post(path, data=data, files=files)
    assert answer.status_code == 303, answer.text
    listing = answer.headers["location"].partition("/produits/")[2][:8]
    page = claire.get(f"/@fleurs/x-{listing}")
    shown = re.search(r'src="(/[^"]+\.(?:webp|jpe?g))"', page.text)
    assert shown is not None, page.text
    assert claire.get(shown[1]).status_code == 200
    return time.perf_counter() - begun


def _look(claire: Browser, rows: bytes) -> float:
    begun = time.perf_counter()
    files = {"file": ("stock.csv", rows, "text/csv")}
    answer = claire.post("/ma-boutique/fleurs/importer", files=files)
    assert 'name="begin"' in answer.text, answer.text
    return time.perf_counter() - begun
