"""Sealed reservations in a real browser: the vector, a key card, a resident, a merchant, a swap."""

import contextlib
import re
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import segno

from node import enquiries, sealing
from node.model import Enquiry
from node.store import database, listings, shops
from tests import neighbours
from tests.browser import axe
from tests.browser.conftest import Tab, Visit
from tests.browser.test_merchant import press, sign_in
from tests.ground import NOW
from tests.neighbours import Town
from tests.sealing.vectors import VECTOR

CARD = "/ma-boutique/fleurs/cle"
COUNTER = "/ma-boutique/fleurs/reservations"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Pessac, serving, with a florist who also delivers."""
    (town,) = neighbours.found(["Pessac"], tmp_path_factory.mktemp("sealed"))
    with neighbours.serving([town]):
        town.run(
            "shop", "add", "fleurs", "--name", "Fleurs de Camponac", "--commune", "Pessac",
            "--phone", "05 36 49 01 34", "--delivers-to", "Pessac",
        )  # fmt: skip
        yield town


@pytest.fixture(scope="module")
def words(visit: Visit, town: Town) -> list[str]:
    """The florist's card, made on a telephone; that device stays locked for who comes after."""
    with visit(360) as tab:
        florist(tab, town)
        return new_card(tab)


def florist(tab: Tab, town: Town) -> None:
    sign_in(tab, town, "claire@example.fr", "--role", "merchant", "--shop", "fleurs")
    tab.page.goto(f"{town.url}{CARD}")


def new_card(tab: Tab, *, button: str = "Faire ma carte de clé") -> list[str]:
    """Makes a card and types three of its words back."""
    tab.page.get_by_role("button", name=button).click()
    tab.page.locator("#card").wait_for()
    words = [str(one) for one in tab.page.locator("#card-words li").all_inner_texts()]
    tab.page.get_by_role("button", name="Je l’ai sur papier").click()
    tab.page.locator("#check").wait_for()
    for field in tab.page.locator("#check .field").all():
        number = int(re.findall(r"[0-9]+", field.locator("label").inner_text())[0])
        field.locator("input").fill(words[number - 1].upper())
    press(tab, "Terminer")
    tab.page.locator("#unlocked").wait_for()
    return words


def unlock(tab: Tab, words: list[str]) -> None:
    tab.page.get_by_label("Les sept mots de votre carte").fill(" ".join(words))
    tab.page.get_by_role("button", name="Déverrouiller cet appareil").click()


def offered(town: Town, name: str, *more: str) -> str:
    """A listing, and the address it is reserved at."""
    listing = town.run(
        "listing", "add", "fleurs", "--name", name, "--price", "12", "--delivered", *more
    )
    page = town.get(f"/@fleurs/x-{listing['id'][:8]}", follow_redirects=True)
    return f"{page.url}/reserver"


def reserve(tab: Tab, url: str, name: str = "Zoé Personne", message: str = "À vendredi.") -> str:
    """Reserves with sealed words; the address of its page, whole."""
    tab.page.goto(url)
    tab.page.locator("#words").wait_for()
    tab.page.get_by_label("Votre prénom ou un surnom").fill(name)
    tab.page.get_by_label("Comment vous prévenir").select_option("phone")
    tab.page.get_by_label("Votre téléphone").fill("06 39 98 00 12")
    tab.page.get_by_label("Adresse de livraison").fill("9 rue des Lilas")
    tab.page.get_by_label("Message au commerçant").fill(message)
    press(tab, "Envoyer la réservation")
    assert "Demande envoyée" in tab.page.get_by_role("heading", level=1).inner_text()
    return str(tab.page.url)


def rows(town: Town, sql: str) -> list[Any]:
    path = town.folder / "node.db"
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        return db.execute(sql).fetchall()


def module(tab: Tab, town: Town, name: str) -> str:
    """Where a script of the page is, by the name it is written under."""
    found = re.search(rf"/static/{name}\.[0-9a-f]{{12}}\.js", tab.page.content())
    if found:
        return found[0]
    for url in tab.requests:
        if f"/static/{name}." in url:
            return url.removeprefix(town.url)
    raise AssertionError(name)


