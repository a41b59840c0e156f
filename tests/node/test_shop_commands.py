"""`echoppe shop` and `listing`: when a shop is open, what it takes, where it delivers."""

import json
from pathlib import Path
from typing import Any

import pytest

from node import cli
from node.store import changes, database
from tests import neighbours

URL = "https://boutiques.pessac.example"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A node where each test has a shop of its own; that of `test` is there already."""
    made = tmp_path_factory.mktemp("srv") / "boutiques"
    neighbours.echoppe("init", str(made), "--url", URL, "--name", "Pessac", "--commune", "Pessac")
    neighbours.echoppe(*added("test"), "--hours", "lun 9h-12h", folder=made)
    return made


def added(handle: str) -> tuple[str, ...]:
    return "shop", "add", handle, "--name", "Fleurs", "--commune", "Pessac"


class Node:
    """The commands on one folder, within this process."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._folder, self._capsys = folder, capsys

    def says(self, *arguments: str) -> str:
        assert cli.main(["-C", str(self._folder), *arguments]) == 0
        return self._capsys.readouterr().out

    def run(self, *arguments: str) -> Any:
        return json.loads(self.says(*arguments, "--json"))

    def refuses(self, *arguments: str) -> str:
        assert cli.main(["-C", str(self._folder), *arguments]) == 1
        said = self._capsys.readouterr()
        assert said.out == ""
        assert said.err.count("\n") == 1
        return said.err


@pytest.fixture
def node(folder: Path, capsys: pytest.CaptureFixture[str]) -> Node:
    capsys.readouterr()
    return Node(folder, capsys)


def test_a_shop_is_opened_with_all_that_it_tells(node: Node) -> None:
    shop = node.run(
        *added("all"), "--hours", "mar-sam 9h-12h30; fériés fermé", "--closed",
        "2030-08-01 au 2030-08-15",
        "--exception", "2030-12-24 9h-16h: veille", "--payment", "card, cash", "--payment",
        "cheque", "--step-free", "--delivers-to", "Pessac", "--delivers-to", "33063",
        "--delivers-km", "7,5", "--delivery-price", "3,50", "--free-from", "40",
        "--delivery-days", "mar jeu", "--delivery-ahead", "1", "--delivery-until", "12h",
        "--ready", "120",
    )  # fmt: skip
    assert shop["hours"]["weekly"][0] == {"day": "tuesday", "opens": "09:00", "closes": "12:30"}
    assert len(shop["hours"]["weekly"]) == 5
    assert shop["hours"]["closed_on_holidays"] is True
    assert shop["hours"]["special"] == [
        {"first": "2030-08-01", "last": "2030-08-15", "spans": [], "note": ""},
        {"first": "2030-12-24", "last": "2030-12-24",
         "spans": [{"opens": "09:00", "closes": "16:00"}], "note": "veille"},
    ]  # fmt: skip
    assert shop["open_now"] in (True, False)
    assert (shop["open_until"] is None) == (not shop["open_now"])
    assert shop["payments"] == ["cash", "card", "cheque"]
    assert shop["step_free"] is True
    assert shop["delivery"] == {
        "places": ["FR-33318", "FR-33063"],
        "radius_km": 7.5,
        "price": {"amount": "3.50", "currency": "EUR"},
        "free_from": {"amount": "40.00", "currency": "EUR"},
        "days": ["tuesday", "thursday"],
        "ahead_days": 1,
        "until": "12:00",
    }
    assert shop["ready_minutes"] == 120
    (listed,) = [one for one in node.run("shop", "list") if one["handle"] == "all"]
    assert {**listed, "listings": None} == {**shop, "listings": None}


def test_what_was_never_told_is_null(node: Node) -> None:
    shop = node.run(*added("bare"))
    told = ("hours", "open_now", "open_until", "opens_next", "step_free", "delivery")
    assert [shop[name] for name in told] == [None] * len(told)
    assert shop["payments"] == []


