"""A merchant's and a steward's forms, posted as a browser without script posts them."""

import io
import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from PIL import Image

from node.model import Listing
from node.store import database, listings
from tests import neighbours
from tests.neighbours import Town


def jpeg(width: int = 640, height: int = 480, colour: str = "red") -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(written, "JPEG")
    return written.getvalue()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Bordeaux, serving, with two shops."""
    (town,) = neighbours.found(["Bordeaux"], tmp_path_factory.mktemp("forms"))
    with neighbours.serving([town]):
        town.run("shop", "add", "ruche", "--name", "La Ruche", "--commune", "Bordeaux")
        town.run("shop", "add", "pains", "--name", "Aux Pains", "--commune", "Bordeaux")
        yield town


class Browser:
    """What a browser does: cookies, redirects, and where a form comes from."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.cookies = httpx2.Cookies()

    def _ask(self, method: str, path: str, **options: Any) -> httpx2.Response:
        with httpx2.Client(
            base_url=self.town.url,
            timeout=neighbours.PATIENCE,
            cookies=self.cookies,
            follow_redirects=method == "GET",
        ) as client:
            answer = client.request(method, path, **options)
            self.cookies = client.cookies
            return answer

    def get(self, path: str) -> httpx2.Response:
        return self._ask("GET", path)

    def post(self, path: str, *, own: bool = True, **options: Any) -> httpx2.Response:
        headers = {"Sec-Fetch-Site": "same-origin" if own else "cross-site"}
        return self._ask("POST", path, headers=headers, **options)

    def follow(self, path: str, **options: Any) -> httpx2.Response:
        answer = self.post(path, **options)
        assert answer.status_code == 303, answer.text
        return self.get(answer.headers["location"])


def signed_in(town: Town, email: str, *grant: str) -> Browser:
    invited = town.run("account", "invite", email, *grant)
    browser = Browser(town)
    answer = browser.post("/connexion", data={"email": email, "code": invited["code"]})
    assert answer.status_code == 303, answer.text
    return browser


@pytest.fixture(scope="module")
def claire(town: Town) -> Browser:
    return signed_in(town, "claire@example.fr", "--role", "merchant", "--shop", "ruche")


@pytest.fixture(scope="module")
def steward(town: Town) -> Browser:
    return signed_in(town, "nadia@example.fr", "--role", "steward")


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, page
    return found[1]


ADD = "/ma-boutique/ruche/ajouter"


def add(browser: Browser, name: str, price: str = "8,90", **more: Any) -> httpx2.Response:
    page = browser.get(ADD).text
    data = {"form": hidden(page, "form"), "name": name, "price": price, **more.pop("data", {})}
    files = more.pop("files", {"photo": ("", b"", "application/octet-stream")})
    return browser.post(ADD, data=data, files=files, **more)


# --- signing in ----------------------------------------------------------------------------------


def test_a_code_lets_in_once(town: Town) -> None:
    invited = town.run("account", "invite", "odile@example.fr", "--role", "steward")
    code = f"{invited['code'][:3]} {invited['code'][3:]}"
    browser = Browser(town)
    assert "six chiffres" in browser.get("/connexion").text
    data = {"email": " Odile@Example.fr ", "code": code}
    assert browser.post("/connexion", data=data, own=False).status_code == 403
    answer = browser.post("/connexion", data=data)
    assert (answer.status_code, answer.headers["location"]) == (303, "/compte")
    assert Browser(town).post("/connexion", data=data).status_code == 422
    # The link that was given with it has ended with it.
    assert Browser(town).get(f"/connexion/{invited['link'].rsplit('/', 1)[1]}").status_code == 404


def test_whatever_does_not_fit_is_answered_alike(town: Town) -> None:
    invited = town.run("account", "invite", "yann@example.fr", "--role", "steward")
    wrong = "000000" if invited["code"] != "000000" else "111111"
    answers = {
        Browser(town)
        .post("/connexion", data={"email": email, "code": code})
        .text.replace(email, "")
        for email, code in (
            ("yann@example.fr", wrong),
            ("nobody@example.fr", wrong),
            ("yann@example.fr", ""),
            ("nobody@example.fr", "no code at all"),
        )
    }
    assert len(answers) == 1