# --- cryptography --------------------------------------------------------------------------------


def test_the_published_vector_in_the_browser(visit: Visit, town: Town, words: list[str]) -> None:
    """Opening as published; sealing with the vector's fresh key gives the published secrets."""
    with visit(1280) as tab:
        tab.page.goto(offered(town, "Vecteur"))
        tab.page.locator("#words").wait_for()
        told = tab.page.evaluate(
            """async ([where, v]) => {
                const s = await import(where);
                const bytes = hex => Uint8Array.from(hex.match(/../g), x => parseInt(x, 16));
                const url = hex => s.encode(bytes(hex));
                const pair = async (sk, pk) => ({
                    privateKey: await crypto.subtle.importKey("jwk",
                        {kty: "OKP", crv: "X25519", d: url(sk), x: url(pk)}, "X25519", true,
                        ["deriveBits"]),
                    publicKey: await crypto.subtle.importKey(
                        "raw", bytes(pk), "X25519", true, [])});
                const mine = await pair(v.skRm, v.pkRm), fresh = await pair(v.skEm, v.pkEm);
                const whole = bytes(v.enc + v.ct);
                const read = await s.opened(mine.privateKey, bytes(v.pkRm), bytes(v.info), whole,
                    bytes(v.aad));
                const sealed = await s.seal(bytes(v.pkRm), bytes(v.info), "héllo", fresh);
                const refused = [];
                const low = ["00".repeat(32), "01" + "00".repeat(31), "ec" + "ff".repeat(30) + "7f",
                    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"];
                for (const key of low) {
                    try { await s.seal(bytes(key), bytes(v.info), "x"); }
                    catch { refused.push(key); }
                }
                for (const at of [0, 33, sealed.length - 1]) {
                    const bent = sealed.slice(); bent[at] ^= 1;
                    try { await s.open(mine.privateKey, bytes(v.pkRm), bytes(v.info), bent); }
                    catch { refused.push(at); }
                }
                const times = [];
                for (let i = 0; i < 20; i++) {
                    const before = performance.now();
                    await s.seal(bytes(v.pkRm), bytes(v.info), "x".repeat(600));
                    times.push(performance.now() - before);
                }
                return {read: new TextDecoder().decode(read), refused: refused.length,
                    enc: s.encode(sealed.slice(0, 32)), sealed: s.encode(sealed),
                    median: times.sort((a, b) => a - b)[10]};
            }""",
            [module(tab, town, "sealing"), VECTOR],
        )
        assert told["read"].encode().hex() == VECTOR["pt"]
        assert sealing.decode(told["enc"], 32).hex() == VECTOR["enc"]
        assert told["refused"] == 7
        # And Python opens what the browser sealed.
        text = sealing.open_sealed(
            bytes.fromhex(VECTOR["skRm"]),
            bytes.fromhex(VECTOR["info"]),
            sealing.decode(told["sealed"], 5000),
        )
        assert text == "héllo"
        print(f"sealing in Chromium: median {told['median']:.2f} ms")


def test_the_card_s_code_is_a_qr_code(visit: Visit, town: Town) -> None:
    """Module by module as an independent encoder draws it, whose padding differs: so, full."""
    with visit(360) as tab:
        florist(tab, town)
        where = module(tab, town, "qr")
        for text in (f"{town.url}{CARD}#abeille-zoom-tulipe".ljust(213, "x"), "~" * 213):
            drawn = tab.page.evaluate(
                "async ([where, text]) => (await import(where)).modules(text)", [where, text]
            )
            expected = segno.make(
                text, version=10, error="m", mask=0, mode="byte", boost_error=False
            )
            assert [[bool(one) for one in row] for row in expected.matrix] == drawn
        name = tab.page.evaluate(
            """async where => {
                try { (await import(where)).modules("x".repeat(214)); } catch (e) { return e.name; }
            }""",
            where,
        )
        assert name == "RangeError"


# --- the way of a reservation --------------------------------------------------------------------


