"""Catalogues as CSV: every French dialect read alike, what is broken told with what to do."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from node import csv_dialects, errors, importing, law, pace, reductions
from node.importing import Plan
from node.model import ReductionKind
from node.pace import Pace
from node.store import imports, listings
from tests import ground
from tests.ground import NOW

LINES = 'Référence;Désignation;Prix TTC;Stock\nA1;Pâté de œuf;12,50;3\nA2;Été "chaud";1 234,50 €;\n'
EXPECTED = [
    {"name": "Pâté de œuf", "price": 1250, "sku": "A1", "stock": 3},
    {"name": 'Été "chaud"', "price": 123_450, "sku": "A2"},
]


# What the law asks for has its own tests below: these are about files.
NOTHING_ASKED = law.Law({**law.load().tables, "duties": {"rules": []}})


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Any]:
    with ground.opened(tmp_path / "node") as opened:
        yield opened


def look(db: Any, text: str | bytes, vat: str = "", shop: Any = None) -> Plan:
    data = text if isinstance(text, bytes) else text.encode()
    shop = shop or ground.open_shop(db)
    return importing.look(db, shop, csv_dialects.read(data), vat, NOTHING_ASKED)


def told(plan: Plan) -> list[dict[str, Any]]:
    kept = ("name", "price", "sku", "stock")
    return [{key: item[key] for key in kept if key in item} for item in plan.items]


def quoted(line: str, separator: str = ";") -> str:
    return separator.join('"' + cell.replace('"', '""') + '"' for cell in line.split(";"))


DIALECTS = {
    "utf-8": LINES.encode(),
    "utf-8 with a mark": LINES.encode("utf-8-sig"),
    "Windows": LINES.encode("cp1252"),
    "utf-16": LINES.encode("utf-16"),
    "line ends of Windows": LINES.replace("\n", "\r\n").encode(),
    "line ends of an old Macintosh": LINES.replace("\n", "\r").encode(),
    "tabs": LINES.replace(";", "\t").encode(),
    "bars": LINES.replace(";", "|").encode(),
    "every cell quoted": "\n".join(map(quoted, LINES.splitlines())).encode(),
    "commas, every cell quoted": "\n".join(
        quoted(line, ",") for line in LINES.splitlines()
    ).encode(),
    "blank lines and blanks around": LINES.replace("\n", "\n\n").replace(";", " ; ").encode(),
    "fixed blanks in numbers": LINES.replace("1 234", "1\u202f234").encode(),
    "titles in capitals": LINES.replace("Prix TTC", "PRIX TTC").encode(),
    "columns nobody knows": "\n".join(f"{line};x" for line in LINES.splitlines()).encode(),
}


@pytest.mark.parametrize("data", DIALECTS.values(), ids=DIALECTS)
def test_every_dialect_is_read_alike(db: Any, data: bytes) -> None:
    plan = look(db, data)
    assert told(plan) == EXPECTED
    assert plan.problems == ()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "csv-empty"),
        (b"Nom;Prix\n", "csv-empty"),
        (b"\n\n\n", "csv-empty"),
        (b"PK\x03\x04\x14\x00\x00", "csv-no-text"),
        (b"Nom;Prix\nA\x00B;1", "csv-no-text"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(32)), "csv-no-text"),
        (b'Nom;Prix\n"A;1\n' + b"B;2\n" * 9000, "csv-broken"),
        (b"Nom;Prix\n" + b"A;1\n" * 10_002, "csv-too-many-rows"),
        (b"x" * 5_000_001, "csv-too-large"),
        (b";" * 90 + b"\nA", "csv-too-wide"),
        (b"Titre inconnu;Prix\nA;1", "no-name-column"),
        (b"Nom;Couleur\nA;bleu", "no-price-column"),
        (b"Nom;Prix HT\nA;1", "prices-without-vat"),
    ],
)
def test_files_that_cannot_be_used(db: Any, data: bytes, code: str) -> None:
    with pytest.raises(errors.Invalid) as caught:
        look(db, data)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("12,50", 1250), ("12.50", 1250), ("12", 1200), ("12,5", 1250), ("12,5 €", 1250),
        ("12,50 EUR TTC", 1250), ("1 234,50", 123_450), ("1.234,50", 123_450),
        ("1,234.50", 123_450), ("0,01", 1), ("12,500", None), ("12,5000", 1250), ("12,505", None),
        ("1.234", None), ("-5", None), ("0", None), ("0,00", None), ("", None), ("gratuit", None),
        ("12€50", None), ("1e5", None), ("12,50,30", None), ("=1+1", None), ("99999999999", None),
    ],
)  # fmt: skip
def test_prices_as_they_are_typed(text: str, cents: int | None) -> None:
    """Whether "12,500" is twelve and a half or many thousand, nobody can know."""
    if cents is None:
        with pytest.raises(errors.Invalid):
            importing.price_of(text)
    else:
        assert importing.price_of(text) == cents


@pytest.mark.parametrize(
    ("net", "vat", "cents"),
    [("10", "20", 1200), ("8,29", "20", 995), ("100", "5.5", 10_550), ("1,955", "2.1", 200)],
)
def test_prices_without_vat_and_the_rate_said(net: str, vat: str, cents: int) -> None:
    assert importing.price_of(net, vat) == cents


@pytest.mark.parametrize(
    ("row", "column", "value", "code"),
    [
        (";5;;", "Nom", "", "no-name"),
        (f"{'x' * 121};5;;", "Nom", "x" * 80, "bad-name"),
        ("a\u202eb;5;;", "Nom", "a\u202eb", "bad-name"),
        ("A;;;", "Prix", "", "price-empty"),
        ("A;0;;", "Prix", "0", "price-zero"),
        ("A;-3;;", "Prix", "-3", "price-negative"),
        ("A;1,999;;", "Prix", "1,999", "price-decimals"),
        ("A;cinq;;", "Prix", "cinq", "price-unread"),
        ("A;5;-1;", "Stock", "-1", "bad-stock"),
        ("A;5;beaucoup;", "Stock", "beaucoup", "bad-stock"),
        ("A;5;;3017620422004", "EAN", "3017620422004", "bad-gtin"),
        ("A;5;;3,01762E+12", "EAN", "3,01762E+12", "cut-gtin"),
        ("B;5;;", "Nom", "b", "twice"),
    ],
)
def test_a_row_is_told_with_its_column_and_the_others_go_on(
    db: Any, row: str, column: str, value: str, code: str
) -> None:
    plan = look(db, f"Nom;Prix;Stock;EAN\nB;1;;\n{row}\nC;2;;\n")
    (problem,) = plan.problems
    assert (problem.row, problem.column, problem.code) == (3, column, code)
    assert problem.value == value
    assert [item["name"] for item in plan.items] == ["B", "C"]


def test_formulas_stay_words_and_our_own_apostrophe_is_undone(db: Any) -> None:
    plan = look(db, "Nom;Prix\n=cmd|'/c calc';1\n'=SUM(1);2\n'quoted;3\n")
    assert [item["name"] for item in plan.items] == ["=cmd|'/c calc'", "=SUM(1)", "'quoted"]


def run(db: Any, shop: Any, plan: Plan, *, sell_out: bool = False, sure: bool = False) -> None:
    import_id = importing.keep(db, shop, plan, NOW)
    assert importing.begin(db, shop, import_id, sell_out=sell_out, sure=sure)
    assert not importing.begin(db, shop, import_id, sell_out=sell_out, sure=sure)
    while importing.work(db, ground.URIS, NOW + timedelta(hours=1), NOTHING_ASKED):
        pass
    done = imports.last(db, shop.id)
    assert done is not None
    assert (done.state, done.failed) == ("done", 0)
    assert done.done == len(done.items)


def shelf(db: Any, shop: Any) -> dict[str, Any]:
    return {
        one.name: (one.offers[0].price_cents, one.offers[0].stock)
        for one in listings.find_of_shop(db, shop.id)
    }


def test_again_is_a_diff_that_doubles_and_zeroes_nothing(db: Any) -> None:
    shop = ground.open_shop(db)
    first = "Réf;Nom;Prix;Stock;Description\n" + "".join(
        f"A{n};Produit {n};{n},00;5;Bon\n" for n in range(1, 101)
    )
    run(db, shop, look(db, first.replace("Réf", "Ref"), shop=shop))
    assert len(shelf(db, shop)) == 100
    same = look(db, first.replace("Réf", "Ref"), shop=shop)
    assert (same.new, same.changed, same.same, same.items) == (0, 0, 100, ())
    # One renamed (same number), one at another price, empty cells, one new; the rest is missing.
    text = "Ref;Nom;Prix;Stock;Description\nA1;Renommé;1;;\nA2;Produit 2;9;;\nB;Neuf;3;;\n"
    again = look(db, text, shop=shop)
    assert (again.new, again.changed, len(again.missing), again.half_gone) == (1, 2, 98, True)
    run(db, shop, again)
    found = shelf(db, shop)
    assert len(found) == 101
    assert found["Renommé"] == (100, 5)
    assert found["Produit 2"] == (900, 5)
    assert found["Produit 3"] == (300, 5)  # what the file lacks stays
    listing = next(one for one in listings.find_of_shop(db, shop.id) if one.name == "Renommé")
    assert listing.description == "Bon"


def test_half_the_catalogue_gone_is_asked_twice(db: Any) -> None:
    shop = ground.open_shop(db)
    run(db, shop, look(db, "Ref;Nom;Prix;Stock\nA;A;1;2\nB;B;1;2\nC;C;1;2\n", shop=shop))
    text = "Ref;Nom;Prix;Stock\nA;A;2;2\n"
    run(db, shop, look(db, text, shop=shop), sell_out=True)
    assert shelf(db, shop) == {"A": (200, 2), "B": (100, 2), "C": (100, 2)}
    run(db, shop, look(db, text.replace(";2;", ";3;"), shop=shop), sell_out=True, sure=True)
    assert shelf(db, shop) == {"A": (300, 2), "B": (100, 0), "C": (100, 0)}


def test_found_again_by_barcode_and_by_name(db: Any) -> None:
    shop = ground.open_shop(db)
    ground.publish(db, shop, "Miel", ground.offer(500, gtin="3017620422003"))
    ground.publish(db, shop, "Savon", ground.offer(400, stock=2))
    several = (ground.offer(1, axes={"t": "S"}), ground.offer(2, axes={"t": "L"}))
    ground.publish(db, shop, "Robe", *several)
    plan = look(db, "Nom;Prix;EAN\nMiel d'été;6;3017620422003\nSAVON;4;\nRobe;9;\n", shop=shop)
    assert (plan.new, plan.changed, plan.same) == (0, 2, 0)
    assert [problem.code for problem in plan.problems] == ["choices"]
    run(db, shop, plan)
    assert shelf(db, shop)["Miel d'été"] == (600, None)
    assert shelf(db, shop)["SAVON"] == (400, 2)


def test_another_shops_plan_and_products_are_out_of_reach(db: Any) -> None:
    shop, other = ground.open_shop(db), ground.open_shop(db, "pains")
    theirs = ground.publish(db, other, "Pain")
    import_id = importing.keep(db, shop, look(db, "Nom;Prix\nPain;1\n", shop=shop), NOW)
    assert not importing.begin(db, other, import_id, sell_out=False, sure=False)
    assert importing.begin(db, shop, import_id, sell_out=False, sure=False)
    importing.work(db, ground.URIS, NOW, NOTHING_ASKED)
    assert listings.get(db, theirs.id) == theirs
    assert list(shelf(db, shop)) == ["Pain"]


def test_another_size_of_the_same_name_is_another_product(db: Any) -> None:
    shop = ground.open_shop(db)
    run(db, shop, look(db, "Nom;Référence;Prix\nSavon;A;4\n", shop=shop))
    plan = look(db, "Nom;Référence;Prix\nSavon;C;6\nSavon;A;4\n", shop=shop)
    assert (plan.new, plan.changed, plan.same, plan.missing) == (1, 0, 1, ())


def test_what_cannot_be_read_is_not_gone(db: Any) -> None:
    shop = ground.open_shop(db)
    run(db, shop, look(db, "Nom;Référence;Prix\nMiel;B;9\nSavon;A;4\n", shop=shop))
    plan = look(db, "Nom;Référence;Prix\nMiel;B;neuf\nSavon;A;4\n", shop=shop)
    assert len(plan.problems) == 1
    assert plan.missing == ()
    assert len(look(db, "Nom;Référence;Prix\nSavon;A;4\n", shop=shop).missing) == 1


@pytest.mark.parametrize("lines", ["Savon;;5\nSavon;A;4\n", "Savon;A;4\nSavon;;5\n"])
def test_a_name_takes_nothing_from_the_row_that_has_the_number(db: Any, lines: str) -> None:
    shop = ground.open_shop(db)
    run(db, shop, look(db, "Nom;Référence;Prix\nSavon;A;4\n", shop=shop))
    plan = look(db, "Nom;Référence;Prix\n" + lines, shop=shop)
    assert (plan.new, plan.changed, plan.same, plan.missing) == (1, 0, 1, ())
    assert [item["price"] for item in plan.items] == [500]


@pytest.mark.parametrize(
    ("line", "told"),
    [("Miel neuf;;3017620422003;neuf", 0), ("Miel;;;neuf", 0), ("Confiture;;;neuf", 1)],
    ids=["by its barcode", "by its name", "by nothing"],
)
def test_an_unread_row_is_known_by_whatever_it_has(db: Any, line: str, told: int) -> None:
    shop = ground.open_shop(db)
    header = "Nom;Référence;EAN;Prix\n"
    run(db, shop, look(db, f"{header}Miel;B;3017620422003;9\nSavon;A;;4\n", shop=shop))
    assert len(look(db, f"{header}{line}\nSavon;A;;4\n", shop=shop).missing) == told


def test_an_unread_row_keeps_its_product_from_another_of_the_same_name(db: Any) -> None:
    shop = ground.open_shop(db)
    run(db, shop, look(db, "Nom;Référence;Prix\nSavon;A;4\n", shop=shop))
    plan = look(db, "Nom;Référence;Prix\nSavon;A;quatre\nSavon;;5\n", shop=shop)
    assert (plan.new, plan.changed, len(plan.problems)) == (1, 0, 1)


@pytest.mark.parametrize(
    ("told", "kind", "cents"),
    [("20.00", "same", 1500), ("18.00", "changed", 1800), ("15.00", "same", 1500)],
    ids=["as before its reduction", "a third price", "as reduced"],
)
def test_a_file_beside_a_running_promotion(db: Any, told: str, kind: str, cents: int) -> None:
    shop = ground.open_shop(db)
    listing = ground.publish(db, shop, "Pull", ground.offer(2000, sku="P"))
    wish = reductions.Wish(
        ReductionKind.PROMOTION, 1500, NOW.date(), NOW.date() + timedelta(days=6)
    )
    (verdict,) = reductions.decide(
        db, ground.URIS, shop, listing.id, [(listing.offers[0].id, wish)], NOW, law.load()
    )
    assert verdict.allowed
    text = f"Nom;Référence;Prix\nPull;P;{told}\n"
    plan = look(db, text, shop=shop)
    assert (plan.changed, plan.same) == ((1, 0) if kind == "changed" else (0, 1))
    run(db, shop, plan)
    assert shelf(db, shop)["Pull"] == (cents, None)


@pytest.mark.parametrize("net", ["1.234,567", "1'234,567", "1,234,567"])
def test_a_price_of_several_readings_is_no_price(net: str) -> None:
    with pytest.raises(errors.Invalid):
        importing.price_of(net, "20")


def test_a_long_file_lets_searches_go_first(db: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[Pace] = []
    monkeypatch.setattr(Pace, "turn", lambda self: turns.append(self))
    look(db, "Nom;Prix\n" + "".join(f"Savon {n};5\n" for n in range(50)))
    assert len(turns) >= 3 * 50  # each row as it is cut, read, and compared


def test_work_that_never_rested_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    clock: list[float] = [0.0]
    slept: list[float] = []
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(time, "sleep", slept.append)
    taken = Pace()
    for _ in range(10):
        clock[0] += pace.WORKED / 2
        taken.turn()
    assert slept == [pace.RESTS] * 3
