"""What the law asks of a listing by its shelf, and what cannot be offered: law.toml, applied."""

import copy
import dataclasses
from pathlib import Path

import pytest

from node import categories, duties, errors, law
from node.demo import content
from node.model import Condition, Contact, Kind, Particulars
from tests import ground

LAW = law.load()
MAKER = Contact("Atelier du Pin", "3 rue des Pins, 33600 Pessac", "contact@pin.example")


@pytest.mark.parametrize(
    ("category", "name", "more", "here", "away"),
    [
        (None, "Pain", {}, "", ""),
        ("jardin.fleurs", "Bouquet de saison", {}, "", ""),
        ("culture.livres", "Roman", {}, "", "maker"),
        ("boulangerie.pain", "Pain de campagne", {}, "allergens", "allergens"),
        ("boulangerie", "Pain", {"particulars": Particulars(allergens=())}, "", ""),
        ("boulangerie", "Pain", {"particulars": Particulars(allergens=("gluten",))}, "", ""),
        ("epicerie.miel", "Miel de lavande", {}, "allergens origin unit", "allergens origin unit"),
        ("epicerie.miel", "Confiture de figues", {}, "allergens unit", "allergens unit"),
        (
            "epicerie.miel",
            "Miels d’été",
            {"particulars": Particulars(allergens=(), origin="France")},
            "unit",
            "unit",
        ),
        ("epicerie.huiles", "Huile d'olive", {}, "allergens origin unit", "allergens origin unit"),
        ("epicerie.huiles", "Huile de colza", {}, "allergens unit", "allergens unit"),
        ("primeur.fruits", "Pommes", {}, "origin unit", "origin unit"),
        ("primeur.paniers", "Panier de la semaine", {}, "", ""),
        ("cremerie.oeufs", "Œufs plein air", {}, "unit", "unit"),
        ("viande.boucherie", "Entrecôte", {}, "origin unit", "origin unit"),
        ("viande.charcuterie", "Saucisson", {}, "allergens unit", "allergens unit"),
        ("poisson.coquillages", "Huîtres", {}, "origin", "origin"),
        ("boissons.vin", "Côtes de Bourg", {}, "allergens unit", "allergens unit strength"),
        (
            "boissons.vin",
            "Côtes de Bourg",
            {"particulars": Particulars(allergens=("sulphites",), strength=135)},
            "unit",
            "unit",
        ),
        ("services.repas", "Plat du jour", {}, "allergens", "allergens"),
        ("services.repas", "Traiteur à domicile", {"kind": Kind.SERVICE}, "", ""),
        ("culture.jeux", "Train en bois", {}, "maker", "maker"),
        ("culture.jeux", "Train en bois", {"particulars": Particulars(maker=MAKER)}, "", ""),
        ("culture.jeux", "Train en bois", {"condition": Condition.USED}, "", ""),
        ("mode.vetements", "Robe", {}, "", "maker"),
        ("maison.electromenager", "Bouilloire", {}, "maker", "maker"),
        ("maison.electromenager", "Lave-linge 8 kg", {}, "energy maker", "energy maker"),
        (
            "maison.electromenager",
            "Four encastrable",
            {"particulars": Particulars(maker=MAKER, energy="none")},
            "",
            "",
        ),
        ("maison.decoration", "Ampoules LED", {}, "energy", "energy maker"),
        ("maison.decoration", "Bougie", {}, "", "maker"),
    ],
)
def test_what_is_asked_on_a_shelf(
    category: str | None, name: str, more: dict[str, object], here: str, away: str
) -> None:
    draft = ground.draft(name, category=category, **more)
    for distance, expected in ((False, here), (True, away)):
        told = duties.missing(draft, distance, LAW)
        assert {one.field for one in told} == set(expected.split()), distance
        assert all(one.article and one.why["fr"] and one.why["en"] for one in told)


def test_a_quantity_is_asked_where_there_is_one_price() -> None:
    several = (ground.offer(axes={"poids": "250 g"}), ground.offer(axes={"poids": "1 kg"}))
    for offers in (
        several,
        (dataclasses.replace(ground.offer(), quantity_milli=250_000, unit="g"),),
        (dataclasses.replace(ground.offer(), price_cents=None),),
    ):
        draft = ground.draft("Pommes", *offers, category="primeur.fruits")
        assert [one.field for one in duties.missing(draft, False, LAW)] == ["origin"]


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("Cigarettes blondes", "tobacco"),
        ("Paquet de 20 cigarettes", "tobacco"),
        ("Tabac à rouler 30 g", "tobacco"),
        ("CIGARES cubains", "tobacco"),
        ("E-liquide fraise 10 ml", "vaping"),
        ("Cigarette électronique", "vaping"),
        ("Doliprane 1000 mg", "medicines"),
        ("Boîte de paracétamol", "medicines"),
        ("Fusil de chasse calibre 12", "weapons"),
        ("Lot de 25 cartouches de chasse", "weapons"),
        ("Pistolet d’alarme", "weapons"),
        ("Feux d’artifice", "fireworks"),
        ("Pétards, le lot de 50", "fireworks"),
        ("Chiots bergers", "animals"),
        ("2 cochons d’Inde", "animals"),
        ("Résine de cannabis", "drugs"),
    ],
)
def test_what_cannot_be_offered(name: str, rule: str) -> None:
    found = duties.refused(name, None, LAW)
    assert found is not None
    assert found.id == rule
    assert found.why["fr"].endswith(".")