def test_from_the_card_to_the_shop_s_answer(visit: Visit, town: Town, words: list[str]) -> None:
    url = offered(town, "Bouquet de saison", "--stock", "3")
    with visit(360) as resident:
        private = reserve(resident, url, message="Je passe vendredi, motcanari.")
        assert "#" in private
        # Printed, it says the whole address: the only way back.
        assert not resident.page.get_by_text(private).is_visible()
        resident.page.emulate_media(media="print")
        assert resident.page.get_by_text(private).is_visible()
        resident.page.emulate_media(media="screen")
        code = resident.page.locator(".code").inner_text()
        assert re.fullmatch(r"[A-Z]{3}-[0-9]{3}", code)
        assert resident.complaints == []
        assert resident.hosts() == {town.authority}
        assert not resident.overflows()
        with visit(360) as shop:
            sign_in(shop, town, "claire@example.fr", "--role", "merchant", "--shop", "fleurs")
            shop.page.goto(f"{town.url}{COUNTER}")
            mine = shop.page.locator("li", has_text=code)
            # Without unlocking: code, item and state, and nothing else.
            assert "1 × Bouquet de saison" in mine.inner_text()
            assert "Zoé" not in shop.page.get_by_role("main").inner_text()
            shop.follow(mine.get_by_role("link", name="Déverrouiller"))
            unlock(shop, [*words[:6], "abeille" if words[6] != "abeille" else "zoom"])
            shop.page.locator("#unlock-wrong").wait_for()
            unlock(shop, [*words[:6], "azertyuiop"])
            shop.page.locator("#unlock-words", has_text="azertyuiop").wait_for()
            unlock(shop, words)
            shop.page.locator("#unlocked").wait_for()
            shop.page.goto(f"{town.url}{COUNTER}")
            mine = shop.page.locator("li", has_text=code)
            mine.locator(".opened").wait_for()
            read = mine.inner_text()
            for word in ("Zoé Personne", "06 39 98 00 12", "9 rue des Lilas", "motcanari"):
                assert word in read
            assert mine.locator("a.contact").get_attribute("href") == "tel:0639980012"
            mine.get_by_label("Votre réponse").fill("Au fond à gauche.")
            with shop.page.expect_navigation(url="**fait=ready"):
                mine.get_by_role("button", name="C’est prêt").tap()
            # Kept non-extractable: not even our own script can read it out.
            assert shop.page.evaluate(
                """async () => {
                    const opening = indexedDB.open("echoppe", 1);
                    await new Promise(done => { opening.onsuccess = done; });
                    const all = opening.result.transaction("keys").objectStore("keys").getAll();
                    await new Promise(done => { all.onsuccess = done; });
                    return all.result.map(one => [one.owner.extractable,
                        ...Object.values(one.sealing).map(two => two.key.extractable)]).flat();
                }"""
            ) == [False, False]
        resident.page.reload()
        resident.page.locator("#answer-text").wait_for()
        assert resident.page.locator("#answer-text").inner_text() == "Au fond à gauche."
        assert "C’est prêt" in resident.page.get_by_role("status").inner_text()
        # Without what stands behind #, the answer stays shut.
        resident.page.goto("about:blank")
        resident.page.goto(private.partition("#")[0])
        resident.page.locator("#answer-unread").wait_for()
        press(resident, "Annuler et effacer maintenant")
        assert resident.page.get_by_role("heading", level=1).inner_text() == "Effacé"
        assert resident.page.goto(private.partition("#")[0]).status == 404


@pytest.mark.parametrize("case", ["without script", "without X25519"])
def test_without_sealing_no_word_is_asked_for(
    visit: Visit, town: Town, words: list[str], case: str
) -> None:
    url = offered(town, f"Rosier {case}")
    with visit(360, script=case != "without script") as tab:
        if case == "without X25519":
            tab.page.add_init_script(
                "crypto.subtle.generateKey = () => Promise.reject(new Error('NotSupported'));"
            )
        tab.page.goto(url)
        if case == "without X25519":
            tab.page.locator("#true-unable").wait_for()
        assert not tab.page.get_by_label("Votre prénom").is_visible()
        assert tab.page.locator("#true-plain").is_visible()
        assert not tab.page.locator("#true-sealed").is_visible()
        press(tab, "Envoyer la réservation")
        assert re.fullmatch(r"[A-Z]{3}-[0-9]{3}", tab.page.locator(".code").inner_text())
        press(tab, "Annuler la réservation")
        assert "Annulée" in tab.page.get_by_role("status").inner_text()
    assert rows(town, "SELECT count(*) FROM reservations WHERE sealed IS NULL")[0][0] >= 1


