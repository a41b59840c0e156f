"""Wares of a made-up France, for benchmarks: a grammar of product names with a long tail.

Things, what they are made of, makers with invented names, and the communes they come from. A few
words stand in a fifth of all listings, most in a handful, as in a real catalogue. The same seed
gives the same wares.
"""

# ruff: noqa: E501, SIM905 (words read better as words)

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# Each trade: its shelf, the things it sells, and what is said of them.
_TRADES: dict[str, tuple[str, str, str]] = {
    "boulangerie": (
        "pain baguette brioche croissant chausson tarte éclair macaron canelé cookie sablé flan "
        "fougasse ficelle quiche meringue financier madeleine chouquette galette biscuit kouglof",
        "levain céréales seigle complet épeautre beurre pommes chocolat amandes vanille pistache "
        "framboises noisettes citron rhubarbe poires abricots noix raisins sésame",
        "cuit au four à sol|pétri chaque nuit|à commander la veille|sans conservateur|coupé à la "
        "demande|pour six personnes|farine d'un moulin voisin",
    ),
    "epicerie": (
        "miel confiture huile vinaigre moutarde sel poivre thé café riz pâtes lentilles farine "
        "sucre chocolat sirop jus soupe terrine rillettes sardines tapenade biscuits infusion",
        "lavande châtaignier acacia thym olive noix colza framboise figue abricot tomate basilic "
        "curcuma gingembre verveine menthe complet blanc rouge corail basmati",
        "récolté à la main|en pot de verre|sans sucre ajouté|première pression à froid|torréfié "
        "sur place|petite production|à conserver au frais",
    ),
    "quincaillerie": (
        "perceuse visseuse marteau tournevis pince scie vis chevilles clou boulon écrou charnière "
        "serrure cadenas verrou ampoule pile rallonge prise interrupteur peinture pinceau rouleau "
        "mastic colle échelle brouette tondeuse sécateur râteau arrosoir tuyau raccord joint",
        "acier inox laiton galvanisé bois béton métaux plastique isolé étanche sans-fil télescopique "
        "pliante double simple cruciforme plat hexagonal long court",
        "garantie deux ans|pour usage intensif|livré avec son coffret|pièces détachées disponibles|"
        "conseil au comptoir|affûtage possible|lot économique",
    ),
    "vetements": (
        "pull robe jupe pantalon jean chemise chemisier manteau veste blouson écharpe bonnet gants "
        "chaussettes collant pyjama tee-shirt sweat short maillot ceinture foulard gilet salopette",
        "laine coton lin soie velours cachemire mérinos denim jersey polaire imprimé uni rayé "
        "fleuri marine bordeaux kaki écru anthracite moutarde corail turquoise",
        "coupe droite|taille haute|fabriqué en France|lavage à trente degrés|retouches au magasin|"
        "existe en plusieurs tailles|doublé",
    ),
    "chaussures": (
        "bottes bottines baskets sandales mocassins escarpins derbies chaussons sabots espadrilles "
        "tongs semelles lacets cirage",
        "cuir daim toile caoutchouc fourrées montantes basses plates compensées noires marron "
        "blanches vernies imperméables",
        "semelle cousue|pointures du 36 au 46|ressemelage possible|pied large|antidérapantes",
    ),
    "velos": (
        "vélo VTT tandem draisienne trottinette casque antivol pneu chambre selle guidon pédale "
        "chaîne cassette dérailleur frein patins sacoche panier porte-bébé pompe sonnette béquille",
        "électrique pliant hollandais enfant femme homme route ville course tubeless renforcé "
        "réfléchissant étanche gel aluminium carbone",
        "monté et réglé|révision offerte|occasion révisée|batterie garantie|à essayer sur place",
    ),
    "librairie": (
        "roman album bande-dessinée guide atlas dictionnaire recueil essai manga carnet cahier "
        "agenda stylo crayon feutre aquarelle gomme classeur enveloppe affiche puzzle jeu",
        "poche illustré relié policier historique jeunesse cuisine jardin voyage randonnée poésie "
        "philosophie biographie fantastique spirale quadrillé",
        "coup de cœur de la librairie|sur commande en deux jours|édition limitée|dédicacé|"
        "pour les huit ans et plus",
    ),
    "fleurs": (
        "bouquet rose tulipe orchidée lys pivoine œillet chrysanthème composition couronne plante "
        "cactus terreau pot jardinière graines bulbes engrais rosier lavande hortensia olivier",
        "blanc rouge jaune rose champêtre deuil mariage rond haut suspendu intérieur vivace "
        "annuel grimpant parfumé rustique",
        "livraison possible|composé le matin même|fleurs de saison|arrosage modéré|mi-ombre",
    ),
    "maison": (
        "lampe bougie vase coussin plaid rideau nappe serviette drap couette oreiller tapis miroir "
        "cadre assiette tasse bol théière cafetière casserole poêle cocotte couteau planche plateau",
        "lin coton grès porcelaine verre bambou chêne fonte inox rotin naturel gris ocre terracotta "
        "artisanal émaillé brodé lavé",
        "fait main|passe au lave-vaisselle|pièce unique|atelier visible|compatible induction",
    ),
    "electromenager": (
        "aspirateur réfrigérateur congélateur lave-linge lave-vaisselle four micro-ondes plaque "
        "hotte bouilloire grille-pain mixeur robot radio enceinte casque téléviseur câble chargeur "
        "souris clavier imprimante cartouche",
        "sans-fil encastrable compact silencieux USB HDMI Bluetooth noir blanc inox reconditionné "
        "gaming ergonomique",
        "classe énergie B|reprise de l'ancien appareil|installation possible|garantie cinq ans",
    ),
    "beaute": (
        "savon shampoing crème lotion baume huile gel masque gommage parfum vernis brosse peigne "
        "rasoir dentifrice déodorant bain sel pommade",
        "karité argan aloès calendula lavande amande solide bio hydratant exfoliant apaisant "
        "cheveux visage mains corps bébé",
        "peaux sensibles|non testé sur les animaux|saponifié à froid|flacon rechargeable",
    ),
    "animaux": (
        "croquettes pâtée litière laisse collier harnais panier griffoir arbre jouet gamelle "
        "aquarium filtre cage foin graines vermifuge brosse",
        "chien chat chaton chiot lapin oiseau poisson stérilisé senior grand petit nylon cuir "
        "poulet saumon agneau",
        "sac de dix kilos|sans céréales|conseillé par les vétérinaires|anti-tiques",
    ),
}
_COMMON = ("bio", "livraison", "artisanal", "local", "neuf", "promo", "qualité", "maison")
_FREQUENT = ("rouge", "blanc", "noir", "vert", "bleu", "grand", "petit", "naturel", "lot", "pack")
_UNITS = ("g", "kg", "cl", "ml", "l", "cm", "m")
_SYLLABLES = (
    "ba be bi bo bra bri ca ce cha chou cla co cor da de di dou du fa fe fi flo for ga gé gi go gra "
    "ha hé jo ju ka ke ki la le li lo lou lu ma mé mi mo mar na ne ni no pa pé pi po pra qui ra ré ri "
    "ro sa sé si so ta té ti to tra tri va vé vi vo za zé zo"
).split()
_ENDINGS = "n r l s t x ne re le te lle tte ssac gnac court ville bert dier nard lin ron".split()