def test_after_five_wrong_codes_the_right_one_is_wrong(town: Town) -> None:
    invited = town.run("account", "invite", "marc@example.fr", "--role", "steward")
    wrong = "000000" if invited["code"] != "000000" else "111111"
    browser = Browser(town)
    for _ in range(5):
        browser.post("/connexion", data={"email": "marc@example.fr", "code": wrong})
    right = {"email": "marc@example.fr", "code": invited["code"]}
    assert browser.post("/connexion", data=right).status_code == 422


# --- a merchant's product ------------------------------------------------------------------------


def test_photo_name_price_published(town: Town, claire: Browser) -> None:
    assert "Bonjour, La Ruche" in claire.get("/compte").text
    answer = add(
        claire,
        "Miel de lavande",
        "12,50",
        files={"photo": ("x.jpg", jpeg(), "image/jpeg")},
        data={"no_allergens": "1", "origin": "France", "quantity": "500", "unit": "g"},
    )
    assert answer.status_code == 303, answer.text
    page = claire.get(answer.headers["location"]).text
    assert "Publié" in page
    (listing,) = [one for one in town.run("listing", "list", "ruche") if "Miel" in one["name"]]
    assert listing["price"]["amount"] == "12.50"
    (photo,) = listing["photos"]
    assert photo["alt"] == "Miel de lavande"
    for size in photo["sizes"]:
        for form, kind in (("webp", "image/webp"), ("jpeg", "image/jpeg")):
            found = httpx2.get(size[form], timeout=neighbours.PATIENCE)
            assert found.status_code == 200
            assert found.headers["content-type"] == kind
            assert "immutable" in found.headers["cache-control"]
    part = httpx2.get(
        photo["sizes"][0]["jpeg"], headers={"Range": "bytes=0-1"}, timeout=neighbours.PATIENCE
    )
    assert (part.status_code, part.content) == (206, b"\xff\xd8")
    # Residents see it: in a search, on its page, and where its address is shared.
    assert f"/media/{photo['id']}.320.webp" in town.get("/recherche?q=miel").text
    page = httpx2.get(listing["url"], timeout=neighbours.PATIENCE).text
    assert f'src="/media/{photo["id"]}.800.jpg" alt="Miel de lavande"' in page
    assert f'og:image" content="{town.url}/media/{photo["id"]}.1600.jpg' in page
    note = httpx2.get(
        listing["uri"], headers={"Accept": "application/activity+json"}, timeout=neighbours.PATIENCE
    ).json()
    (image,) = note["attachment"]
    assert image["type"] == "Image"
    assert image["mediaType"] == "image/jpeg"
    assert image["name"] == "Miel de lavande"
    assert httpx2.get(image["url"], timeout=neighbours.PATIENCE).status_code == 200


def test_what_changed_while_a_form_stood_open_stays(town: Town, claire: Browser) -> None:
    """A form shows three; two are reserved meanwhile; a word is mended and the form sent."""
    made = town.run(
        "listing", "add", "ruche", "--name", "Tisane", "--price", "6", "--stock", "3"
    )  # fmt: skip
    where = f"/ma-boutique/ruche/produits/{made['id']}"
    shown = re.search(r'name="shown" value="([^"]*)"', claire.get(where).text)
    assert shown is not None
    town.run("listing", "revise", made["id"], "--stock", "1", "--price", "7")
    fields = {"name": "Tisane", "shown": shown[1], "category": "", "alt": ""}
    none = {"photo": ("", b"", "image/jpeg")}
    mended = {**fields, "price": "6,00", "stock": "3", "description": "De tilleul"}
    assert "Enregistré" in claire.follow(where, data=mended, files=none).text
    now = held(town, made["id"])
    assert (now.offers[0].stock, now.offers[0].price_cents) == (1, 700)
    assert now.description == "De tilleul"
    # What was typed over counts.
    typed = {**mended, "price": "6,50", "stock": "9"}
    assert "Enregistré" in claire.follow(where, data=typed, files=none).text
    now = held(town, made["id"])
    assert (now.offers[0].stock, now.offers[0].price_cents) == (9, 650)
    # And offers that are others by now are not mixed up.
    another = {**mended, "shown": shown[1].replace(shown[1][:8], "00000000")}
    assert "autre fenêtre" in claire.post(where, data=another, files=none).text


