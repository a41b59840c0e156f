"""Words as the index of searches keeps them."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node import words
from node.model import Availability, Offer

# What French listings are written with.
LETTERS = "abcdefghijklmnopqrstuvwxyzàâäçéèêëîïôöùûüÿœæABCDEFGÉÈŒ '’-,"
FRENCH = "abcdefghijklmnopqrstuvwxyzàâäçéèêëîïôöùûüÿœæABCDEFGÉÈŒ 0123456789'’-.,"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("œufs", "oeufs"),
        ("Œufs", "ŒUFS"),
        ("œuf", "Oeufs"),
        ("bœuf", "boeuf"),
        ("cæsium", "caesium"),
        ("Été", "ete"),
        ("Ê\u0301", "e"),
        ("crème brûlée", "CREME BRULEE"),
        ("cafe\u0301", "café"),
        ("Straße", "strasse"),
        ("gâteaux", "gateau"),
        ("journaux", "journal"),
        ("chevaux", "cheval"),
        ("bijoux", "bijou"),
        ("vélos", "velo"),
        ("pêches, abricots", "peche abricot"),
        ("snake_case", "snake case"),
        ("tissus", "tissu"),
        ("tuyaux", "tuyau"),
        ("travaux", "travail"),
        ("vitraux", "vitrail"),
        ("yeux", "œil"),
        ("cheveux", "cheveu"),
        ("choux", "chou"),
        ("T.V.A.", "tva"),
        ("d.v.d.", "DVD"),
        ("l’huile", "huile"),
        ("L'HUILE", "huile"),
        ("jusqu'au", "au"),
        ("aujourd'hui", "aujourd’hui"),
        ("n°5", "5"),
        ("N° 5", "5"),
        ("2XL", "XXL"),
        ("St-Émilion", "Saint-Émilion"),
        ("ste", "Sainte"),
        ("co\u00adton", "coton"),
        ("tire‑bouchon", "tire-bouchons"),
        ("1 000", "1\u202f000"),
    ],
)
def test_what_differs_only_in_writing_is_the_same(one: str, other: str) -> None:
    assert words.normalise(one) == words.normalise(other)


@pytest.mark.parametrize(
    "word",
    """
    noix riz souris radis bois prix jus mais colis roux gaz ours bas ananas anis tapis bus tennis
    repas creme velours index box inox chaux faux deux doux voix croix perdrix velux cactus
    """.split(),  # noqa: SIM905
)
def test_a_final_s_or_x_that_belongs_to_the_word_stays(word: str) -> None:
    assert words.normalise(word) == word


@pytest.mark.parametrize(
    ("one", "other"), [("port", "porte"), ("frais", "fraise"), ("pain", "peinture"), ("os", "o")]
)
def test_different_goods_stay_different(one: str, other: str) -> None:
    assert words.normalise(one) != words.normalise(other)


@pytest.mark.parametrize(
    ("query", "terms"),
    [
        ("l'huile d'olive", ["huile", "olive"]),
        ("L’HUILE D’OLIVE", ["huile", "olive"]),
        ("qu'il n'y", ["il", "y"]),
        ("miel de lavande", ["miel", "lavande"]),
        ("pommes pomme POMME", ["pomme"]),
        ("", []),
        ("   '’ - !", []),
        ("l' d' qu'", []),
        ("vélo, VÉLOS; velo", ["velo"]),
    ],
)
def test_the_terms_of_a_query(query: str, terms: list[str]) -> None:
    assert words.terms(query) == terms


def test_what_is_elided_in_a_query_is_harmless_in_the_index() -> None:
    indexed = words.normalise("Savon à l'huile d'olive").split()
    assert set(words.terms("l'huile d'olive")) <= set(indexed)


def test_a_query_of_ten_thousand_words_is_cut() -> None:
    assert len(words.terms(" ".join(f"mot{n}" for n in range(10_000)))) == words.WORDS_IN_QUERY
    assert words.terms("a" * 1_000_000) == ["a" * words.TOKEN_MOST]


@pytest.mark.parametrize(
    ("styled", "plain"),
    [("𝐁𝐎𝐔𝐐𝐔𝐄𝐓", "bouquet"), ("ＢＩＯ", "bio"), ("𝓜iel", "miel"), ("Ⓑⓘⓞ", "bio"), ("™", "tm")],
)
def test_letters_styled_for_show_are_letters(styled: str, plain: str) -> None:
    assert words.fold(styled) == plain


SPELLINGS = [
    (
        "500ml",
        ["50cl", "50 cl", "50 CL", "0,5 l", "0.5L", "500 ml", "1/2 litre", "½ l", "demi-litre"],
    ),
    ("1000g", ["1 kg", "1kg", "1000 g", "1 000 g", "1 kilo", "1,0 kg", "1000 grammes"]),
    ("250g", ["250g", "250 gr", "0,25 kg", "1/4 kg"]),
    ("1500ml", ["1,5 L", "1.5l", "150 cl", "1,50 litre"]),
    ("1500mm", ["1,5 m", "150cm", "1500 mm"]),
    ("6x330ml", ["6x33cl", "6 x 33 cl", "6×33cl", "6 * 330 ml"]),
    ("1400x1900mm", ["140x190 cm", "140 × 190cm", "1,4 x 1,9 m"]),
    (
        "taille42",
        ["taille 42", "T42", "T.42", "t 42", "pointure 42", "Pointure : 42", "taille n° 42"],
    ),
    ("taillem", ["taille M", "Tailles M"]),
    ("taillexxl", ["taille XXL", "taille 2XL"]),
    ("60w", ["60W", "60 watts"]),
    ("18v", ["18V", "18 volts"]),
    ("1000piece", ["1000 pièces", "1 000 pcs", "1000 pièce"]),
    ("taille3", ["taille 3", "T3"]),
    ("20pouce", ["20 pouces", '20"', "20 ”"]),
    ("8personne", ["8 personnes", "8 pers.", "8 parts"]),
    ("6mois", ["6 mois", "6mois"]),
    ("3an", ["3 ans", "3ans"]),
    ("0v5ml", ["0,5 ml", "0,05 cl"]),
    ("3017620422003", ["3017620422003", "3 017620 422003", "3017 6204 22003"]),
    ("9782070360024", ["9782070360024", "978-2-07-036002-4"]),
    ("0012345678905", ["012345678905", "0 12345 67890 5", "0012345678905", "00012345678905"]),
    ("0000096385074", ["96385074", "9638 5074"]),
]


@pytest.mark.parametrize(
    ("token", "spelling"), [(token, one) for token, ways in SPELLINGS for one in ways]
)
def test_every_spelling_of_a_size_or_code_is_one_word(token: str, spelling: str) -> None:
    assert token in words.normalise(f"Lot {spelling}, neuf").split()
    (term,) = words.read(spelling).terms
    assert term.alternatives[0] == (token,)
    assert term.fixed
    assert not term.prefix


@pytest.mark.parametrize(
    ("text", "absent"),
    [
        ("2 l'huile", "2000ml"),
        ("50 livres", "50000ml"),
        ("3 gros pots", "3g"),
        ("1 mars", "1000mm"),
        ("taille de guêpe", "tailled"),
        ("lot 42", "taille42"),
        ("05 56 12 34 56", "0556123456"),
        ("3017620422004", "0000000000000"),
    ],
)
def test_what_is_no_size_is_left_alone(text: str, absent: str) -> None:
    assert absent not in words.normalise(text).split()


@pytest.mark.parametrize(
    ("indexed", "asked"),
    [
        ("Pointures du 36 au 41", "taille 38"),
        ("Tailles S, M et L", "taille M"),
        ("tailles 38, 40, 42", "T40"),
        ("Baskets 42", "pointure 42"),
        ("Sachets 2x100g", "100 g"),
        ("Sachets 2x100g", "200 g"),
        ("Bière 6x33cl", "33 cl"),
        ("tire-bouchon", "tire bouchon"),
        ("tire-bouchon", "tirebouchon"),
        ("tirebouchon", "tire-bouchons"),
        ("tirebouchon", "tire bouchon"),
        ("Tee-shirt", "tee shirt"),
        ("T-shirt", "t shirt"),
        ("T-shirt", "tshirt"),
        ("Piles LR6", "pile lr 6"),
        ("iPhone 13", "iphone13"),
        ("Wi-Fi", "wifi"),
        ("Puzzle 1 000 pièces", "1000 pièces"),
        ("Lunettes +1,50", "1.5"),
        ("Levi's 501", "levis 501"),
        ("Arc-en-ciel", "arc en ciel"),
    ],
)
def test_what_is_written_one_way_is_found_by_another(indexed: str, asked: str) -> None:
    assert is_found(words.read(asked), words.normalise(indexed))


def test_a_letter_before_a_hyphen_counts() -> None:
    for asked in ("t-shirt", "t shirt", "tshirt"):
        assert not is_found(words.read(asked), words.normalise("Sweat-shirt"))


def is_found(query: words.Query, indexed: str) -> bool:
    """As the index decides it: of every term, all tokens of one alternative."""
    tokens = set(indexed.split())
    return all(any(tokens >= set(way) for way in term.alternatives) for term in query.terms)


@pytest.mark.parametrize(
    ("query", "terms"),
    [
        ("sans gluten", ["sans", "gluten"]),
        ("pain au chocolat", ["pain", "chocolat"]),
        ("à la", ["a", "la"]),
        ("L", ["l"]),
        ("cadeau pour un bébé", ["cadeau", "bebe"]),
    ],
)
def test_small_words_are_left_out_beside_others(query: str, terms: list[str]) -> None:
    assert words.terms(query) == terms


@pytest.mark.parametrize(
    ("query", "terms", "dropped"),
    [
        ("vélo pas cher", ["velo"], ("pas cher",)),
        ("où acheter du miel près de chez moi", ["miel"], ("ou acheter", "pres de chez moi")),
        ("pas cher", ["pas", "cher"], ()),
    ],
)
def test_what_is_said_around_it_is_dropped_and_told(
    query: str, terms: list[str], dropped: tuple[str, ...]
) -> None:
    read = words.read(query)
    assert [term.word for term in read.terms] == terms
    assert read.dropped == dropped


@pytest.mark.parametrize(
    ("query", "prefixes"),
    [
        ("choc", [True]),
        ("pain choc", [False, True]),
        ("pain choc ", [False, False]),
        ("pain ch", [False, False]),
        ("50 cl", [False]),
        ("lr6", [False]),
        ("pain de", [False]),
        ("pain pain", [False]),
    ],
)
def test_only_a_last_word_may_be_unfinished(query: str, prefixes: list[bool]) -> None:
    assert [term.prefix for term in words.read(query).terms] == prefixes


def test_the_words_of_an_offer() -> None:
    offer = Offer(
        id="1",
        axes={"Taille": "42", "Couleur": "Rouge foncé"},
        price_cents=1000,
        currency="EUR",
        quantity_milli=750_000,
        unit="ml",
        availability=Availability.IN_STOCK,
        stock=None,
        gtin="96385074",
        sku="AB-123/4",
    )
    tokens = " ".join(words.of_offer(offer))
    for asked in ("T42", "rouge", "75 cl", "96385074", "ab-123/4", "AB1234", "ab 123"):
        assert is_found(words.read(asked), tokens), asked
    bare = dataclasses.replace(
        offer, axes={}, quantity_milli=1000, unit="piece", gtin=None, sku=None
    )
    assert words.of_offer(bare) == {}


@given(st.text(FRENCH + "ÀœŒÆß°½…€İŉĳſΣς\u0301\u0323\u0345\u00ad`’") | st.text())
def test_letters_folded_one_by_one_are_the_text_folded(text: str) -> None:
    assert words.fold(text) == words._fold_any(text)


def test_every_letter_that_is_folded_by_itself_is_folded_so_beside_others() -> None:
    for letter in words._FOLDED:
        for text in (letter, f"e{letter}", f"e\u0323{letter}\u0301é", f"É{letter}S"):
            assert words.fold(text) == words._fold_any(text)


@given(st.text(FRENCH + "'-_,;\t\n\x1f.()!"))
def test_words_without_digits_are_parted_as_any_are(text: str) -> None:
    folded = words.fold("".join(letter for letter in text if not letter.isdigit()))
    assert words._plain_words(folded) == words._WORD.findall(folded)


@given(st.text())
def test_no_text_makes_it_fail(text: str) -> None:
    for token in words.normalise(text).split(" "):
        assert token == token.strip()
    assert len(words.read(text).terms) <= words.WORDS_IN_QUERY


@given(st.text(FRENCH + '°½×*/"&+_:', max_size=80) | st.text(max_size=80))
def test_a_token_holds_nothing_that_the_index_parts_it_at(text: str) -> None:
    tokens = words.normalise(text).split()
    tokens += [
        token for term in words.read(text).terms for way in term.alternatives for token in way
    ]
    for token in tokens:
        assert 0 < len(token) <= words.TOKEN_MOST
        assert all(letter.isalnum() for letter in token)


@given(st.text(FRENCH))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert words.fold(words.fold(text)) == words.fold(text)


@given(st.text(LETTERS))
def test_normalising_twice_is_normalising_once(text: str) -> None:
    once = words.normalise(text)
    assert words.normalise(once) == once


@given(st.text(FRENCH + "xkglcmT", max_size=100))
def test_what_is_asked_in_the_words_of_a_title_finds_it(title: str) -> None:
    assert is_found(words.read(title), words.normalise(title))


@pytest.mark.parametrize(
    "text",
    [
        "0" * 2000, "9 " * 1000, "1x" * 1000, "a-" * 1000, "a'" * 1000, "a." * 1000, "1/2 " * 500,
        "taille 1, " * 200, "123 " * 500, "t." * 1000, "12345678" * 250, "1,5" * 600,
        "3x" * 900 + "3 cm", "123 456 x " * 190 + "7", "😀" * 2000,
        '" OR * NEAR(', "\x00\x01", "title : x", "\ud800",
    ],
)  # fmt: skip
def test_odd_texts_are_read_in_little_time(text: str) -> None:
    tokens = words.normalise(text * 20).split(" ")
    asked = [one for term in words.read(text).terms for way in term.alternatives for one in way]
    for token in [*filter(None, tokens), *asked]:
        assert 0 < len(token) <= words.TOKEN_MOST
        assert not any(letter.isspace() or letter == '"' for letter in token), token
    assert len(tokens) == len(set(tokens))


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ("pot de miel", ["miel", "pot"]),
        ("robinet cuisine", ["robinet", "cuisine"]),
        ("sachet de riz rond 1 kg", ["riz", "rond", "1000g", "sachet"]),
        ("boîte", ["boite"]),
        ("", []),
    ],
)
def test_what_matters_most_in_a_query(query: str, order: list[str]) -> None:
    assert [term.word for term in words.telling(words.read(query).terms)] == order
