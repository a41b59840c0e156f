"""The frame of the pages over plain HTTP: headers, validators, compression, languages, feeds."""

import gzip
import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator

import httpx2
import pytest

from tests import neighbours
from tests.neighbours import Town

ATOM = "{http://www.w3.org/2005/Atom}"
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
FIRST_VIEW_MOST = 25_000  # bytes, compressed: the page and its stylesheet
STYLESHEET_MOST = 20_000  # bytes, as written


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Pessac, with a shop and enough listings for a full page."""
    (town,) = neighbours.found(["Pessac"], tmp_path_factory.mktemp("frame"))
    settings = town.folder / "instance.toml"
    settings.write_text(
        settings.read_text().replace(
            'contact = ""', 'contact = "05 56 00 11 22"\ncolour = "#7a1f3d"'
        )
    )
    with neighbours.serving([town]):
        town.run("shop", "add", "ruche", "--name", "La Ruche", "--commune", "Pessac",
                 "--phone", "05 56 00 00 00")  # fmt: skip
        for number in range(21):
            town.run("listing", "add", "ruche", "--name", f"Miel & pollen <n° {number}>",
                     "--price", "2,40", "--category", "epicerie.miel", "--quantity", "1",
                     "--unit", "piece", "--allergens", "none", "--origin", "France")  # fmt: skip
        yield town


def raw(town: Town, path: str, **headers: str) -> httpx2.Response:
    """An answer whose body is left as it came."""
    with (
        httpx2.Client(timeout=neighbours.PATIENCE) as client,
        client.stream("GET", f"{town.url}{path}", headers=headers) as answer,
    ):
        body = b"".join(answer.iter_raw())
    return httpx2.Response(
        answer.status_code,
        headers={k: v for k, v in answer.headers.items() if k != "content-encoding"}
        | {"x-encoding": answer.headers.get("content-encoding", "")},
        content=body,
    )


def stylesheet(page: str) -> str:
    found = re.search(r'<link rel="stylesheet" href="(/static/site\.[0-9a-f]{12}\.css)">', page)
    assert found
    return found[1]


# --- Weight and keeping --------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/recherche?q=miel", "/boutiques", "/@ruche"])
def test_a_first_view_is_light(town: Town, path: str) -> None:
    page = raw(town, path, **{"Accept-Encoding": "gzip"})
    assert page.headers["x-encoding"] == "gzip"
    text = gzip.decompress(page.content).decode()
    sheet = raw(town, stylesheet(text), **{"Accept-Encoding": "gzip"})
    assert sheet.headers["x-encoding"] == "gzip"
    assert len(page.content) + len(sheet.content) < FIRST_VIEW_MOST
    assert len(gzip.decompress(sheet.content)) < STYLESHEET_MOST
    # Nothing else is needed to see the page: no script, and no other host.
    assert "<script src" not in text
    assert not re.search(r'(?:src|href)="//', text)


def test_files_are_kept_for_ever_under_their_content(town: Town) -> None:
    path = stylesheet(town.get("/").text)
    sheet = town.get(path)
    assert sheet.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert sheet.headers["content-type"] == "text/css; charset=utf-8"
    assert "Accept-Encoding" in sheet.headers["vary"]
    assert "#7a1f3d" in sheet.text  # the commune's colour
    assert sheet.text.count("{") == sheet.text.count("}")
    assert not re.search(r",\s*[{}]", sheet.text)
    for named in re.findall(r"url\(([^)]+)\)", sheet.text):
        assert town.get(f"/static/{named}").headers["content-type"] == "image/svg+xml"
    assert town.get("/static/site.000000000000.css").status_code == 404
    assert town.get("/static/site.css").status_code == 404


def test_a_page_that_is_known_is_not_sent_again(town: Town) -> None:
    page = town.get("/@ruche")
    etag = page.headers["etag"]
    assert page.headers["cache-control"] == "no-cache"
    again = town.get("/@ruche", headers={"If-None-Match": f'"other", {etag}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == etag
    assert "Accept" in again.headers["vary"]
    assert town.get("/@ruche", headers={"If-None-Match": '"other"'}).status_code == 200
    town.run("shop", "add", "pain", "--name", "Pain", "--commune", "Pessac")
    known = town.get("/@pain").headers["etag"]
    town.run("listing", "add", "pain", "--name", "Tourte", "--price", "5")

    def changed() -> bool:
        return town.get("/@pain", headers={"If-None-Match": known}).status_code == 200

    assert neighbours.eventually(changed)


def test_only_who_accepts_it_gets_a_page_compressed(town: Town) -> None:
    for accepted, encoding in (
        ("gzip", "gzip"), ("br, gzip;q=0.5", "gzip"), ("*", "gzip"), ("gzip;q=0", ""),
        ("identity", ""), ("br", ""), ("gzip;q=0, *", ""), (",,,;;;q=", ""),
    ):  # fmt: skip
        page = raw(town, "/boutiques", **{"Accept-Encoding": accepted})
        assert page.headers["x-encoding"] == encoding, accepted
        assert "Accept-Encoding" in page.headers["vary"]
    assert raw(town, "/robots.txt", **{"Accept-Encoding": "gzip"}).headers["x-encoding"] == ""


def test_what_is_private_is_neither_kept_nor_compressed(town: Town) -> None:
    link = town.run("account", "invite", "a@example.fr", "--role", "steward")["link"]
    page = raw(town, link.removeprefix(town.url), **{"Accept-Encoding": "gzip"})
    assert page.headers["x-encoding"] == ""
    assert page.headers["cache-control"] == "no-store"
    assert "etag" not in page.headers


def test_head_says_what_get_would(town: Town) -> None:
    for path in ("/", "/@ruche", "/recherche?q=miel", "/sitemap.xml", "/robots.txt"):
        head = httpx2.head(f"{town.url}{path}", timeout=neighbours.PATIENCE)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-type"] == town.get(path).headers["content-type"]


# --- Who may read, and how -----------------------------------------------------------------------


def test_every_page_carries_the_policy_and_no_cookie(town: Town) -> None:
    for path in ("/", "/recherche?q=miel", "/@ruche", "/nothing", "/en/", "/classement"):
        page = town.get(path)
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert page.headers["referrer-policy"] == "same-origin"
        assert page.headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in page.headers
        assert " style=" not in page.text
        assert "<style" not in page.text


def test_errors_help_and_repeat_nothing(town: Town) -> None:
    for path, status in (
        ("/nothing-%3Cscript%3Eherring", 404), ("/@nobody-herring", 404), ("/rayon/herring", 404),
        ("/recherche?q=miel&suite=herring", 400), ("/@ruche/herring-00000000", 404),
        ("/static/herring.css", 404), ("/en/herring", 404), ("/sitemap-999.xml", 404),
    ):  # fmt: skip
        page = town.get(path, headers={"Accept": "text/html"})
        assert page.status_code == status, path
        assert "herring" not in page.text
        assert 'href="/boutiques"' in page.text or 'href="/en/boutiques"' in page.text
    assert httpx2.post(f"{town.url}/boutiques", timeout=neighbours.PATIENCE).status_code == 405


def test_another_name_is_led_to_the_right_one(town: Town) -> None:
    page = town.get("/", headers={"Host": "evil.example"})
    assert page.status_code == 421
    assert f'href="{town.url}/"' in page.text
    assert "evil.example" not in page.text


def test_a_withdrawn_listing_says_so(town: Town) -> None:
    made = town.run("listing", "add", "ruche", "--name", "Rayon de cire", "--price", "9")
    path = made["url"].removeprefix(town.url)
    assert town.get(path).status_code == 200
    town.run("listing", "withdraw", made["id"])
    gone = neighbours.eventually(lambda: (page := town.get(path)).status_code == 410 and page)
    assert "n’est plus proposé" in gone.text


# --- Languages -----------------------------------------------------------------------------------


def test_english_is_beside_french(town: Town) -> None:
    french = town.get("/@ruche", headers={"Accept-Language": "en"})
    assert '<html lang="fr">' in french.text  # the address decides, nothing else
    assert f'hreflang="en" href="{town.url}/en/@ruche"' in french.text
    english = town.get("/en/@ruche")
    assert '<html lang="en">' in english.text
    assert f'<link rel="canonical" href="{town.url}/en/@ruche">' in english.text
    assert "On the shelves" in english.text
    links = re.findall(r'<a [^>]*href="(/[^"]*)"', english.text)
    assert len(links) > 20
    assert [link for link in links if not link.startswith("/en/")] == []
    page = town.get(next(link for link in links if link.startswith("/en/@ruche/miel")))
    assert "In stock" in page.text
    assert "€2.40" in page.text


def test_every_page_is_there_in_both_languages(town: Town) -> None:
    for path in ("/", "/recherche", "/boutiques", "/rayons", "/rayon/epicerie", "/commune",
                 "/mentions-legales", "/accessibilite", "/donnees-personnelles", "/classement",
                 "/credits"):  # fmt: skip
        for prefix in ("", "/en"):
            page = town.get(prefix + path)
            assert page.status_code == 200, prefix + path
            assert page.text.count("<h1") == 1
            assert "05 56 00 11 22" in page.text  # help, at the same place on every page
    assert town.get("/en").status_code in (200, 307)
    assert town.get("/fr/").status_code == 404


def test_no_page_links_to_what_is_not_there(town: Town) -> None:
    seen: set[str] = set()
    waiting = ["/", "/en/", "/recherche?q=miel", "/@ruche", "/commune?ou=Saint-Denis"]
    while waiting:
        path = waiting.pop()
        page = town.get(path)
        assert page.status_code == 200, path
        if page.headers["content-type"].startswith("text/html") and len(seen) < 60:
            for link in re.findall(r'href="(/[^"#]*)', page.text):
                address = link.replace("&amp;", "&")
                if address not in seen and "/rayon/" not in address and "ou=FR" not in address:
                    seen.add(address)
                    waiting.append(address)
    assert len(seen) > 30


# --- For programs --------------------------------------------------------------------------------


def test_feeds_of_a_search_a_shelf_and_a_shop(town: Town) -> None:
    for path in ("/recherche.atom?q=miel", "/@ruche.atom", "/en/@ruche.atom"):
        answer = town.get(path)
        assert answer.headers["content-type"].startswith("application/atom+xml")
        assert town.get(path, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
        feed = ElementTree.fromstring(answer.content)
        assert feed.findtext(f"{ATOM}id") == f"{town.url}{path}"
        entries = feed.findall(f"{ATOM}entry")
        assert len(entries) >= 20
        titles = [entry.findtext(f"{ATOM}title") for entry in entries]
        assert "Miel & pollen <n° 3>" in titles
        for entry in entries:
            link = entry.find(f"{ATOM}link")
            assert link is not None
            assert link.attrib["href"].startswith(f"{town.url}/@ruche/")
            assert re.fullmatch(r"20\d\d-.*Z", entry.findtext(f"{ATOM}updated") or "")
    assert '<link rel="alternate" type="application/atom+xml" href="/@ruche.atom">' in (
        town.get("/@ruche").text
    )
    assert town.get("/rayon/epicerie.atom").status_code == 200
    assert town.get("/rayon/nothing.atom").status_code == 404
    assert town.get("/@nobody.atom").status_code == 404


def test_the_map_of_the_site_leads_to_everything(town: Town) -> None:
    assert f"Sitemap: {town.url}/sitemap.xml" in town.get("/robots.txt").text
    index = ElementTree.fromstring(town.get("/sitemap.xml").content)
    maps = [one.text or "" for one in index.iter(f"{MAP}loc")]
    found: list[str] = []
    for one in maps:
        part = ElementTree.fromstring(town.get(one.removeprefix(town.url)).content)
        found += [place.text or "" for place in part.iter(f"{MAP}loc")]
    assert f"{town.url}/@ruche" in found
    assert sum("/@ruche/miel" in one for one in found) == 21
    assert len(found) == len(set(found))


def test_linked_data_cannot_end_its_element(town: Town) -> None:
    made = town.run("listing", "add", "ruche", "--name", "A</script><b>", "--price", "1",
                    "--description", "<!--<script>")  # fmt: skip
    page = neighbours.eventually(
        lambda: (
            (answer := town.get(made["url"].removeprefix(town.url))).status_code == 200 and answer
        )
    )
    block = re.search(r'<script type="application/ld\+json">(.*?)</script>', page.text, re.S)
    assert block
    assert json.loads(block[1])["name"] == "A</script><b>"
    assert "A</script><b>" not in page.text