def held(town: Town, listing: str) -> Listing:
    with database.reading(town.folder) as db:
        one = listings.get(db, listing)
    assert one is not None
    return one


def test_changed_sold_out_back_and_withdrawn(town: Town, claire: Browser) -> None:
    add(claire, "Savon", "4", files={"photo": ("x.jpg", jpeg(colour="lime"), "image/jpeg")})
    (listing,) = [one for one in town.run("listing", "list", "ruche") if one["name"] == "Savon"]
    where = f"/ma-boutique/ruche/produits/{listing['id']}"
    photo = listing["photos"][0]["sizes"][0]["jpeg"]
    changed = {
        "name": "Savon noir", "price": "4,50", "quantity": "250", "unit": "g", "stock": "2",
        "description": "Deux\r\nlignes", "category": "", "alt": "Un pain de savon",
    }  # fmt: skip
    page = claire.follow(where, data=changed, files={"photo": ("", b"", "image/jpeg")}).text
    assert "Enregistré" in page
    assert "Deux\nlignes" in page
    api = f"/api/v1/listings/{listing['id']}"
    now = town.get(api).json()
    assert (now["name"], now["unit_price"]) == ("Savon noir", {"amount": "18.00", "per": "kg"})
    assert now["availability"] == "limited"
    assert now["photos"][0]["alt"] == "Un pain de savon"
    assert "épuisé" in claire.follow(f"{where}/rayon", data={"to": "gone"}).text
    assert town.get(api).json()["availability"] == "out_of_stock"
    assert "De nouveau" not in claire.follow(f"{where}/rayon", data={"to": "back"}).text
    assert town.get(api).json()["availability"] == "in_stock"
    assert "Retirer «" in claire.get(f"{where}/retirer").text
    assert town.get(api).status_code == 200
    assert "retiré" in claire.follow(f"{where}/retirer", data={}).text
    assert town.get(api).status_code == 404
    assert httpx2.get(photo, timeout=neighbours.PATIENCE).status_code == 404
    assert claire.get(where).status_code == 404


def test_a_wrong_field_loses_nothing_that_was_typed_nor_the_photo(
    town: Town, claire: Browser
) -> None:
    sent = {"photo": ("x.jpg", jpeg(colour="blue"), "image/jpeg")}
    answer = add(claire, "Cyclamen", "12,5O", files=sent)
    assert answer.status_code == 422
    page = answer.text
    assert "<title>Erreur\u202f: " in page
    assert "Le prix doit être un nombre, par exemple 12,50" in page
    assert 'href="#price"' in page
    assert 'value="12,5O"' in page
    assert 'value="Cyclamen"' in page
    kept = hidden(page, "kept")
    assert f"/media/{kept}.320.jpg" in page
    assert town.get(f"/media/{kept}.320.jpg").status_code == 200
    data = {"form": hidden(page, "form"), "kept": kept, "name": "Cyclamen", "price": "12,50"}
    claire.follow(ADD, data=data, files={"photo": ("", b"", "image/jpeg")})
    (listing,) = [one for one in town.run("listing", "list", "ruche") if one["name"] == "Cyclamen"]
    assert listing["photos"][0]["id"] == kept
    # A second tap finds it done; a photo that waits no more is missed, not left out in silence.
    assert claire.post(ADD, data=data).status_code == 303
    again = claire.post(ADD, data={**data, "form": "another", "name": "Primevère"})
    assert again.status_code == 422
    assert "La photo n’est plus gardée" in again.text