@dataclass(frozen=True, slots=True)
class Ware:
    """One listing's text and price, before it has a shop."""

    name: str
    description: str
    category: str | None
    cents: int
    quantity: tuple[int, str] | None


class Lexicon:
    """The makers and origins: thousands of rare words, some of them less rare."""

    def __init__(
        self, chance: random.Random, communes: Sequence[str], makers: int = 40_000
    ) -> None:
        self._chance = chance
        self.makers = sorted({self._make_up() for _ in range(makers)})
        chance.shuffle(self.makers)
        self.origins = list(communes)
        chance.shuffle(self.origins)
        self._makers_weights = _zipf(len(self.makers), 0.9)
        self._origins_weights = _zipf(len(self.origins), 0.7)

    def _make_up(self) -> str:
        beginning = "".join(self._chance.choices(_SYLLABLES, k=self._chance.choice((1, 2, 2, 3))))
        return (beginning + self._chance.choice(_ENDINGS)).capitalize()

    def maker(self) -> str:
        """An invented maker's name."""
        return self._chance.choices(self.makers, cum_weights=self._makers_weights)[0]

    def origin(self) -> str:
        """A commune's name."""
        return self._chance.choices(self.origins, cum_weights=self._origins_weights)[0]


def _zipf(count: int, exponent: float) -> list[float]:
    return list(itertools.accumulate((rank + 1) ** -exponent for rank in range(count)))


def trades() -> list[str]:
    """What shops there are."""
    return list(_TRADES)


def things(trade: str) -> list[str]:
    """What a shop of this trade sells."""
    return _TRADES[trade][0].split()


def make(trade: str, lexicon: Lexicon, chance: random.Random) -> Iterator[Ware]:
    """Wares of a shop of this trade, without end."""
    nouns, kinds, sayings = (
        _TRADES[trade][0].split(), _TRADES[trade][1].split(), _TRADES[trade][2].split("|")
    )  # fmt: skip
    weights = _zipf(len(nouns), 0.8)
    while True:
        noun = chance.choices(nouns, cum_weights=weights)[0]
        kind, other = chance.sample(kinds, 2)
        parts = [
            noun.capitalize(),
            chance.choice((f"de {kind}", f"au {kind}", kind, f"{kind} {other}")),
        ]
        if chance.random() < 0.45:
            parts.append(lexicon.maker())
        if chance.random() < 0.3:
            parts.append(chance.choice(_FREQUENT))
        if chance.random() < 0.15:
            parts.append(f"de {lexicon.origin()}")
        if chance.random() < 0.12:
            parts.append(
                chance.choice("ABCDEFGHKLMNPRSTVX")
                + chance.choice("ABC")
                + str(chance.randrange(10, 9999))
            )
        quantity = None
        if chance.random() < 0.35:
            quantity = (
                chance.choice((25, 33, 50, 70, 75, 100, 150, 200, 250, 500, 750)),
                chance.choice(_UNITS),
            )
            parts.append(f"{quantity[0]} {quantity[1]}")
        said = chance.sample(sayings, min(len(sayings), chance.choice((1, 2, 2, 3))))
        if chance.random() < 0.25:
            said.append(chance.choice(_COMMON))
        if chance.random() < 0.5:
            said.append(
                f"{chance.choice(nouns)} {chance.choice(kinds)} de la maison {lexicon.maker()}"
            )
        if chance.random() < 0.3:
            said.append(f"vient de {lexicon.origin()}")
        said += [
            f"idéal avec {chance.choice(nouns)} {chance.choice(_FREQUENT)}",
            chance.choice(_COMMON),
        ]
        chance.shuffle(said)
        yield Ware(
            name=" ".join(parts)[:120],
            description=". ".join(text.capitalize() for text in said) + ".",
            category=chance.choice(
                (None, "boulangerie.pain", "epicerie", "primeur.fruits", "viande")
            ),
            cents=int(chance.lognormvariate(2.8, 1.0) * 100) + 50,
            quantity=quantity,
        )
