"""The pages that the law asks for: what they say is what the settings and the code have."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from node import accounts, joining, mail, media, notices, publications, reservations, team
from node.exchange import enquiries
from node.web import publishing
from tests import neighbours
from tests.flows.test_merchant import Browser, signed_in
from tests.neighbours import Town

PAGES = (
    "/mentions-legales", "/accessibilite", "/donnees-personnelles", "/mes-donnees", "/classement",
    "/regles", "/transparence", "/contact", "/code-source", "/plan-du-site", "/credits",
    "/signaler",
)  # fmt: skip
LEGAL = {
    "publisher": "Claire <Martin>, maire",
    "address": "Hôtel de ville, 33600 Pessac",
    "phone": "05 57 93 63 63",
    "host": "Commune de Pessac, même adresse",
    "data_protection": "dpo@pessac.example",
    "contact_point": "contact@pessac.example",
    "security": "mailto:securite@pessac.example",
    "source": "https://git.pessac.example/echoppe",
}


def rewrite(town: Town, line: str) -> None:
    """Sets a line of [node]."""
    file = town.folder / "instance.toml"
    key = line.split(" ")[0]
    kept = re.sub(rf"(?m)^{key} = .*\n", "", file.read_text())
    file.write_text(kept.replace("[node]\n", f"[node]\n{line}\n"))


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Town, Town]]:
    """Pessac, which has said everything, and Mérignac's association, which has said nothing."""
    told, silent = neighbours.found(["Pessac", "FR-33281"], tmp_path_factory.mktemp("law"))
    rewrite(told, 'contact = "05 57 93 63 63"')
    with (told.folder / "instance.toml").open("a") as settings:
        settings.write("\n[legal]\n" + "".join(f'{key} = "{LEGAL[key]}"\n' for key in LEGAL))
    rewrite(silent, 'operator = "association"')
    with neighbours.serving([told, silent]):
        yield told, silent


def test_every_page_is_there_and_leads_to_the_others(towns: tuple[Town, Town]) -> None:
    for prefix in ("", "/en"):
        plan = towns[0].get(f"{prefix}/plan-du-site").text
        for path in PAGES:
            answer = towns[0].get(prefix + path)
            assert answer.status_code == 200, path
            assert answer.text.count("<h1") == 1
            assert f'href="{prefix}{path}"' in plan
            for one in ("/mentions-legales", "/classement", "/signaler", "/plan-du-site"):
                assert f'href="{prefix}{one}"' in answer.text, path


def test_what_is_set_is_said_and_what_is_not_is_called_so(towns: tuple[Town, Town]) -> None:
    told, silent = towns
    page = told.get("/mentions-legales").text
    assert "Claire &lt;Martin&gt;, maire" in page
    for key in ("address", "phone", "host"):
        assert LEGAL[key] in page
    assert "pas encore indiqué" not in page
    assert LEGAL["data_protection"] in told.get("/donnees-personnelles").text
    assert LEGAL["contact_point"] in told.get("/contact").text
    assert f'href="{LEGAL["source"]}"' in told.get("/code-source").text
    assert silent.get("/mentions-legales").text.count("pas encore indiqué") >= 4
    # The texts branch on who runs the site.
    assert "mission d’intérêt public" in told.get("/donnees-personnelles").text
    assert "intérêt légitime" in silent.get("/donnees-personnelles").text
    assert "2005-102" in told.get("/accessibilite").text
    assert "2005-102" not in silent.get("/accessibilite").text
    assert "non conforme" in told.get("/accessibilite").text
    steward = signed_in(told, "nadia@example.fr", "--role", "steward")
    assert "À compléter" not in steward.get("/gestion/loi").text
    steward = signed_in(silent, "odile@example.fr", "--role", "steward")
    assert steward.get("/gestion/loi").text.count("À compléter") == 9
    assert Browser(told).get("/gestion/loi").status_code == 401
    rules = steward.get("/gestion/loi").text
    assert "arrêté du 16 novembre 1999" in rules  # what products have to say, with its article
    assert rules.count("à faire relire") >= 5


def test_how_long_things_are_kept_is_how_long_the_code_keeps_them(
    towns: tuple[Town, Town],
) -> None:
    page = towns[0].get("/en/donnees-personnelles").text
    rows = dict(re.findall(r'role="rowheader">([^<]*)</th><td[^>]*>([^<]*)<', page))
    assert rows["A reservation, after it ended"] == f"{reservations.KEPT.days} days"
    for name, long in (
        ("A report: your words, name and address, after the decision", notices.FORGOTTEN_AFTER),
        ("A private message to a shop from another server", enquiries.KEPT),
        ("A shop that was begun and never sent, or not opened", joining.BEGUN_KEPT),
        ("A session, and its cookie", accounts.SESSION_LASTS),
        ("A merchant’s draft", publishing.DRAFTS_KEPT),
        ("A mail that waits to be sent", mail.KEPT),
        ("That a mail was sent: address and time", mail.TRACES_KEPT),
        ("What helpers did at a shop", team.DEEDS_KEPT),
        ("What stewards did: who, what, on what and when", notices.DEEDS_KEPT),
        (
            "That a listing was withdrawn, so that other sites forget it, too",
            publications.TOMBSTONES_KEPT,
        ),
    ):
        assert rows[name] == f"{long.days} days", name
    assert rows["A sign-in code"] == f"{accounts.CODE_LASTS.total_seconds() / 60:.0f} min"
    assert rows["A photo that was sent and not published"] == "a day"
    assert media.DRAFTS_KEPT.days == 1
    rules = towns[0].get("/en/regles").text
    assert f"has {notices.CORRECT_WITHIN.days} days" in rules
    assert "appeal for 6 months" in rules
    assert notices.APPEAL_WITHIN.days // 30 == 6
    assert rules.count("<li>Suspend the shop</li>") == 1


def test_whom_to_tell_of_a_hole(towns: tuple[Town, Town]) -> None:
    """RFC 9116: Contact and Expires are needed, Expires once and less than a year ahead."""
    for town, contact in zip(towns, (LEGAL["security"], f"{towns[1].url}/contact"), strict=True):
        answer = town.get("/.well-known/security.txt")
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        fields = dict(line.split(": ", 1) for line in answer.text.splitlines())
        assert fields["Contact"] == contact
        ahead = datetime.fromisoformat(fields["Expires"]) - datetime.now(UTC)
        assert 150 < ahead.days < 365
        assert fields["Canonical"] == f"{town.url}/.well-known/security.txt"
