"""What an operator gets wrong: a clear sentence, status 1, and nothing half done."""

import http.server
import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import neighbours
from tests.neighbours import Town, echoppe


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    """Bordeaux, not serving, which may dial two more ports of the loopback."""
    return neighbours.found(["Bordeaux", "Pessac", "Talence"], tmp_path_factory.mktemp("bad"))[0]


def allowed_ports(town: Town) -> list[int]:
    text = (town.folder / "instance.toml").read_text()
    line = next(line for line in text.splitlines() if line.startswith("private_peers"))
    return [int(peer.split(":")[1]) for peer in json.loads(line.split(" = ")[1])]


@pytest.mark.parametrize(
    ("price", "sentence"),
    [
        ("12,5O", "must be a number such as 12.50"),
        ("-3", "must be a number such as 12.50"),
        ("0", "more than 0"),
        ("1e3", "must be a number such as 12.50"),
        ("12.505", "must be a number such as 12.50"),
    ],
)
def test_a_price_that_is_none(town: Town, price: str, sentence: str) -> None:
    if not town.run("shop", "list"):
        town.run("shop", "add", "ruche", "--name", "La Ruche", "--commune", "Bordeaux")
    refused = town.run("listing", "add", "ruche", "--name", "Miel", f"--price={price}", status=1)
    assert sentence in refused
    assert refused.count("\n") == 1
    assert town.run("listing", "list") == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("shop", "add", "Fleurs!", "--name", "F", "--commune", "Bordeaux"), "cannot be a handle"),
        (("shop", "add", "mairie", "--name", "F", "--commune", "Bordeaux"), "keeps for itself"),
        (("shop", "add", "f", "--name", "F", "--commune", "Bordeau"), "Bordeaux"),
        (("shop", "add", "f", "--name", "F", "--commune", "51300"), "Vitry-le-François"),
        (("shop", "add", "f", "--name", "F", "--commune", "33063", "--lat", "44"), "go together"),
        (("shop", "close", "personne"), "no shop 'personne'"),
        (("listing", "add", "personne", "--name", "X", "--price", "1"), "no shop 'personne'"),
        (("listing", "withdraw", "nope"), "no listing nope"),
        (("account", "invite", "a b@c", "--role", "steward"), "not a mail address"),
        (("account", "invite", "a@b.fr", "--role", "merchant"), "needs --shop"),
        (("neighbour", "accept", "nowhere.example"), "no neighbour"),
        (("neighbour", "add", "ftp://x.example"), "https://"),
        (("neighbour", "add", "https://127.0.0.1:1"), "does not answer as an Échoppe node"),
        (("search", "miel", "--near", "Atlantis"), "Atlantis"),
    ],
)
def test_refused_in_one_sentence(town: Town, arguments: tuple[str, ...], sentence: str) -> None:
    refused = town.run(*arguments, status=1)
    assert refused.startswith("echoppe: ")
    assert sentence in refused
    assert "Traceback" not in refused


class _Elsewhere(http.server.BaseHTTPRequestHandler):
    """A server of another kind: its NodeInfo says so."""

    def do_GET(self) -> None:
        origin = f"http://{self.headers['Host']}"
        documents = {
            "/.well-known/nodeinfo": {
                "links": [
                    {
                        "rel": "http://nodeinfo.diaspora.software/ns/schema/2.1",
                        "href": f"{origin}/nodeinfo/2.1",
                    }
                ]
            },
            "/nodeinfo/2.1": {
                "version": "2.1",
                "software": {"name": "mastodon", "version": "4.7.0"},
                "protocols": ["activitypub"],
                "services": {"inbound": [], "outbound": []},
                "openRegistrations": False,
                "usage": {"users": {}},
                "metadata": {},
            },
        }
        found = documents.get(self.path)
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(found).encode())

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def elsewhere(town: Town) -> Iterator[str]:
    port = allowed_ports(town)[0]
    with http.server.HTTPServer(("127.0.0.1", port), _Elsewhere) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{port}"
        server.shutdown()
        thread.join()


def test_a_server_of_another_kind_is_no_neighbour(town: Town, elsewhere: str) -> None:
    refused = town.run("neighbour", "add", elsewhere, status=1)
    assert "is a mastodon, not an Échoppe node" in refused
    assert town.run("neighbour", "list") == []


def test_nobody_there(town: Town) -> None:
    port = allowed_ports(town)[1]
    refused = town.run("neighbour", "add", f"http://127.0.0.1:{port}", status=1)
    assert "does not answer as an Échoppe node" in refused
    assert town.run("neighbour", "list") == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("listen =", "listn ="), "Did you mean `listen`?"),
        (("[node]", "[noed]"), "Did you mean `node`?"),
        (('name = "', "name = "), "not valid TOML"),
        (('operator = "commune"', 'operator = "comune"'), "Did you mean 'commune'?"),
        (("FR-33063", "33063"), "place ids such as FR-33063"),
    ],
)
def test_settings_that_cannot_be_used(
    town: Town, tmp_path: Path, change: tuple[str, str], sentence: str
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(town.folder, folder)
    settings = folder / "instance.toml"
    text = settings.read_text()
    assert change[0] in text
    settings.write_text(text.replace(*change))
    refused = echoppe("serve", folder=folder, status=1)
    assert sentence in refused.stderr
    assert refused.stdout == ""


def test_another_address_or_key_is_noticed_at_start(town: Town, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(town.folder, folder)
    settings = folder / "instance.toml"
    settings.write_text(settings.read_text().replace(town.url, "http://127.0.0.1:9"))
    assert "cannot be changed" in echoppe("serve", folder=folder, status=1).stderr
    shutil.copy(town.folder / "instance.toml", settings)
    (folder / "node.key").chmod(0o644)
    assert "chmod 600" in echoppe("serve", folder=folder, status=1).stderr
    (folder / "node.key").chmod(0o600)
    (folder / "node.key").write_bytes(b"x" * 32)
    assert "does not fit this database" in echoppe("serve", folder=folder, status=1).stderr
    (folder / "node.key").unlink()
    assert "node.key cannot be read" in echoppe("serve", folder=folder, status=1).stderr


def test_a_folder_that_is_no_node_or_no_longer_empty(town: Town, tmp_path: Path) -> None:
    assert "holds no node" in echoppe("serve", folder=tmp_path, status=1).stderr
    again = echoppe(
        "init", str(town.folder), "--url", "https://a.example", "--name", "A",
        "--commune", "Bordeaux", status=1,
    )  # fmt: skip
    assert "not an empty folder" in again.stderr


def test_a_refused_founding_leaves_nothing(tmp_path: Path) -> None:
    for commune, url in (("Atlantis", "https://a.example"), ("Bordeaux", "http://a.example")):
        echoppe(
            "init", str(tmp_path / "new"), "--url", url, "--name", "A", "--commune", commune,
            status=1,
        )  # fmt: skip
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken(town: Town) -> None:
    import socket

    with socket.create_server(("127.0.0.1", town.port)):
        refused = echoppe("serve", folder=town.folder, status=1)
    assert "cannot listen on" in refused.stderr