@pytest.mark.parametrize(
    "name",
    [
        "Pistolet à colle", "Pistolet à peinture", "Pistolet d’arrosage", "Pistolet à eau",
        "Pull couleur tabac", "Sac en cuir tabac", "Tabac d’ornement, le plant",
        "Bougie tabac blond", "Couteau à pain", "Couteau à huîtres", "Couteau suisse",
        "Fusil à aiguiser", "Fusil de cuisine", "Cigarettes russes, 200 g",
        "Cigarette en chocolat", "Étui à cigarettes", "Cave à cigares", "Cigare au miel",
        "Housse pour fusil de chasse", "Cartouche d’encre", "Cartouche de gaz",
        "Grenade du Maroc", "Sirop de grenadine", "Armoire à médicaments", "Pilulier",
        "Croquettes pour chiot", "Panier pour chien", "Collier chaton", "Chaton de saule",
        "Peluche chiot", "Hamster en peluche", "Furet de plombier", "Cage à perruche",
        "Pétards à confettis", "Moule à balle de neige", "Balles de tennis",
        "Poudre de chasse-taches", "Fusée de détresse en jouet", "Poisson rouge en bois",
        "Revolver pour enfant à amorces", "Chanvre à pailler", "Vapeur, fer à repasser",
        "Bombe de peinture", "Bombe à graines", "Arme secrète, roman", "Aspirateur", "Pouf",
        "Artichaut", "Feu de camp en bouteille", "Herbe à chat", "Lapin fermier", "Canard",
        "Tortue en chocolat", "Munster", "Cigares au fromage", "Cigares de dinde", "Tabac (robe)",
        "Cigares aux amandes", "Puff pouf", "Aspirine pour plantes", "Fusil de chasse sous-marine",
        "Carabine à fléchettes", "Fumigène pour ruche", "Furet débouchage 5 m", "Chaton de bague",
        "Tortue de terre cuite", "Perroquet porte-manteau", "Hamster mécanique",
        "Cochon d’Inde, tirelire", "Héroïne, le T-shirt", "Filet de perroquet", "Popper, leurre",
    ],
)  # fmt: skip
def test_everyday_goods_are_never_taken_for_what_cannot_be_offered(name: str) -> None:
    assert duties.refused(name, None, LAW) is None


def test_a_book_may_be_about_anything() -> None:
    assert duties.refused("Les cigares du pharaon", "culture.livres", LAW) is None
    assert duties.refused("Les cigares du pharaon", "epicerie", LAW) is None  # begins with "les"
    assert duties.refused("Cigares du pharaon", "culture.livres", LAW) is None


def test_no_shelf_and_no_hint_of_a_category_is_refused() -> None:
    for category in categories.all():
        for word in (category.fr, category.en, *category.words):
            assert duties.refused(word, category.id, LAW) is None, word


def test_public_things_are_changed_without_what_they_lacked_before() -> None:
    before = ground.draft("Pain", category="boulangerie.pain")
    dearer = dataclasses.replace(before, description="au levain")
    duties.require(dearer, LAW, before)
    with pytest.raises(errors.Invalid) as refused:
        duties.require(before, LAW)
    assert (refused.value.code, set(refused.value.fields)) == ("incomplete-listing", {"allergens"})
    with pytest.raises(errors.Invalid) as refused:
        duties.require(dataclasses.replace(before, category="epicerie.miel"), LAW, before)
    assert set(refused.value.fields) == {"unit"}  # what it did not lack yet
    with pytest.raises(errors.Invalid, match="Tobacco") as refused:
        duties.require(dataclasses.replace(before, name="Cigares"), LAW, before)
    assert refused.value.code == "refused-goods"


def test_the_demonstration_says_all_that_its_shelves_ask() -> None:
    wares = [
        ware.draft
        for town in content.plans(ground.new_id)
        for shelf in town.shelves
        for ware in shelf.wares
    ]
    assert len(wares) == 150
    assert [ware.name for ware in wares if duties.missing(ware, False, LAW)] == []
    assert [ware.name for ware in wares if duties.refused(ware.name, ware.category, LAW)] == []


def test_a_nodes_own_rules_and_what_is_wrong_in_them(tmp_path: Path) -> None:
    own = tmp_path / "law.toml"
    rule = 'field = "maker"\nwhen = "publication"\nshelves = ["jardin"]\narticle = "x"\nfr = "x"\n'
    own.write_text(f'[[duties.rules]]\n{rule}en = "y"\n')
    changed = law.load(tmp_path)
    duties.check_law(changed)
    asked = duties.missing(ground.draft("Rose", category="jardin.fleurs"), False, changed)
    assert [one.field for one in asked] == ["maker"]
    assert duties.missing(ground.draft("Pain", category="boulangerie"), False, changed) == ()
    for text in (rule, f'{rule}en = "y"\n'.replace("jardin", "jardn"), rule.replace("maker", "?")):
        own.write_text(f"[[duties.rules]]\n{text}")
        with pytest.raises(errors.Unusable):
            duties.check_law(law.load(tmp_path))


@pytest.mark.parametrize(
    ("table", "name", "at"),
    [("duties", "words", 0), ("duties", "shelves", 0), ("duties", "except", 0),
     ("alcohol", "fr", None), ("alcohol", "shelves", None), ("perishable", "shelves", None),
     ("refused", "harmless", None), ("refused", "before", None), ("refused", "unless", None),
     ("refused", "words", 0), ("refused", "unless", 0)],
)  # fmt: skip
@pytest.mark.parametrize("value", [5, "miel", [5], [["miel"]], [""]])
def test_what_is_no_list_of_words_is_said_at_start(
    table: str, name: str, at: int | None, value: object
) -> None:
    """Not to the merchant whose product it is first asked about."""
    tables = copy.deepcopy(dict(LAW.tables))
    (tables[table] if at is None else tables[table]["rules"][at])[name] = value
    with pytest.raises(errors.Unusable, match="is no list of words"):
        duties.check_law(law.Law(tables))
