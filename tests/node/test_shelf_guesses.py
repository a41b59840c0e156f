"""On which shelf a product's name puts it: what the law then asks depends on it."""

import pytest

from node import categories, words


@pytest.mark.parametrize(
    ("name", "shelf"),
    [
        ("Pâté de campagne", "viande.charcuterie"),
        ("Pâte à modeler", "culture.jeux"),
        ("Pâte à tartiner noisette", "epicerie.miel"),
        ("Pâtes fraîches", "epicerie.vrac"),
        ("Moules de bouchot", "poisson.coquillages"),
        ("Moules à la marinière", "poisson.coquillages"),
        ("Moule à gâteau", "maison.cuisine"),
        ("Lapin fermier", "viande.volaille"),
        ("Doudou lapin", "enfant.puericulture"),
        ("Crème fraîche", "cremerie.lait"),
        ("Crème hydratante", "sante.soins"),
        ("Huile d’olive", "epicerie.huiles"),
        ("Huile moteur 5W30", "bricolage.outils"),
        ("Huile essentielle de lavande", "sante.bien-etre"),
        ("Sac en cuir", "mode.sacs"),
        ("Sac à dos", "sport.plein-air"),
        ("Pommes Gala", "primeur.fruits"),
        ("Pomme de douche", "bricolage.materiaux"),
        ("Bar de ligne", "poisson.frais"),
        ("Tabouret de bar", "maison.meubles"),
        ("Panier de légumes", "primeur.paniers"),
        ("Panier en osier", "artisanat.objets"),
        ("Vin rouge", "boissons.vin"),
        ("Verres à vin", "maison.cuisine"),
        ("« Miel » de sapin", "epicerie.miel"),
        ("Savon au miel", "maison.entretien"),
        ("Appareil photo", "electronique.image-son"),
        ("Chose inconnue", None),
        ("", None),
    ],
)
def test_a_thing_is_what_is_said_first(name: str, shelf: str | None) -> None:
    found = categories.guess(name)
    assert (found and found.id) == shelf


def test_every_hint_is_written_as_it_is_looked_for() -> None:
    for category in categories.all():
        for hint in category.words:
            assert hint == words.fold(hint), hint
            assert categories.guess(hint) is not None, hint
