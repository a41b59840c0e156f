"""Reservations over real HTTP: a race, a notice's links, hostile posts, and the planted words."""

import contextlib
import re
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from node import sealing
from node.store import database, times
from tests import neighbours, smtp
from tests.flows.test_merchant import Browser, signed_in
from tests.neighbours import Town
from tests.sealing import merchant

CODE = re.compile(r"[A-Z]{3}-[0-9]{3}")
NAME, PHONE, MESSAGE = "Zoé Canariplanté", "0639980012", "motcanari vendredi"


@pytest.fixture(scope="module")
def server() -> Iterator[smtp.Server]:
    with smtp.serving() as running:
        yield running


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, server: smtp.Server) -> Iterator[Town]:
    (town,) = neighbours.found(["Pessac"], tmp_path_factory.mktemp("reservations"))
    server.carry_mail_of(town.folder)
    with neighbours.serving([town]):
        for handle in ("fleurs", "pains"):
            town.run("shop", "add", handle, "--name", f"Chez {handle}", "--commune", "Pessac")
        yield town


@pytest.fixture(scope="module")
def keys(town: Town) -> merchant.Made:
    return merchant.put_keys(town, "fleurs")


def offered(town: Town, name: str, *more: str, handle: str = "fleurs") -> dict[str, Any]:
    listing: dict[str, Any] = town.run(
        "listing", "add", handle, "--name", name, "--price", "12", *more
    )
    return listing


def where(town: Town, listing: dict[str, Any], handle: str = "fleurs") -> str:
    return f"/@{handle}/x-{listing['id'][:8]}/reserver"


def form(town: Town, path: str, **more: str) -> dict[str, str]:
    """The form as it is shown, filled in."""
    page = town.get(path)
    assert page.status_code == 200
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    return {**fields, "quantity": "1", **more}


def sealed(keys: merchant.Made, town: Town, listing: dict[str, Any], link: str) -> dict[str, str]:
    text = f'{{"name":"{NAME}","way":"phone","contact":"{PHONE}","message":"{MESSAGE}"}}'
    data = keys.seal(text, f"{town.url}/users/fleurs", listing["uri"], link)
    return {"key": keys.id, "sealed": sealing.encode(data)}


def query(town: Town, sql: str, *values: Any) -> list[Any]:
    path = town.folder / "node.db"
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        return db.execute(sql, values).fetchall()


