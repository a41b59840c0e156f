"""The demonstration: what it sells can be published, and three real towns come up twice."""

import json
import os
import signal
import socket
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import httpx2

from node import catalogue, prices, shops
from node.demo import content
from node.model import Place
from tests import neighbours

PLACE = Place("FR-33063", "33063", "Bordeaux", "33", "Gironde", 44.8, -0.6, 1)


def test_what_the_towns_sell_can_be_published() -> None:
    towns = content.plans(lambda: str(uuid.uuid4()))
    shelves = [shelf for town in towns for shelf in town.shelves]
    wares = [ware for shelf in shelves for ware in shelf.wares]
    assert (len(towns), len(shelves), len(wares)) == (3, 30, 150)
    assert len({shelf.table["handle"] for shelf in shelves}) == 30
    assert len({shelf.table["phone"] for shelf in shelves}) == 30
    for shelf in shelves:
        shops.check(shelf.draft(PLACE))
        assert shelf.table["phone"].startswith("05 36 49 ")
    for ware in wares:
        catalogue.check(ware.draft)
        assert ware.draft.description
        assert ware.picture is None or content.PICTURES.joinpath(f"{ware.picture}.webp").is_file()
    assert sum(len(ware.draft.offers) > 1 for ware in wares) > 25
    assert sum(offer.stock == 0 for ware in wares for offer in ware.draft.offers) > 5
    (honey,) = [ware for ware in wares if ware.draft.name == "Miel d’acacia de Gironde"]
    units = [prices.unit_price(offer) for offer in honey.draft.offers]
    assert [unit.cents for unit in units if unit] == [2760, 2500, 2200]


def test_its_pictures_are_small() -> None:
    files = list(content.PICTURES.iterdir())
    assert sum(len(file.read_bytes()) for file in files) < 1_500_000


def start(folder: Path, port: int) -> tuple["subprocess.Popen[str]", dict[str, Any]]:
    process = subprocess.Popen(
        [
            sys.executable, "-m", "node", "demo", str(folder),
            "--port", str(port), "--shops", "2", "--json",
        ],
        cwd=neighbours.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(neighbours.ROOT)},
    )  # fmt: skip
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())


def end(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=neighbours.PATIENCE)
    assert (process.returncode, errors) == (0, "")


def test_three_towns_come_up_agree_and_end(tmp_path: Path) -> None:
    port = neighbours.free_ports(3)[0]
    process, told = start(tmp_path / "demo", port)
    bordeaux, _, pessac = told["towns"]
    found = httpx2.get(
        f"{pessac['url']}/api/v1/search",
        params={"q": "miel d’acacia", "near": "33318"},
        timeout=neighbours.PATIENCE,
    ).json()
    names = [hit["name"] for ring in found["rings"] for hit in ring["results"]]
    assert "Miel d’acacia de Gironde" in names
    for town in told["towns"]:
        for link in (town["steward_link"], town["merchant_link"]):
            assert link.startswith(town["url"])
            assert httpx2.get(link, timeout=neighbours.PATIENCE).status_code == 200
    listing = httpx2.get(
        f"{bordeaux['url']}/api/v1/search",
        params={"q": "acacia", "near": "33063"},
        timeout=neighbours.PATIENCE,
    ).json()["rings"][0]["results"][0]
    note = httpx2.get(
        listing["uri"], headers={"Accept": "application/activity+json"}, timeout=neighbours.PATIENCE
    ).json()
    assert (
        httpx2.get(note["attachment"][0]["url"], timeout=neighbours.PATIENCE).headers[
            "content-type"
        ]
        == "image/jpeg"
    )
    agenda = httpx2.get(f"{pessac['url']}/agenda", timeout=neighbours.PATIENCE).text
    assert "Marché du samedi" in agenda  # its own, its neighbours', and what does not take place
    assert "Vide-grenier d’Arlac" in agenda
    assert "Annulé" in agenda
    assert "Coupure d’eau" in httpx2.get(pessac["url"], timeout=neighbours.PATIENCE).text
    end(process)
    for number in range(3):  # nobody is left
        socket.create_server(("127.0.0.1", port + number)).close()
    before = (tmp_path / "demo" / str(port) / "bordeaux" / "node.key").read_bytes()
    process, _ = start(tmp_path / "demo", port)
    end(process)
    assert (tmp_path / "demo" / str(port) / "bordeaux" / "node.key").read_bytes() == before


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = neighbours.echoppe("demo", str(tmp_path / "demo"), "--port", port, status=1)
    assert port in refused.stderr
    assert not (tmp_path / "demo").exists()