def test_a_second_tap_publishes_nothing_more(town: Town, claire: Browser) -> None:
    page = claire.get(ADD).text
    data = {"form": hidden(page, "form"), "name": "Bougie", "price": "9"}
    first, second = claire.post(ADD, data=data), claire.post(ADD, data=data)
    assert first.status_code == second.status_code == 303
    assert first.headers["location"] == second.headers["location"]
    assert [one["name"] for one in town.run("listing", "list", "ruche")].count("Bougie") == 1
    again = add(claire, "bougie", "9")
    assert again.status_code == 422
    assert "Vous avez déjà" in again.text
    assert add(claire, "bougie", "9", data={"again": "1"}).status_code == 303


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\x00\x00\x00\x18ftypheic" + bytes(40), "HEIC"),
        (b"<svg onload=alert(1)>", "il faut du JPEG"),
        (jpeg()[:-400], "abîmée"),
        (b"\xff\xd8\xff" + bytes(16 * 1024 * 1024), "dépasse 15 Mo"),
    ],
)
def test_a_refused_photo_is_told_in_a_plain_sentence(
    claire: Browser, content: bytes, sentence: str
) -> None:
    answer = add(claire, "Refusé", files={"photo": ("../../x.jpg", content, "image/jpeg")})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert 'value="Refusé"' in answer.text


def test_too_much_is_answered_with_413(claire: Browser) -> None:
    answer = add(claire, "Trop", files={"photo": ("x.jpg", bytes(30 * 1024 * 1024), "image/jpeg")})
    assert answer.status_code == 413
    assert "photo plus légère" in answer.text or "petite" in answer.text
    many = {f"x{number}": "y" for number in range(300)}
    assert claire.post(ADD, data=many, files={"photo": ("", b"", "")}).status_code == 400
    assert claire.post("/connexion", data={"email": "x" * 300_000}).status_code == 413
    assert claire.post("/connexion", json={}).status_code == 415


def test_whose_shop_it_is_not_is_told_that_there_is_nothing(town: Town, claire: Browser) -> None:
    bread = town.run("listing", "add", "pains", "--name", "Miche", "--price", "4")
    mine = town.run("listing", "list", "ruche")[0]
    for path in (
        "/ma-boutique/pains",
        "/ma-boutique/pains/ajouter",
        f"/ma-boutique/pains/produits/{bread['id']}",
        f"/ma-boutique/ruche/produits/{bread['id']}",
        f"/ma-boutique/ruche/produits/{bread['id']}/retirer",
        "/ma-boutique/nobody",
        "/gestion",
        "/gestion/boutiques/ruche",
        "/gestion/voisins/ajouter",
    ):
        assert claire.get(path).status_code == 404, path
    for path in (
        f"/ma-boutique/ruche/produits/{bread['id']}/rayon",
        f"/ma-boutique/ruche/produits/{bread['id']}/retirer",
        f"/ma-boutique/pains/produits/{mine['id']}/retirer",
        "/gestion/boutiques/ruche/fermer",
        "/gestion/acces",
    ):
        assert claire.post(path, data={"to": "gone", "sure": "1"}).status_code == 404, path
    assert town.get(f"/api/v1/listings/{bread['id']}").json()["availability"] == "in_stock"


def test_nothing_is_done_for_who_is_not_signed_in_or_comes_from_elsewhere(
    town: Town, claire: Browser
) -> None:
    stranger = Browser(town)
    before = town.run("listing", "list", "ruche")
    for path in (ADD, "/ma-boutique/ruche", "/gestion"):
        assert stranger.get(path).status_code == 401
    assert stranger.post(ADD, data={"name": "x", "price": "1"}).status_code == 401
    mine = f"/ma-boutique/ruche/produits/{before[0]['id']}"
    for path in (ADD, mine, f"{mine}/rayon", f"{mine}/retirer"):
        answer = claire.post(path, own=False, data={"name": "x", "price": "1"})
        assert answer.status_code == 403
    assert town.run("listing", "list", "ruche") == before


def test_only_a_post_does_anything(town: Town, claire: Browser) -> None:
    before = town.run("listing", "list", "ruche")
    data = {"form": "head", "name": "Par HEAD", "price": "1"}
    for method in ("HEAD", "GET"):
        assert claire._ask(method, ADD, data=data).status_code == 200
        assert claire._ask(method, "/connexion", data=data).status_code == 200
    assert (
        claire._ask("GET", f"/ma-boutique/ruche/produits/{before[0]['id']}/rayon").status_code
        == 405
    )
    assert town.run("listing", "list", "ruche") == before