def test_fifty_race_for_the_last_one(town: Town) -> None:
    listing = offered(town, "Dernier bouquet", "--stock", "1")
    path = where(town, listing)
    fields = form(town, path)
    answers: list[int] = []
    gate = threading.Barrier(50)

    def go(number: int) -> None:
        with httpx2.Client(base_url=town.url, timeout=neighbours.PATIENCE) as client:
            gate.wait()
            answer = client.post(
                path,
                data={**fields, "link": f"{number:02d}{fields['link'][2:]}"},
                headers={"Sec-Fetch-Site": "same-origin"},
            )
            answers.append(answer.status_code)

    threads = [threading.Thread(target=go, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [303] + [409] * 49
    assert query(town, "SELECT stock FROM offers WHERE listing = ?", listing["id"]) == [(0,)]
    assert query(town, "SELECT count(*) FROM reservations WHERE listing = ?", listing["id"]) == [
        (1,)
    ]


def test_a_notice_holds_no_word_and_its_links_act_once(town: Town, server: smtp.Server) -> None:
    signed_in(town, "claire@example.fr", "--role", "merchant", "--shop", "fleurs")
    listing = offered(town, "Tulipe perroquet", "--stock", "2")
    resident = Browser(town)
    path = where(town, listing)
    page = resident.follow(path, data=form(town, path))
    code = CODE.search(page.text)
    assert code is not None
    mail = neighbours.eventually(
        lambda: next((one for one in server.mails if code[0] in one.get_content()), None)
    )
    text = mail.get_content()
    assert "Tulipe" not in text
    assert "Tulipe" not in mail["Subject"]
    ready, gone = (link for link in re.findall(r"http\S+", text) if "/avis/" in link)
    stranger = Browser(town)
    for link in (ready, gone):
        assert stranger.get(link).status_code == 200
        assert stranger._ask("HEAD", link).status_code == 200
    assert "Ce n’est pas encore prêt" in resident.get(str(page.url)).text
    assert stranger.post(ready, own=False).status_code == 403
    assert stranger.post(ready).status_code == 200
    assert "C’est prêt" in resident.get(str(page.url)).text
    for link in (ready, gone):
        assert stranger.get(link).status_code == 410
        assert stranger.post(link).status_code == 410
    assert stranger.get("/avis/nothing").status_code == 410


def test_the_merchant_sees_to_it_and_who_comes_second_is_told(town: Town) -> None:
    claire = signed_in(town, "claire@example.fr", "--role", "merchant", "--shop", "fleurs")
    yann = signed_in(town, "yann@example.fr", "--role", "merchant", "--shop", "fleurs")
    other = signed_in(town, "lea@example.fr", "--role", "merchant", "--shop", "pains")
    listing = offered(town, "Rosier nain")
    path = where(town, listing)
    Browser(town).follow(path, data=form(town, path))
    ((reservation,),) = query(town, "SELECT id FROM reservations WHERE listing = ?", listing["id"])
    act = f"/ma-boutique/fleurs/reservations/{reservation}"
    assert "Rosier nain" in claire.get("/ma-boutique/fleurs/reservations").text
    assert "Rosier nain" not in other.get("/ma-boutique/pains/reservations").text
    assert other.get("/ma-boutique/fleurs/reservations").status_code == 404
    assert other.post(act, data={"act": "ready"}).status_code == 404
    wrong_shop = act.replace("fleurs", "pains")
    assert other.post(wrong_shop, data={"act": "ready"}).status_code == 404
    assert claire.post(act, own=False, data={"act": "ready"}).status_code == 403
    for bad in ("", "cancelled", "expired", "asked", "x"):
        assert claire.post(act, data={"act": bad}).status_code == 400
    assert claire.post(act, data={"act": "ready", "answer": "clear text"}).status_code == 400
    assert "L’habitant voit que c’est prêt" in claire.follow(act, data={"act": "ready"}).text
    second = yann.post(act, data={"act": "ready"})
    assert second.status_code == 409
    assert "déjà traité par claire@example.fr" in second.text
    assert claire.post(act, data={"act": "handed_over"}).status_code == 303


def test_hostile_posts_change_nothing(town: Town, keys: merchant.Made) -> None:
    listing, bread = offered(town, "Pivoine", "--stock", "3"), offered(town, "Pain", handle="pains")
    path = where(town, listing)
    fields = form(town, path)
    good = sealed(keys, town, listing, fields["link"])
    browser = Browser(town)
    before = query(town, "SELECT count(*) FROM reservations")
    data = sealing.decode(good["sealed"], 5000)
    stranger = merchant.make(f"{town.url}/users/pains")
    for change, status in (
        ({"link": ""}, 400), ({"link": "short"}, 400), ({"link": "é" * 43}, 400),
        ({"link": f"{fields['link']}x"}, 400), ({"quantity": "4"}, 409), ({"quantity": "0"}, 409),
        ({"quantity": "-1"}, 409), ({"quantity": "9" * 500}, 409), ({"quantity": "x"}, 409),
        ({"offer": ""}, 410), ({"offer": form(town, where(town, bread, "pains"))["offer"]}, 410),
        ({**good, "sealed": ""}, 409), ({**good, "key": ""}, 409), ({**good, "key": "x"}, 409),
        ({**good, "key": stranger.id}, 409), ({**good, "sealed": NAME}, 409),
        ({**good, "sealed": sealing.encode(data[:-1])}, 409),
        ({**good, "sealed": sealing.encode(data + b"x")}, 409),
        ({**good, "sealed": "A" * 9000}, 409), ({**good, "sealed": "A" * 60_000}, 409),
        ({**good, "sealed": "A" * 1_000_000}, 413),
    ):  # fmt: skip
        answer = browser.post(path, data={**fields, **change})
        assert answer.status_code == status, change
        assert NAME not in answer.text
    assert browser.post(path, own=False, data=fields).status_code == 403
    for wrong in (
        "/@fleurs/x-00000000/reserver",
        "/@nobody/x-00000000/reserver",
        "/@fleurs/x/reserver",
    ):
        assert town.get(wrong).status_code == 404
    assert query(town, "SELECT count(*) FROM reservations") == before
    assert query(town, "SELECT stock FROM offers WHERE listing = ?", listing["id"]) == [(3,)]
    # Replayed, it is one; and nobody else's address leads to it.
    for _ in range(3):
        answer = browser.post(path, data={**fields, **good})
        assert answer.headers["location"] == f"/reservation/{fields['link']}"
    assert query(town, "SELECT stock FROM offers WHERE listing = ?", listing["id"]) == [(2,)]
    ((code, reservation),) = query(
        town, "SELECT code, id FROM reservations WHERE listing = ?", listing["id"]
    )
    for guess in (code, reservation, "A" * 43, f"{fields['link'][:-1]}_"):
        assert town.get(f"/reservation/{guess}").status_code == 404
        assert browser.post(f"/reservation/{guess}", data={"act": "cancel"}).status_code in (
            404,
            303,
        )
    assert query(town, "SELECT state FROM reservations WHERE id = ?", reservation) == [("asked",)]
    assert browser.post(f"/reservation/{fields['link']}", data={"act": "x"}).status_code == 303


def test_a_listing_that_is_gone_says_so(town: Town) -> None:
    listing = offered(town, "Muguet", "--stock", "0")
    assert "reserver" not in town.get(f"/@fleurs/muguet-{listing['id'][:8]}").text
    page = town.get(where(town, listing))
    assert "Il ne reste rien à réserver" in page.text
    town.run("listing", "withdraw", listing["id"])
    assert town.get(where(town, listing)).status_code == 410


def test_a_silent_shop_is_called_and_what_ran_out_goes_back(town: Town) -> None:
    listing = offered(town, "Anémone", "--stock", "1")
    path = where(town, listing)
    resident = Browser(town)
    mine = str(resident.follow(path, data=form(town, path)).url)
    assert "Appelez la boutique" not in resident.get(mine).text
    sql = "UPDATE reservations SET {} = ? WHERE listing = ?"
    with database.transaction(town.folder) as db:
        later = times.stamp(datetime.now(UTC) + timedelta(hours=24))  # half of its time is over
        db.execute(sql.format("expires"), (later, listing["id"]))
    assert "Appelez la boutique" in resident.get(mine).text
    with database.transaction(town.folder) as db:
        db.execute(sql.format("expires"), (times.stamp(datetime.now(UTC)), listing["id"]))
    town.stop()
    town.serve()  # the sweep begins with the server
    neighbours.eventually(lambda: "Le délai est passé" in resident.get(mine).text)
    assert query(town, "SELECT stock FROM offers WHERE listing = ?", listing["id"]) == [(1,)]


def test_only_pages_that_seal_run_scripts(town: Town, keys: merchant.Made) -> None:
    listing = offered(town, "Glycine")
    page = town.get(where(town, listing))
    assert page.headers["content-security-policy"].endswith("; script-src 'self'")
    assert "connect-src" not in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    (script,) = re.findall(r"<script[^>]*>", page.text)
    assert re.fullmatch(r'<script type="module" src="/static/reserve\.[0-9a-f]{12}\.js">', script)
    assert "script-src" not in town.get("/").headers["content-security-policy"]


def test_no_page_speaks_of_a_purchase(town: Town, keys: merchant.Made) -> None:
    listing = offered(town, "Camélia")
    path = where(town, listing)
    claire = signed_in(town, "claire@example.fr", "--role", "merchant", "--shop", "fleurs")
    pages = [town.get(path).text, Browser(town).follow(path, data=form(town, path)).text]
    pages += [claire.get(f"/ma-boutique/fleurs/{name}").text for name in ("reservations", "cle")]
    for page in pages:
        assert not re.search(r"\bcommand(?:e|er|es)\b|achat|achet|panier", page, re.IGNORECASE)


# --- proof ---------------------------------------------------------------------------------------


def plant(town: Town, keys: merchant.Made, *, switched_off: bool = False) -> None:
    """A reservation with script and one without; switched off, bytes that only look sealed."""
    listing = offered(town, "Preuve")
    path = where(town, listing)
    browser = Browser(town)
    fields = form(town, path)
    words = sealed(keys, town, listing, fields["link"])
    if switched_off:
        clear = sealing.padded(f'{{"name":"{NAME}","contact":"{PHONE}","message":"{MESSAGE}"}}')
        words["sealed"] = sealing.encode(clear + bytes(sealing.OVERHEAD))
    assert browser.post(path, data={**fields, **words}).status_code == 303
    # Without script: whatever a form of somebody else's making adds is not even read.
    fields = form(town, path, nickname=NAME, phone=PHONE, message=MESSAGE)
    assert browser.post(path, data=fields).status_code == 303


def look(town: Town, status: int) -> Any:
    """Every file the node wrote, a copy made while it ran, and its log, by the command."""
    copy = town.folder / "copy.db"
    copy.unlink(missing_ok=True)
    database.copy(town.folder, copy)
    log = town.folder.parent / f"{town.folder.name}.log"
    done = neighbours.echoppe(
        "check", "--sealed", NAME, "Canariplanté", PHONE, MESSAGE, "motcanari", "--also", str(log),
        folder=town.folder, status=status,
    )  # fmt: skip
    return done.stdout


def test_no_planted_word_is_found_in_anything_the_node_wrote(
    town: Town, keys: merchant.Made, tmp_path: Path
) -> None:
    plant(town, keys)
    said = look(town, 0)
    print(said)
    assert "0 found; 0 reservation(s) not sealed." in said
    assert re.search(r"[0-9a-f]{64}  sealing\.js", said)
    # The same search finds them where sealing is switched off: so it can find something.
    plant(town, keys, switched_off=True)
    said = look(town, 1)
    print(said)
    assert said.count("FOUND") >= 5
    assert f"FOUND {NAME!r} in {town.folder / 'copy.db'}" in said
    assert "NOT SEALED" in said
    town.kill()
    shutil.rmtree(town.folder)