def test_fields_for_personal_words_can_send_nothing(
    visit: Visit, town: Town, words: list[str]
) -> None:
    """Whatever becomes of the script, a form sends fields that have a name; these have none."""
    with visit(360) as tab:
        tab.page.goto(offered(town, "Iris"))
        tab.page.locator("#words").wait_for()
        fields = tab.page.locator("#words input, #words textarea, #words select").all()
        assert len(fields) >= 5
        assert all(field.get_attribute("name") is None for field in fields)
        tab.page.get_by_label("Votre prénom").fill("motcanari")
        body = tab.page.evaluate(
            "new URLSearchParams(new FormData(document.getElementById('reserve'))).toString()"
        )
        assert "motcanari" not in body


def test_at_a_neighbour_s_shop_one_link_leads_to_its_own_site(
    visit: Visit, towns: tuple[Town, Town]
) -> None:
    pessac, merignac = towns
    with visit(360) as tab:
        told: list[tuple[str, str]] = []
        tab.page.on("request", lambda one: told.append((one.url, one.headers.get("referer", ""))))
        tab.page.goto(f"{pessac.url}/recherche?q=ch%C3%A2taignier")
        main = tab.page.get_by_role("main")
        tab.follow(main.get_by_role("link", name="Miel de châtaignier"))
        assert tab.page.url.startswith(f"{merignac.url}/")
        tab.follow(tab.page.get_by_role("link", name="Réserver"))
        press(tab, "Envoyer la réservation")
        assert "La Ruche d’Arlac" in tab.page.get_by_role("heading", level=1).inner_text()
        left = next(at for at, (url, _) in enumerate(told) if url.startswith(merignac.url))
        assert len(told) > left + 3
        assert not [one for one in told[left:] if pessac.authority in "".join(one)]


def test_a_double_tap_reserves_once(visit: Visit, town: Town, words: list[str]) -> None:
    url = offered(town, "Lys", "--stock", "5")
    with visit(360) as tab:
        tab.page.goto(url)
        tab.page.locator("#words").wait_for()
        tab.page.get_by_label("Votre prénom").fill("Ana")
        with tab.page.expect_navigation():
            tab.page.evaluate("const b = document.getElementById('send'); b.click(); b.click();")
    assert rows(town, "SELECT count(*) FROM reservations WHERE item = 'Lys'")[0][0] == 1


def test_what_was_typed_survives_an_error(visit: Visit, town: Town, words: list[str]) -> None:
    url = offered(town, "Jonquille", "--stock", "1")
    with visit(360) as tab:
        tab.page.goto(url)
        tab.page.locator("#words").wait_for()
        tab.page.get_by_label("Combien").fill("2")
        tab.page.get_by_label("Votre prénom").fill("Ana")
        press(tab, "Envoyer la réservation")
        assert "Il n’en reste pas autant" in tab.page.get_by_role("alert").first.inner_text()
        tab.page.locator("#words").wait_for()
        assert tab.page.get_by_label("Votre prénom").input_value() == "Ana"
        tab.page.get_by_label("Combien").fill("1")
        press(tab, "Envoyer la réservation")
        assert "Demande envoyée" in tab.page.get_by_role("heading", level=1).inner_text()
        assert tab.page.evaluate("sessionStorage.length") == 0


# --- cards ---------------------------------------------------------------------------------------