def test_hours_are_typed_in_words(town: Town, claire: Browser) -> None:
    where = "/ma-boutique/ruche/horaires"
    page = claire.post(where, data={"hours": "quand je veux"})
    assert page.status_code == 422
    assert "quand je veux" in page.text
    page = claire.follow(where, data={"hours": "mar-sam 9h-12h30 14h-19h"})
    assert "Vos horaires sont enregistrés" in page.text
    assert "mar" in claire.get(where).text


def test_photos_lead_nowhere_else(town: Town) -> None:
    secret = town.folder / "media" / "aa"
    secret.mkdir(parents=True, exist_ok=True)
    name = f"{'aa' * 32}.800.jpg"
    (secret / name).symlink_to(town.folder / "node.key")
    for path in (
        f"/media/{name}", "/media/..%2f..%2fnode.db", "/media/%5c..%5cnode.db",
        "/media//etc/passwd", "/media/", "/media/incoming", f"/media/{'a' * 64}.800.jpg",
        "/media/x%00.jpg",
    ):  # fmt: skip
        assert town.get(path).status_code == 404, path


# --- a steward's shops and neighbours ------------------------------------------------------------


def test_a_steward_opens_a_shop_and_hands_over_a_code(town: Town, steward: Browser) -> None:
    assert "Tableau de bord" in steward.get("/compte").text
    page = steward.get("/gestion/boutiques/ajouter").text
    typed = {
        "form": hidden(page, "form"), "name": "Fleurs de Lys", "commune": "Bordeaux",
        "address": "3 rue du Loup", "phone": "05 56 00 00 00", "hours": "lun-ven 9h-18h",
        "email": "rose@example.fr",
    }  # fmt: skip
    wrong = steward.post(
        "/gestion/boutiques/ajouter", data={**typed, "commune": "Nulle-Part", "phone": "non"}
    )
    assert wrong.status_code == 422
    assert 'value="Nulle-Part"' in wrong.text
    assert 'href="#commune"' in wrong.text
    handed = steward.post("/gestion/boutiques/ajouter", data=typed)
    assert handed.status_code == 200
    assert handed.headers["cache-control"] == "no-store"
    found = re.search(r'class="code">([0-9]{3} [0-9]{3})<', handed.text)
    assert found is not None
    rose = Browser(town)
    data = {"email": "rose@example.fr", "code": found[1]}
    assert rose.post("/connexion", data=data).status_code == 303
    assert "Bonjour, Fleurs de Lys" in rose.get("/compte").text
    shops = [shop["handle"] for shop in town.run("shop", "list")]
    assert shops.count("fleurs_de_lys") == 1
    # Sent again, it opens no second one.
    assert steward.post("/gestion/boutiques/ajouter", data=typed).status_code == 200
    assert [shop["handle"] for shop in town.run("shop", "list")].count("fleurs_de_lys") == 1
    assert "rose@example.fr" in steward.get("/gestion/boutiques/fleurs_de_lys").text
    close = "/gestion/boutiques/fleurs_de_lys/fermer"
    assert steward.post(close, data={}).status_code == 422
    assert "fermée" in steward.follow(close, data={"sure": "1"}).text
    # Whose shop is closed can do nothing any more.
    assert rose.get("/ma-boutique/fleurs_de_lys").status_code == 404


def test_an_invitation_needs_an_address(steward: Browser) -> None:
    for path in ("/gestion/boutiques/ruche/inviter", "/gestion/acces"):
        answer = steward.post(path, data={"email": "no address"})
        assert answer.status_code == 422
        assert 'value="no address"' in answer.text
    assert "À remettre" in steward.post("/gestion/acces", data={"email": "p@example.fr"}).text


def test_what_is_no_neighbour_is_told_so(town: Town, steward: Browser) -> None:
    for url in ("http://127.0.0.1:1", "nonsense", town.url, "https://[", "x" * 400):
        answer = steward.post("/gestion/voisins/ajouter", data={"url": url})
        assert answer.status_code == 422, url
        assert 'href="#url"' in answer.text
    assert steward.get("/gestion/voisins/nowhere.example").status_code == 404
