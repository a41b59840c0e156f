"""The first pages, as a browser without script would use them."""

import re
from collections.abc import Iterator

import httpx2
import pytest

from tests import neighbours
from tests.neighbours import Town

ACTIVITY = "application/activity+json"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Bordeaux, serving, with a shop."""
    (town,) = neighbours.found(["Bordeaux"], tmp_path_factory.mktemp("pages"))
    with neighbours.serving([town]):
        town.run(
            "shop", "add", "ruche", "--name", "La Ruche & <Cie>", "--commune", "Bordeaux",
            "--phone", "05 56 00 00 00",
        )  # fmt: skip
        yield town


@pytest.fixture(scope="module")
def listing(town: Town) -> dict[str, str]:
    answer: dict[str, str] = town.run(
        "listing", "add", "ruche", "--name", "Œufs <frais>", "--price", "2,40",
        "--description", "<script>alert(1)</script>",
    )  # fmt: skip
    return answer


def path(url: str) -> str:
    return "/" + url.split("/", 3)[3]


def test_a_resident_reaches_the_shop_and_its_telephone(town: Town, listing: dict[str, str]) -> None:
    home = town.get("/")
    assert '<html lang="fr">' in home.text
    assert 'href="/boutiques"' in home.text
    assert 'href="/@ruche"' in town.get("/boutiques").text
    shop = town.get("/@ruche")
    assert "La Ruche &amp; &lt;Cie&gt;" in shop.text
    assert 'href="tel:0556000000"' in shop.text
    assert f'href="{path(listing["url"])}"' in shop.text
    page = town.get(path(listing["url"]))
    assert page.status_code == 200
    assert "Œufs &lt;frais&gt;" in page.text
    assert "2,40\u202f€" in page.text
    assert "<script>" not in page.text


def test_pages_set_no_cookie_and_load_from_one_host(town: Town, listing: dict[str, str]) -> None:
    for address in ("/", "/@ruche", path(listing["url"]), "/nowhere"):
        answer = town.get(address)
        assert "set-cookie" not in answer.headers
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["referrer-policy"] == "same-origin"
        for loaded in re.findall(r'(?:src|href)="([^"]*)"', answer.text):
            assert loaded.startswith(("/", "#", "tel:", town.url)), loaded


def test_a_changed_name_redirects_the_old_address(town: Town, listing: dict[str, str]) -> None:
    old = re.sub(r"/[^/]*-([0-9a-f]{8})$", r"/ancien-nom-\1", path(listing["url"]))
    answer = town.get(old)
    assert answer.status_code == 301
    assert answer.headers["location"] == listing["url"]
    assert town.get("/@ruche/oeufs-00000000").status_code == 404
    assert town.get("/@ruche/oeufs").status_code == 404


def test_one_address_two_forms(town: Town, listing: dict[str, str]) -> None:
    """Content negotiation: people get the page, servers the object, and caches can tell."""
    page = town.get(path(listing["url"]), headers={"Accept": ACTIVITY})
    assert (page.status_code, page.headers["location"]) == (303, listing["uri"])
    note = town.get(path(listing["uri"]), headers={"Accept": "text/html,*/*;q=0.8"})
    assert (note.status_code, note.headers["location"]) == (303, listing["url"])
    profiled = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
    for accept in (ACTIVITY, profiled, "*/*"):
        found = town.get(path(listing["uri"]), headers={"Accept": accept})
        assert found.headers["content-type"] == ACTIVITY
        assert "Accept" in found.headers["vary"]
        assert found.json()["id"] == listing["uri"]
    assert town.get("/users/ruche", headers={"Accept": ACTIVITY}).json()["type"] == "Organization"


def test_a_withdrawn_listing_says_so(town: Town) -> None:
    gone = town.run("listing", "add", "ruche", "--name", "Bougie", "--price", "5")
    town.run("listing", "withdraw", gone["id"])
    answer = town.get(path(gone["url"]))
    assert answer.status_code == 410
    assert "n’est plus proposé" in answer.text


def test_discovery_from_a_handle(town: Town) -> None:
    found = town.get("/.well-known/webfinger", params={"resource": f"acct:ruche@{town.authority}"})
    assert found.headers["content-type"].startswith("application/jrd+json")
    links = {link["rel"]: link for link in found.json()["links"]}
    assert links["self"]["href"] == f"{town.url}/users/ruche"
    assert found.json()["subject"] == f"acct:ruche@{town.authority}"
    for resource in (f"acct:personne@{town.authority}", "acct:ruche@ailleurs.example", "x" * 5000):
        answer = town.get("/.well-known/webfinger", params={"resource": resource})
        assert 400 <= answer.status_code < 500
    by_url = town.get("/.well-known/webfinger", params={"resource": f"{town.url}/@ruche"})
    assert by_url.json()["subject"] == found.json()["subject"]
    assert "lrdd" in town.get("/.well-known/host-meta").text
    info = town.get("/nodeinfo/2.1").json()
    assert info["software"]["name"] == "echoppe"
    links = {
        link["rel"]: link["href"] for link in town.get("/.well-known/nodeinfo").json()["links"]
    }
    application = links["https://www.w3.org/ns/activitystreams#Application"]
    assert application == f"{town.url}/users/instance"


def test_followers_are_counted_and_not_named(town: Town) -> None:
    collection = town.get("/users/ruche/followers").json()
    assert collection["totalItems"] == 0
    assert not {"items", "orderedItems", "first"} & collection.keys()


def test_the_outbox_pages_without_repetition(town: Town) -> None:
    town.run("shop", "add", "pages", "--name", "Pages", "--commune", "Bordeaux")
    for number in range(23):
        town.run("listing", "add", "pages", "--name", f"Cahier {number}", "--price", "3")
    outbox = town.get("/users/pages/outbox").json()
    assert outbox["totalItems"] == 23
    seen: list[str] = []
    following = outbox["first"]
    while following:
        page = town.get(path(following)).json()
        seen += [item["object"]["id"] for item in page["orderedItems"]]
        following = page.get("next")
    assert len(seen) == len(set(seen)) == 23


def test_signing_in_by_a_link_that_holds_once(town: Town) -> None:
    invited = town.run(
        "account", "invite", "Claire@Example.fr", "--role", "merchant", "--shop", "ruche"
    )
    assert invited["email"] == "claire@example.fr"
    link = path(invited["link"])
    origin = {"Origin": town.url, "Sec-Fetch-Site": "same-origin"}
    with httpx2.Client(base_url=town.url, timeout=neighbours.PATIENCE) as browser:
        # Mail programs open links: that must not use it up.
        assert "claire@example.fr" in browser.get(link).text
        assert "claire@example.fr" in browser.get(link).text
        foreign = browser.post(link, headers={"Sec-Fetch-Site": "cross-site"})
        assert foreign.status_code == 403
        assert browser.post(link).status_code == 403
        signed_in = browser.post(link, headers=origin)
        assert (signed_in.status_code, signed_in.headers["location"]) == (303, "/compte")
        cookie = signed_in.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        account = browser.get("/compte", follow_redirects=True)
        assert "La Ruche &amp; &lt;Cie&gt;" in account.text
        assert account.headers["cache-control"] == "no-store"
        assert browser.post(link, headers=origin).status_code == 404
        kept = dict(browser.cookies)
        assert browser.post("/compte", headers=origin).status_code == 303
    # The old cookie is dead on the server's side too.
    with httpx2.Client(base_url=town.url, cookies=kept, timeout=neighbours.PATIENCE) as replay:
        assert replay.get("/compte").status_code == 401


def test_a_new_link_ends_the_old_one(town: Town) -> None:
    first = town.run("account", "invite", "paul@example.fr", "--role", "steward")
    second = town.run("account", "invite", "paul@example.fr", "--role", "steward")
    assert town.get(path(first["link"])).status_code == 404
    assert town.get(path(second["link"])).status_code == 200


def test_supervisors_are_answered_under_any_name(town: Town) -> None:
    for address in ("/livez", "/readyz"):
        assert town.get(address, headers={"Host": "anything"}).status_code == 200
    assert town.get("/", headers={"Host": "evil.example"}).status_code == 421


def test_nothing_private_is_served(town: Town) -> None:
    for address in (
        "/node.db",
        "/static/..%2fapi.py",
        "/static/api.py",
        "/.git/config",
    ):
        assert town.get(address).status_code == 404
    # Numbers are for this very machine: nobody gets them by way of a proxy.
    for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"):
        assert town.get("/metrics", headers={header: "203.0.113.9"}).status_code == 404


def test_the_log_has_no_query_and_no_address(town: Town) -> None:
    town.get("/api/v1/search", params={"q": "secretdemande"})
    assert "secretdemande" not in town.log()
    assert "GET" not in town.log()


@pytest.mark.parametrize("digits", ["9" * 30, "9" * 5000])
def test_a_number_too_large_to_be_one_is_no_fault(town: Town, digits: str) -> None:
    for at in ("/sitemap-{}.xml", "/users/ruche/update/{}", "/gestion/installation/{}"):
        assert town.get(at.format(digits)).status_code == 404