def test_the_server_never_sees_words_or_private_keys(visit: Visit, town: Town) -> None:
    with visit(360) as tab:
        posted: list[str] = []
        tab.page.on("request", lambda one: posted.append(one.post_data or ""))
        town.run("shop", "add", "pains", "--name", "Aux Pains", "--commune", "Pessac")
        sign_in(tab, town, "yann@example.fr", "--role", "merchant", "--shop", "pains")
        tab.page.goto(f"{town.url}/ma-boutique/pains/cle")
        made = new_card(tab)
        assert len(made) == 7
        assert not [word for word in made for body in posted if word in body]
        actor = town.get("/users/pains", headers={"Accept": "application/activity+json"}).json()
        key = actor["echoppe:sealingKey"]
        assert key["publicKeyMultibase"].startswith("z6LS")
        (owner,) = [one for one in actor["assertionMethod"] if one["id"].endswith("#owner-key")]
        assert owner["publicKeyMultibase"].startswith("z6Mk")
        page = town.get("/@pains").text
        mark = tab.page.locator("strong.mark").first.inner_text()
        assert mark in page


def test_a_second_device_by_the_code_of_the_card(
    visit: Visit, town: Town, words: list[str]
) -> None:
    with visit(1280) as tab:
        florist(tab, town)
        tab.page.locator("#locked").wait_for()
        tab.page.goto("about:blank")
        tab.page.goto(f"{town.url}{CARD}#{'-'.join(words)}")  # what the QR code says
        tab.page.locator("#unlocked").wait_for()
        assert tab.page.url == f"{town.url}{CARD}"
        tab.page.get_by_role("button", name="Verrouiller cet appareil", exact=True).click()
        tab.page.locator("#locked").wait_for()


def test_a_wrong_word_makes_no_card(visit: Visit, town: Town) -> None:
    with visit(360) as tab:
        town.run("shop", "add", "livres", "--name", "Livres", "--commune", "Pessac")
        sign_in(tab, town, "lea@example.fr", "--role", "merchant", "--shop", "livres")
        tab.page.goto(f"{town.url}/ma-boutique/livres/cle")
        tab.page.get_by_role("button", name="Faire ma carte de clé").tap()
        tab.page.locator("#card").wait_for()
        tab.page.get_by_role("button", name="Je l’ai sur papier").tap()
        tab.page.locator("#check").wait_for()
        for field in tab.page.locator("#check input").all():
            field.fill("faux")
        tab.page.get_by_role("button", name="Terminer").tap()
        tab.page.locator("#wrong").wait_for()
    assert rows(town, "SELECT count(*) FROM shop_keys JOIN shops ON shops.id = shop_keys.shop "
                "WHERE handle = 'livres'")[0][0] == 0  # fmt: skip


def test_a_swapped_key_is_warned_of_and_a_signed_one_is_not(visit: Visit, town: Town) -> None:
    """A resident's browser knows the owner key: renewed with the card it stays quiet; lost, no."""
    town.run("shop", "add", "velos", "--name", "Vélos", "--commune", "Pessac")
    listing = town.run("listing", "add", "velos", "--name", "Sonnette", "--price", "9")
    page = town.get(f"/@velos/x-{listing['id'][:8]}", follow_redirects=True)
    url = f"{page.url}/reserver"
    card = f"{town.url}/ma-boutique/velos/cle"

    def order(tab: Tab) -> None:
        tab.page.goto(url)
        tab.page.locator("#words").wait_for()
        tab.page.get_by_label("Votre prénom").fill("Ana")
        press(tab, "Envoyer la réservation")

    with visit(360) as shop, visit(1280, theme="dark") as resident:
        sign_in(shop, town, "max@example.fr", "--role", "merchant", "--shop", "velos")
        shop.page.goto(card)
        first = new_card(shop)
        order(resident)
        # Renewed by who has the card: same owner, everything opens with the new one.
        unlock(shop, first)
        shop.page.locator("#loses-nothing").wait_for()
        second = new_card(shop, button="Faire une nouvelle carte")
        order(resident)
        # The card is lost, this device is not: the old owner key signs the new one.
        shop.page.locator("#keeps-here").wait_for()
        new_card(shop, button="Faire une nouvelle carte")
        order(resident)
        unlock(shop, second)  # the old card still opens what was sealed to it
        shop.page.locator("#unlocked").wait_for()
        with visit(360) as stranger:
            sign_in(stranger, town, "max@example.fr", "--role", "merchant", "--shop", "velos")
            stranger.page.goto(card)
            stranger.page.locator("#loses-all").wait_for()
            stranger.page.get_by_role("button", name="Faire une nouvelle carte").tap()
            assert not stranger.page.locator("#card").is_visible()  # the box must be ticked
            stranger.page.get_by_label("J’ai perdu la carte").check()
            new_card(stranger, button="Faire une nouvelle carte")
            mark = stranger.page.locator("strong.mark").first.inner_text()
            stranger.page.goto(f"{town.url}/ma-boutique/velos/reservations")
            stranger.page.get_by_text("ne peut plus être lue").first.wait_for(state="attached")
        # Opening the last reservation's page says it too.
        resident.page.reload()
        assert "a perdu sa clé" in resident.page.get_by_role("main").inner_text()
        resident.page.goto(url)
        resident.page.locator("#changed").wait_for()
        warned = resident.page.locator("#changed").inner_text()
        assert mark in warned
        assert len(set(re.findall(r"(?:[A-Z2-7]{4}-){3}[A-Z2-7]{4}", warned))) == 2
        assert not resident.page.locator("#words").is_visible()
        resident.page.get_by_role("button", name="La nouvelle empreinte est la bonne").click()
        order_fields = resident.page.get_by_label("Votre prénom")
        order_fields.fill("Ana")
        press(resident, "Envoyer la réservation")
        assert "Demande envoyée" in resident.page.get_by_role("heading", level=1).inner_text()


