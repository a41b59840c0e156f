"""A folder becomes a node, or nothing happens at all."""

import dataclasses
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from node import accounts, errors, founding, keyring, settings, upkeep
from node.exchange import keys
from node.model import ActorKind, Role
from node.store import accounts as account_rows
from node.store import actors, database, migrations, places
from node.store import node as node_row
from node.uris import RESERVED_HANDLES, Uris, is_handle

CHARTER = founding.Charter(
    url="https://boutiques.pessac.example",
    name='Boutiques "de" Pessac \\ été',
    communes=("Pessac", "33281"),
    operator="association",
    contact="mairie@pessac.example",
    listen="127.0.0.1:8123",
    private_peers=(),
)


@pytest.fixture(scope="module")
def gazetteer() -> Iterator[sqlite3.Connection]:
    with closing(places.open_places()) as opened:
        yield opened


@pytest.fixture(scope="module")
def founded(
    gazetteer: sqlite3.Connection, tmp_path_factory: pytest.TempPathFactory
) -> founding.Founded:
    folder = tmp_path_factory.mktemp("srv") / "deep" / "boutiques"
    return founding.found(folder, CHARTER, gazetteer)


def test_what_was_said_is_in_the_settings(founded: founding.Founded) -> None:
    read = settings.load(founded.folder)
    assert dataclasses.asdict(read.node) == {
        "url": CHARTER.url,
        "name": CHARTER.name,
        "communes": ("FR-33318", "FR-33281"),
        "operator": "association",
        "languages": ("fr", "en"),
        "contact": "mairie@pessac.example",
        "colour": "#0f4c40",
        "opening": "request",
    }
    assert read.server.listen == "127.0.0.1:8123"


def test_the_node_has_two_actors_whose_keys_open(founded: founding.Founded) -> None:
    signers = keys.Signers(keyring.load(founded.folder), Uris(CHARTER.url))
    with database.reading(founded.folder) as db:
        assert (node_row.origin(db), node_row.commune_handle(db)) == (CHARTER.url, "pessac")
        for handle, kind in (("instance", ActorKind.NODE), ("pessac", ActorKind.COMMUNE)):
            actor = actors.get(db, handle)
            assert actor is not None
            assert actor.kind is kind
            signers.requests(db, handle)
            signers.objects(db, handle)


def test_it_can_be_served_at_once(founded: founding.Founded) -> None:
    upkeep.prepare(founded.folder, settings.load(founded.folder), lambda: datetime.now(UTC))
    with database.reading(founded.folder) as db:
        assert migrations.check(db) == []


def test_the_link_lets_the_first_steward_in(founded: founding.Founded) -> None:
    assert founded.steward_link.startswith(f"{CHARTER.url}/connexion/")
    token = founded.steward_link.rpartition("/")[2]
    now = datetime.now(UTC)
    with database.transaction(founded.folder) as db:
        account = accounts.sign_in(db, token, "session", now)
        (grant,) = account_rows.find_grants(db, account.id, now + timedelta(days=9999))
    assert (account.email, grant.role, grant.territory) == (None, Role.STEWARD, "FR-33318")


def test_nobody_else_can_look_into_the_folder(founded: founding.Founded) -> None:
    assert founded.folder.stat().st_mode & 0o777 == 0o700
    for name in ("instance.toml", "node.db", "node.key"):
        assert (founded.folder / name).stat().st_mode & 0o777 == 0o600, name


def test_nothing_is_left_beside_it(founded: founding.Founded) -> None:
    assert list(founded.folder.parent.iterdir()) == [founded.folder]


def refused(folder: Path, gazetteer: sqlite3.Connection, **changed: Any) -> errors.NodeError:
    with pytest.raises(errors.NodeError) as caught:
        founding.found(folder, dataclasses.replace(CHARTER, **changed), gazetteer)
    return caught.value


@pytest.mark.parametrize("name", ["instance.toml", ".hidden", "sub/file"])
def test_a_folder_that_is_not_empty_is_refused_and_left_alone(
    tmp_path: Path, gazetteer: sqlite3.Connection, name: str
) -> None:
    path = tmp_path / "node" / name
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    assert refused(tmp_path / "node", gazetteer).code == "folder-not-empty"
    assert path.read_text() == "mine"
    assert [one.name for one in tmp_path.iterdir()] == ["node"]


def test_a_file_is_refused(tmp_path: Path, gazetteer: sqlite3.Connection) -> None:
    (tmp_path / "node").write_text("mine")
    assert refused(tmp_path / "node", gazetteer).code == "folder-not-empty"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"communes": ("Nulleparville",)}, "unknown-place"),
        ({"communes": ("Pessac", "Nulleparville")}, "unknown-place"),
        ({"communes": ("Saint-Denis",)}, "ambiguous-place"),
        ({"url": "http://boutiques.pessac.example"}, "bad-setting"),
        ({"url": "https://boutiques.pessac.example/"}, "bad-setting"),
        ({"name": ""}, "bad-setting"),
        ({"listen": "8000"}, "bad-setting"),
        ({"private_peers": ("x",)}, "bad-setting"),
        ({"operator": "me"}, "bad-setting"),
        ({"communes": ()}, "bad-setting"),
    ],
)
def test_a_charter_that_cannot_be_used_leaves_no_folder(
    tmp_path: Path, gazetteer: sqlite3.Connection, changed: dict[str, Any], code: str
) -> None:
    folder = tmp_path / "deep" / "node"
    try:
        assert refused(folder, gazetteer, **changed).code == code
    finally:
        assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_is_taken(tmp_path: Path, gazetteer: sqlite3.Connection) -> None:
    (tmp_path / "node").mkdir(mode=0o755)
    founded = founding.found(tmp_path / "node", CHARTER, gazetteer)
    assert founded.folder.stat().st_mode & 0o777 == 0o700
    assert settings.load(founded.folder).node.url == CHARTER.url


@pytest.mark.parametrize(
    ("insee", "handle"),
    [
        ("33449", "saint_medard_en_jalles"),
        ("33063", "bordeaux"),
        ("94038", "l_hay_les_roses"),
        ("80829", "y"),
        ("59183", "dunkerque"),
        ("75111", "paris_11e_arrondissement"),
    ],
)
def test_the_handle_of_a_commune(gazetteer: sqlite3.Connection, insee: str, handle: str) -> None:
    place = places.by_insee(gazetteer, insee)
    assert place is not None
    assert founding.commune_handle(place) == handle


def test_every_commune_of_france_has_a_handle_that_can_be_used(
    gazetteer: sqlite3.Connection,
) -> None:
    ids = [row[0] for row in gazetteer.execute("SELECT id FROM places")]
    assert len(ids) > 30_000
    unusable = []
    for place_id in ids:
        place = places.get(gazetteer, place_id)
        if place is not None:
            handle = founding.commune_handle(place)
            if not is_handle(handle) or handle in RESERVED_HANDLES:
                unusable.append((place.name, handle))
    assert unusable == []