def test_what_is_not_named_stays_and_emptiness_takes_it_back(node: Node, folder: Path) -> None:
    revise = ("shop", "revise", "changing")
    opened = node.run(
        *added("changing"), "--phone", "0556000000", "--hours", "lun 9h-12h", "--closed",
        "2030-01-01", "--payment", "cash", "--no-step-free", "--delivers-km", "5", "--lat", "44.8",
        "--lon", "-0.6",
    )  # fmt: skip
    assert opened["step_free"] is False

    def head() -> int:
        with database.reading(folder) as db:
            return changes.head(db)

    before = head()
    assert node.run(*revise) == opened
    assert head() == before
    assert "nothing was changed" in node.says(*revise, "--payment", "cash")

    revised = node.run(*revise, "--hours", "mar 9h-12h", "--delivery-price", "0", "--step-free")
    assert head() == before + 1
    assert [one["day"] for one in revised["hours"]["weekly"]] == ["tuesday"]
    assert len(revised["hours"]["special"]) == 1  # exceptions outlive the week
    assert revised["delivery"]["radius_km"] == 5.0
    assert revised["delivery"]["price"]["amount"] == "0.00"
    assert revised["step_free"] is True
    assert revised["phone"] == "0556000000"

    revised = node.run(*revise, "--exception", "2030-01-01 9h-10h", "--name", "Au Fil")
    assert [len(one["spans"]) for one in revised["hours"]["special"]] == [1]  # told anew
    assert revised["name"] == "Au Fil"
    assert (revised["latitude"], revised["longitude"]) == (44.8, -0.6)

    revised = node.run(
        *revise, "--no-exceptions", "--payment", "", "--no-delivery", "--phone", "",
        "--commune", "Bordeaux",
    )  # fmt: skip
    assert revised["hours"]["special"] == []
    assert (revised["payments"], revised["delivery"], revised["phone"]) == ([], None, None)
    assert revised["place"] == "FR-33063"
    assert revised["latitude"] is None  # its point was in the other commune
    assert node.run(*revise, "--hours", "")["hours"] is None
    assert (
        node.run(*revise, "--hours", "lun 9h-12h", "--closed", "2020-01-01")["hours"]["special"]
        == []
    )  # over already


def test_people_are_told_how_their_words_were_understood(node: Node) -> None:
    said = node.says(
        "shop", "revise", "test", "--hours", "mar-sam 9h-12h30", "--closed", "2030-08-01: congés"
    )
    text = said.replace("\u00a0", " ")
    assert "  Tuesday to Saturday: 9 am to 12:30 pm\n" in text
    assert "  on 1 August 2030: closed (congés)\n" in text
    assert "Now: " in text


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--hours", "lundi au travail"], "'travail' is not understood"),
        (["--hours", "lun 14h-12h"], "ends before it begins"),
        (["--closed", "demain"], "no date at the beginning"),
        (["--closed", "2030-12-24 9h-12h"], "Use --exception"),
        (["--exception", "30 février 9h-12h"], "no such day"),
        (["--payment", "bitcoin"], "known: cash, card"),
        (["--delivers-to", "Nulleparville"], "Nulleparville"),
        (["--delivers-km", "loin"], "kilometres"),
        (["--delivers-km", "900"], "500 kilometres"),
        (["--delivery-price", "3"], "communes it goes to"),
        (["--delivers-km", "5", "--free-from", "40"], "price below it"),
        (["--delivers-km", "5", "--delivery-price", "cher"], "12.50"),
        (["--delivers-km", "5", "--delivery-days", "demain"], "mar jeu"),
        (["--delivers-km", "5", "--delivery-days", "mar", "--delivery-until", "midi"], "12h30"),
        (["--delivers-km", "5", "--delivery-ahead", "1"], "which days"),
        (["--ready", "bientôt"], "whole number"),
        (["--ready", "999999"], "14 days"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_cannot_be_used_is_said_in_a_sentence(
    node: Node, arguments: list[str], says: str
) -> None:
    assert says in node.refuses("shop", "revise", "test", *arguments)
    assert says in node.refuses(*added("pain"), "--hours", "lun 9h-12h", *arguments)


def test_exceptions_need_a_week(node: Node) -> None:
    assert "--hours" in node.refuses(*added("pain"), "--closed", "2030-12-24")
    assert "no shop 'pain'" in node.refuses("shop", "revise", "pain", "--hours", "lun 9h-12h")


def test_a_listing_says_what_it_is_and_how_it_is_had(node: Node) -> None:
    add = ("listing", "add", "test", "--name", "Rosier", "--price", "12.50")
    goods = node.run(*add)
    assert (goods["kind"], goods["pick_up"], goods["delivered"]) == ("goods", True, False)
    service = node.run(*add, "--service", "--no-pick-up", "--delivered")
    assert (service["kind"], service["pick_up"], service["delivered"]) == ("service", False, True)
    revised = node.run("listing", "revise", service["id"], "--price", "13")
    assert (revised["kind"], revised["pick_up"], revised["delivered"]) == ("service", False, True)
    revised = node.run(
        "listing", "revise", service["id"], "--no-service", "--pick-up", "--no-delivered"
    )
    assert (revised["kind"], revised["pick_up"], revised["delivered"]) == ("goods", True, False)
    assert "fetched at the shop, delivered" in node.refuses(*add, "--no-pick-up")
    assert "say where the shop delivers" in node.says(*add, "--delivered")
    node.says("shop", "revise", "test", "--delivers-km", "5")
    assert "say where the shop delivers" not in node.says(*add, "--delivered")