# --- elsewhere -----------------------------------------------------------------------------------


def test_an_export_opens_without_the_node(
    visit: Visit, town: Town, words: list[str], tmp_path: Path
) -> None:
    """As one saved page without a network, and by the command."""
    with visit(1280) as tab:
        reserve(tab, offered(town, "Dahlia"), name="Rémi Export", message="</script>&amp;")
    with visit(1280) as tab:
        florist(tab, town)
        tab.page.goto(f"{town.url}{COUNTER}")
        with tab.page.expect_download() as download:
            tab.page.get_by_role("link", name="Enregistrer tout").click()
        file = tmp_path / "reservations.html"
        download.value.save_as(file)
    assert "Rémi" not in file.read_text()
    with visit(1280) as tab:
        tab.page.context.set_offline(True)
        tab.page.goto(file.as_uri())
        tab.page.get_by_label("Les sept mots de votre carte").fill("un deux trois")
        tab.page.get_by_role("button", name="Lire").click()
        tab.page.get_by_role("alert").wait_for()
        tab.page.get_by_label("Les sept mots de votre carte").fill(" ".join(words).upper())
        tab.page.get_by_role("button", name="Lire").click()
        tab.page.get_by_text("Rémi Export").first.wait_for()
        assert "</script>&amp;" in tab.page.locator("#list").inner_text()
        assert tab.complaints == []
    for typed, status in ((" ".join(words), 0), ("un deux trois", 1)):
        done = subprocess.run(
            [sys.executable, "-m", "node", "open", str(file)],
            input=f"{typed}\n", capture_output=True, text=True, check=False, cwd=neighbours.ROOT,
        )  # fmt: skip
        assert done.returncode == status, done.stderr
        assert ("Rémi Export – 06 39 98 00 12" in done.stdout) is (status == 0)


MAILBOX = "/ma-boutique/fleurs/courrier"


def ask_from_elsewhere(town: Town, words: str) -> None:
    """What an enquiry from another server leaves in the file."""
    actor = "https://mastodon.example/users/anne"
    with database.transaction(town.folder) as db:
        shop = shops.get_own(db, "fleurs")
        assert shop is not None
        (listing, *_) = listings.find_of_shop(db, shop.id)
        enquiries.keep(
            db,
            shop,
            Enquiry(
                str(uuid.uuid4()), f"{actor}/statuses/{uuid.uuid4()}", shop.id, listing.id, actor,
                "@anne@mastodon.example", "mastodon.example", f"{actor}/inbox", words, NOW,
            ),
        )  # fmt: skip


