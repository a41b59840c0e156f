"""What a machine that watches sees of a node, and what its log says of people: nothing."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests import neighbours
from tests.neighbours import Town

CANARY = "motcanari"
VISITOR = "203.0.113.77"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    found = neighbours.found(["Bordeaux"], tmp_path_factory.mktemp("watching"))[0]
    with neighbours.serving([found]):
        found.run("shop", "add", "ruche", "--name", "La Ruche", "--commune", "Bordeaux")
        found.run("listing", "add", "ruche", "--name", "Miel", "--price", "3")
        yield found


def test_metrics_are_numbers_and_nobodys_name(town: Town) -> None:
    answer = town.get("/metrics")
    assert answer.status_code == 200
    assert 'echoppe_listings{kind="own"} 1\n' in answer.text
    assert 'echoppe_shops{kind="own"} 1\n' in answer.text
    assert "echoppe_quiet 0\n" in answer.text
    assert "ruche" not in answer.text.lower()
    for line in answer.text.splitlines():
        if not line.startswith("#"):
            assert float(line.rpartition(" ")[2]) >= 0, line


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": VISITOR},
        {"X-Forwarded-For": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"Via": "1.1 Caddy"},
        {"Host": "boutiques.bordeaux.example"},
        {"Host": "127.0.0.1.evil.example:80"},
    ],
)
def test_metrics_are_not_there_for_who_comes_through_a_proxy(
    town: Town, headers: dict[str, str]
) -> None:
    answer = town.get("/metrics", headers=headers)
    assert answer.status_code == 404
    assert "echoppe_" not in answer.text


def test_the_log_has_one_line_for_each_event_and_no_visitor(town: Town) -> None:
    told = {
        "X-Forwarded-For": VISITOR,
        "User-Agent": f"{CANARY} agent\x1b[31m",
        "Referer": f"https://{CANARY}.example/",
        "Cookie": f"a={CANARY}",
    }
    for path in (
        f"/recherche?q={CANARY}&ou=33063",
        f"/api/v1/search?q={CANARY}&near=33063",
        f"/api/v1/search?q={CANARY}&near=%00{CANARY}",
        f"/@{CANARY}",
        f"/users/{CANARY}",
        f"/{CANARY}%0a{CANARY}",
        f"/.well-known/webfinger?resource=acct:{CANARY}@x.example",
    ):
        assert town.get(path, headers=told).status_code < 500
    for path in ("/connexion", "/inbox", f"/users/{CANARY}/inbox", f"/{CANARY}"):
        answer = httpx2.post(
            f"{town.url}{path}",
            data={"email": f"{CANARY}@example.fr"},
            headers=told,
            timeout=neighbours.PATIENCE,
        )
        assert answer.status_code < 500
    signed = f'keyId="https://{CANARY}.example/users/{CANARY}#k",signature="AA=="'
    httpx2.post(
        f"{town.url}/inbox",
        content=b"{}",
        headers={**told, "Signature": signed},
        timeout=neighbours.PATIENCE,
    )
    written = town.log()
    for line in written.splitlines():
        assert set(json.loads(line)) >= {"at", "level", "from", "event"}
    for word in (CANARY, VISITOR, "127.0.0.1:"):
        assert word not in written.replace(town.authority, "")
    found = [path for path in Path(town.folder).rglob("*") if path.is_file()]
    assert found
    assert not [path for path in found if VISITOR.encode() in path.read_bytes()]


def test_readiness_says_what_is_wrong(town: Town) -> None:
    assert town.get("/livez").text == "ok\n"
    assert town.get("/readyz").json() == {"problems": []}