def test_an_enquiry_is_read_on_an_unlocked_device_and_nowhere_else(
    visit: Visit, town: Town, words: list[str]
) -> None:
    offered(town, "Pivoine du courrier")
    said = "Auriez-vous douze pivoines ?\n<b>motcanari</b>"
    ask_from_elsewhere(town, said)
    assert "motcanari" not in str(rows(town, "SELECT * FROM enquiries"))
    with visit(360) as tab:
        sign_in(tab, town, "claire@example.fr", "--role", "merchant", "--shop", "fleurs")
        tab.page.goto(f"{town.url}{MAILBOX}")
        assert "scellé pour votre carte" in tab.page.get_by_role("main").inner_text()
        tab.follow(tab.page.get_by_role("link", name="@anne@mastodon.example").first)
        enquiry = tab.page.url
        assert "pivoines" not in tab.page.get_by_role("main").inner_text()
        tab.follow(tab.page.get_by_role("link", name="Déverrouiller"))
        unlock(tab, words)
        tab.page.locator("#unlocked").wait_for()
        tab.page.goto(enquiry)
        tab.page.locator(".opened").wait_for()
        assert tab.page.locator(".opened").inner_text() == said
        assert not tab.page.locator(".locked").is_visible()
        assert not tab.overflows()
        assert tab.complaints == []
        # Its bytes under another note's name are not a message of that note.
        tab.page.route("**/courrier/*", lambda route: route.fulfill(
            response=(answer := route.fetch()), body=answer.text().replace("statuses/", "notes/"),
        ))  # fmt: skip
        tab.page.goto(enquiry)
        tab.page.locator(".unreadable").wait_for()
        assert tab.page.locator(".opened").inner_text() == ""


# --- to be looked at -----------------------------------------------------------------------------


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 360)])
def test_axe_finds_nothing(
    visit: Visit, town: Town, axe_script: str, words: list[str], theme: str, width: int,
    tmp_path: Path,
) -> None:  # fmt: skip
    found: list[str] = []

    def look(tab: Tab, name: str) -> None:
        assert not tab.overflows(), name
        found.extend(f"{name} {one}" for one in axe.violations(tab.page, axe_script))
        tab.page.screenshot(path=tmp_path / f"{name}-{width}-{theme}.png", full_page=True)

    url = offered(town, f"Pivoine {theme}", "--stock", "2")
    with visit(width, theme=theme) as tab:
        tab.page.goto(url)
        tab.page.locator("#words").wait_for()
        look(tab, "reserve")
        tab.page.get_by_label("Comment vous prévenir").select_option("mail")
        tab.page.evaluate("document.getElementById('changed').hidden = false")
        look(tab, "reserve-changed")
        reserve(tab, url)
        look(tab, "follow")
    with visit(width, theme=theme, script=False) as tab:
        tab.page.goto(url)
        tab.page.screenshot(
            path=tmp_path / f"reserve-no-script-{width}-{theme}.png", full_page=True
        )
    with visit(width, theme=theme) as tab:
        florist(tab, town)
        tab.page.locator("#locked").wait_for()
        look(tab, "card-locked")
        ask_from_elsewhere(town, "Bonjour !")
        tab.page.goto(f"{town.url}{MAILBOX}")
        look(tab, "mailbox")
        tab.follow(tab.page.get_by_role("link", name="@anne@mastodon.example").first)
        look(tab, "enquiry-locked")
        tab.page.goto(f"{town.url}{CARD}")
        unlock(tab, words)
        tab.page.locator("#unlocked").wait_for()
        look(tab, "card-unlocked")
        tab.page.goto(f"{town.url}{MAILBOX}")
        tab.follow(tab.page.get_by_role("link", name="@anne@mastodon.example").first)
        tab.page.locator(".opened").wait_for()
        look(tab, "enquiry")
        tab.page.goto(f"{town.url}{CARD}")
        tab.page.locator("#unlocked").wait_for()
        tab.page.get_by_role("button", name="Faire une nouvelle carte").click()
        tab.page.locator("#card").wait_for()
        look(tab, "card-new")
        tab.page.get_by_role("button", name="Je l’ai sur papier").click()
        look(tab, "card-check")
        tab.page.goto(f"{town.url}{COUNTER}")
        tab.page.locator(".opened").first.wait_for()
        look(tab, "counter")
    assert found == []
