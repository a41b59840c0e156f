"""Words as the index of searches keeps them, and as queries ask for them.

What differs only in writing is made the same: accents, case, œ, elisions, hyphens, plurals, sizes,
codes. Listings when they are indexed (`normalise`, `of_offer`) and queries when they are asked
(`read`) go through the very same pieces, so that whoever types a title finds it.

A token holds letters and digits only: nothing that the index would part it at.
"""

import dataclasses
import itertools
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from node import sizes
from node.model import Offer

# To be raised whenever the tokens of a text change: an index of another version is made anew.
VERSION = 3

WORDS_IN_QUERY = 12
QUERY_MOST = 2000  # characters
TEXT_MOST = 50_000
TOKEN_MOST = 40
PREFIX_LEAST = 3
_JOINED_PARTS_MOST = 4

_ALIKE = (
    {"œ": "oe", "Œ": "oe", "æ": "ae", "Æ": "ae", "ß": "ss", "º": "°", "№": "n°"}
    | {"½": " 1/2", "¼": " 1/4", "¾": " 3/4"}
    | dict.fromkeys("’‘ʼ′´`＇", "'")
    | dict.fromkeys("‐‑‒–−", "-")
    | dict.fromkeys("“”″«»", '"')
    | dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufe0f\ufeff", "")
)
_UNLIKE = re.compile(f"[{''.join(_ALIKE)}]")
_NOT_ASCII = re.compile("[^\x00-_a-\x7f]")  # and the backtick, which is like an apostrophe
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_COMBINING = re.compile("[\u0300-\u036f]+")
_NUMBER_SIGN = re.compile(r"\bn° ?")
# (It begins with its first digit, which is looked for several times as fast as what precedes it.)
_CODE = re.compile(
    r"[0-9](?<![^\W_][0-9])(?<![0-9][ -][0-9])(?:[ -]?[0-9]){7,13}(?![^\W_]|[ -][0-9])"
)
# Most words need no closer look.
_PLAIN = r"(?!taille|pointure|demi|t[ .]?[0-9])[^\W\d_]++(?![^\W_]|['-]|\.[a-z])"
_WORD = re.compile(r"[^\W\d_]+")
_SPACED = str.maketrans(
    dict.fromkeys((chr(one) for one in range(128) if not chr(one).isalnum()), " ")
)
_PIECE = re.compile(
    rf"(?P<plain>{_PLAIN}(?:[\W_]++{_PLAIN})*+)"  # as many of them as follow each other
    rf"|(?P<worn_>{sizes.WORN.pattern})"
    rf"|(?P<size>{sizes.SIZE.pattern})"
    rf"|(?P<chain_>{sizes.CHAIN.pattern})"
    rf"|(?P<number>{sizes.NUMBER.pattern})"
    r"|(?P<letters>(?:[a-z]\.){2,}[a-z]?(?![^\W_]))"  # T.V.A.
    r"|(?P<word>[^\W_]+(?:['-][^\W_]+)*'?)"
)
_LETTERS_OR_DIGITS = re.compile(r"[^\W_]+")
_LETTERS_AND_DIGITS = re.compile(r"([a-z]{2,})([0-9]+)")

# What an apostrophe leaves behind ("l'huile", "d'olive", "qu'il") says nothing.
_ELIDED = frozenset(("c", "d", "j", "l", "m", "n", "qu", "s", "t", "jusqu", "lorsqu", "puisqu"))
# What a query does not need, as long as it says something else. "Sans" it does need.
_STOP = frozenset(
    """
    a au aux avec c ce ces cet cette chez d dans de des du elle en est et il ils j je l la le les
    leur lui m ma mes mon n ne nos notre nous on ou par pas pour qu que qui s sa se ses son sur ta
    te tes ton un une vos votre vous y
    """.split()  # noqa: SIM905 (words read better as words)
)
# What people say around what they look for.
_AROUND = re.compile(
    r"\b(?:pas (?:trop )?cher(?:e?s?)|pres (?:d'ici|de (?:chez )?(?:moi|nous))|a proximite"
    r"|(?:je|on) (?:re)?cherche|(?:je|on) (?:veux|voudrais|veut|voudrait)"
    r"|(?:ou|comment) (?:peut-on )?(?:acheter|trouver)|acheter|achat|a vendre"
    r"|bon marche|s'il vous plait|svp|bonjour)\b"
)

# Words that a final s belongs to, and plurals that are no plain s or x.
_INVARIABLE = frozenset(
    """
    abcès abus accès agrès alias aloès ananas anchois anglais anis atlas
    avis bas biais blocus blouson bois bonus bourgeois bras brebis buis bus cabas cactus cadenas
    campus canevas cassis cervelas chablis chaos chassis chinois citrus clos colis compas
    concours congrès corps cosmos coulis cours couscous coutelas crocus croquis cumulus cyprès
    damas dehors dessous dessus devis discours divers dos encens engrais entremets épais
    eucalyptus excès exprès express ficus florès fois fonds français frais gars gras grès gris gros
    hachis harnais hautbois héros hibiscus hors houmous hummus ibis iris jamais jus lapis
    lens lilas lis logis lotus lys maïs mais marais marquis mars matelas mauvais métis mets minois
    moins mois mors mous palais palis papyrus paradis parcours pastis patois pays permis plus poids
    pois portugais près printemps procès progrès propos pubis puis puits
    ours rabais radis ras rebus recours refus relais remords repas repos rhinocéros ris sans secours
    semis sens sinus souris sous sus surplus talus tamis tapas tapis temps tennis terminus thermos
    tiers torchis tournedos tournevis travers treillis trépas trois univers velours verglas vernis
    vers virus vis
    """.split()  # noqa: SIM905
)
_IRREGULAR = {
    "yeux": "oeil", "cieux": "ciel", "travaux": "travail", "vitraux": "vitrail",
    "coraux": "corail", "emaux": "email", "baux": "bail", "soupiraux": "soupirail",
    "tuyaux": "tuyau", "noyaux": "noyau", "boyaux": "boyau", "joyaux": "joyau",
    "hoyaux": "hoyau", "aloyaux": "aloyau", "etaux": "etau", "sarraux": "sarrau",
    "chaux": "chaux", "faux": "faux", "taux": "taux",
    "bijoux": "bijou", "cailloux": "caillou", "choux": "chou", "genoux": "genou",
    "hiboux": "hibou", "joujoux": "joujou", "ripoux": "ripou",
    "jeux": "jeu", "feux": "feu", "lieux": "lieu", "voeux": "voeu", "neveux": "neveu",
    "cheveux": "cheveu", "essieux": "essieu", "pieux": "pieu", "milieux": "milieu",
    "moyeux": "moyeu", "enjeux": "enjeu", "adieux": "adieu", "epieux": "epieu",
    "messieurs": "monsieur", "mesdames": "madame",
}  # fmt: skip
_WRITTEN_SHORT = {"st": "saint", "ste": "sainte"}
# How something is packed: what can be left out before anything else.
_PACKING = frozenset(
    """
    barquette bidon bocal boite bouteille brique canette carton douzaine flacon lot morceau pack
    paquet pot rouleau sachet tranche tube
    """.split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that a query asks for. A listing has it that has all tokens of one alternative.

    `prefix`: what is typed may be unfinished, so the first alternative (one token then) may also
    be the beginning of a word. `fixed`: a number, a size or a code, where nothing is to be mended.
    """

    typed: str  # folded: "pommes", "50 cl"
    alternatives: tuple[tuple[str, ...], ...]  # the thing itself first
    prefix: bool = False
    fixed: bool = False

    @property
    def word(self) -> str:
        """The token that stands for it: "pomme", "500ml"."""
        return " ".join(self.alternatives[0])


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for: listings that have every term. Empty for a query without words.

    `dropped` says what was left out ("pas cher", a thirteenth word; little words as "de" are left
    out unsaid), `widened` what the synonyms added, each beside what was typed.
    """

    terms: tuple[Term, ...]
    dropped: tuple[str, ...] = ()
    widened: tuple[tuple[str, tuple[str, ...]], ...] = ()


class _Piece(NamedTuple):
    """Something written in a text, and its tokens.

    `looked_for` is empty where each written word is looked for by itself (or joined with the
    others); else the piece is one thing to look for, in any of these ways.
    """

    typed: tuple[str, ...]
    written: tuple[str, ...]
    added: tuple[str, ...] = ()
    looked_for: tuple[tuple[str, ...], ...] = ()


def is_plain(text: str, *, lines: bool = False) -> bool:
    """Whether a text holds only what is read: no controls, nothing that turns its direction.

    With `lines`, line feeds are fine.
    """
    return _UNSEEN.search(text.replace("\n", "") if lines else text) is None


def fold(text: str) -> str:
    """Lower case, without accents, œ as oe: "Œufs à l’été" becomes "oeufs a l'ete"."""
    try:
        return _NOT_ASCII.sub(_folded, text).lower()
    except KeyError:
        return _fold_any(text)


def _folded(match: re.Match[str]) -> str:
    return _FOLDED[match[0]]


def _fold_any(text: str) -> str:
    text = _UNLIKE.sub(_alike, text).lower()
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text).replace("\u2044", "/")
    # Lower again: decomposing makes plain capitals of the mathematical and the superscript ones.
    return _COMBINING.sub("", decomposed).lower()


def _alike(match: re.Match[str]) -> str:
    return _ALIKE[match[0]]


# What Europeans write: letters that are folded the same wherever they stand, so a text of these
# is folded letter by letter, in a quarter of the time. (No sigma, no marks that keep an order.)
_FOLDED = {
    letter: _fold_any(letter)
    for letter in (*_ALIKE, *map(chr, (*range(0xA0, 0x180), *range(0x300, 0x370))), *"€…•™")
}

_SINGULAR = frozenset(fold(word) for word in _INVARIABLE)


def singular(word: str) -> str:
    """A folded word without its plural: light on purpose, since "port" is not "porte"."""
    if word[-1:] not in "sx" or len(word) <= 3 or word in _SINGULAR:
        return _WRITTEN_SHORT.get(word, word)
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word[-1] == "x":
        if word.endswith("eaux"):
            return word[:-1]
        return word[:-3] + "al" if word.endswith("aux") else word
    return word if word[-2] in "sx" or word[-2].isdigit() else word[:-1]


def normalise(text: str) -> str:
    """Text as it is put into the index: its tokens once each, joined by spaces.

    Beside the words as written stand those that its sizes, codes and hyphenated words are also
    looked for by.
    """
    return " ".join(tokens(text))


def tokens(text: str) -> dict[str, None]:
    """The tokens that `normalise` joins, in their order."""
    return _tokens(fold(text[:TEXT_MOST]))


def _tokens(folded: str) -> dict[str, None]:
    found: list[str] = []
    for match in _matches(folded):
        if match.lastgroup == "plain":
            found += [
                # Most are not worth a call.
                word
                if 3 < len(word) <= TOKEN_MOST and word[-1] not in "sx"
                else singular(word[:TOKEN_MOST])
                for word in _plain_words(match.group())
            ]
        elif match.lastgroup == "word":
            _, written, added = _parted(match.group())
            found += written
            if added:
                found.append(added)
        else:
            for piece in _pieces(match):
                found += piece.written
                found += piece.added
    return dict.fromkeys(found)


def _plain_words(text: str) -> list[str]:
    """The words of a text without digits."""
    # As nearly all are: parted five times as fast.
    return text.translate(_SPACED).split() if text.isascii() else _WORD.findall(text)


def of_offer(offer: Offer) -> dict[str, None]:
    """An offer's tokens, as `tokens` gives them: its axes, what it holds, its codes."""
    found: dict[str, None] = {}
    if offer.axes:
        found = tokens("\n".join(f"{axis} {value}" for axis, value in offer.axes.items()))
    if offer.quantity_milli is not None and offer.unit is not None:
        held = sizes.of_offer(offer.quantity_milli, offer.unit)
        if held:
            found[held] = None
    if offer.gtin:
        found |= tokens(offer.gtin)
    if offer.sku:
        folded = fold(offer.sku[:TEXT_MOST])
        found |= _tokens(folded)
        joined = "".join(_LETTERS_OR_DIGITS.findall(folded))[:TOKEN_MOST]
        if joined:
            found[joined] = None
    return found


def read(text: str) -> Query:
    """What a query asks for: at most WORDS_IN_QUERY terms. Takes any text."""
    folded = fold(text[:QUERY_MOST])
    around = [match.group() for match in _AROUND.finditer(folded)]
    said = _said(_AROUND.sub(" ", folded))
    telling = [one for one in said if one.typed not in _STOP]
    if not telling:  # then the little words are what is looked for
        said, around = _said(folded), []
        telling = said
    once: dict[str, Term] = {}
    for one in telling:
        once.setdefault(one.word, one)
    found = list(once.values())
    beyond = [one.typed for one in found[WORDS_IN_QUERY:]]
    del found[WORDS_IN_QUERY:]
    if found and found[-1] is said[-1] and folded[-1].isalnum():
        last = found[-1]
        unfinished = len(last.typed) >= PREFIX_LEAST and not last.fixed
        found[-1] = dataclasses.replace(last, prefix=unfinished)
    dropped = dict.fromkeys((*around, *beyond[:WORDS_IN_QUERY]))
    return Query(tuple(found), tuple(dropped))


def telling(terms: Sequence[Term]) -> list[Term]:
    """The terms of a query, the most telling first: where nothing has all, the last are left out.

    A French name begins with what the thing is ("robinet cuisine"), so the first words matter
    most; sizes matter less, and how it is packed least ("pot de miel").
    """
    return sorted(terms, key=lambda term: (term.word in _PACKING, term.fixed))


def terms(query: str) -> list[str]:
    """The tokens that stand for the terms of a query, each once."""
    return list(dict.fromkeys(word for term in read(query).terms for word in term.alternatives[0]))


@dataclass(slots=True)
class _Said:
    """A term in the making. `first`: no hyphen ties it to the one before; `whole`: never joined."""

    typed: str
    ways: list[tuple[str, ...]]
    fixed: bool
    first: bool = True
    whole: bool = False


def _said(folded: str) -> list[Term]:
    """Each thing a query says; a word is also found joined with its neighbour."""
    found: list[_Said] = []
    for piece in itertools.chain.from_iterable(map(_pieces, _matches(folded))):
        if piece.looked_for:
            found.append(_Said(piece.typed[0], list(piece.looked_for), fixed=True, whole=True))
            continue
        for position, (typed, token) in enumerate(zip(piece.typed, piece.written, strict=True)):
            ways: list[tuple[str, ...]] = [(token,), *((joined,) for joined in piece.added)]
            if parts := _LETTERS_AND_DIGITS.fullmatch(token):
                ways.append((parts[1], parts[2]))
            fixed = any(letter.isdigit() for letter in token)
            found.append(_Said(typed, ways, fixed, position == 0))
    for before, after in itertools.pairwise(found):
        if before.whole or after.whole or not after.first:
            continue
        (one,), (other,) = before.ways[0], after.ways[0]
        if _may_join(one, other):
            joined = singular((one + other)[:TOKEN_MOST])
            before.ways.append((joined,))
            after.ways.append((joined,))
    return [Term(one.typed, tuple(dict.fromkeys(one.ways)), fixed=one.fixed) for one in found]


def _may_join(one: str, other: str) -> bool:
    """Whether two words may be one: "tire bouchon", "LR 6", "t shirt"; not "de corps", "20 30"."""
    if other in _STOP or (one in _STOP and len(one) > 1):
        return False
    return not (one[-1].isdigit() and other[0].isdigit())


def _matches(folded: str) -> Iterator[re.Match[str]]:
    """Everything written in a folded text, in its order."""
    if "°" in folded:
        folded = _NUMBER_SIGN.sub("", folded)
    return _PIECE.finditer(_CODE.sub(_without_gaps, folded))


def _pieces(match: re.Match[str]) -> Iterator[_Piece]:
    """The pieces that a match of _PIECE is: one, mostly, and one for each plain word."""
    kind, typed = match.lastgroup, match.group()
    if kind == "plain":
        for word in _WORD.findall(typed):
            yield _Piece((word,), (singular(word[:TOKEN_MOST]),))
    elif kind == "word":
        yield from _word(typed)
    elif kind == "letters":
        yield _Piece((typed,), (typed.replace(".", "")[:TOKEN_MOST],))
    elif kind == "size":
        written, added, asked = sizes.spellings(match)
        yield _Piece((typed,), tuple(written), tuple(added), tuple((way,) for way in asked))
    elif kind == "worn_":
        written, added = sizes.worn(match)
        ways = ((added[0],), (written[0],)) if len(added) == 1 else (tuple(added),)
        if match["worn"]:
            yield _Piece((typed,), ("taille", *written), tuple(added), ways)
        else:  # "T1" may be a first volume
            short = f"t{written[0]}"
            yield _Piece((typed,), (*written, short), tuple(added), (*ways, (short,)))
    elif kind == "chain_":
        numbers = sizes.numbers(typed)
        joined = "x".join(numbers)
        yield _Piece((typed,), tuple(numbers), (joined,), ((joined,),))
    else:
        number = sizes.number(typed)
        parts = tuple(typed.split()) if " " in typed else (number,)
        yield _Piece((typed,), parts, (number,), ((number,),))


def _word(typed: str) -> Iterator[_Piece]:
    """A word, or what hyphens join, without what is elided before it."""
    parts, tokens, added = _parted(typed)
    if parts:
        ways = ((added,), (tokens[0],)) if added and len(parts) == 1 else ()
        yield _Piece(tuple(parts), tuple(tokens), (added,) if added else (), ways)


def _parted(typed: str) -> tuple[list[str], list[str], str]:
    """What hyphens join, each part's token, and what is added: all as one, or a bar code's number
    in full; or nothing."""
    parts = [part for part in map(_unelided, typed.split("-")) if part]
    tokens = [_token(part) for part in parts]
    if len(parts) == 1:
        return parts, tokens, _gtin(parts[0])
    if len(parts) > _JOINED_PARTS_MOST:
        return parts, tokens, ""
    return parts, tokens, singular("".join(tokens)[:TOKEN_MOST])


def _unelided(part: str) -> str:
    """ "huile" of "l'huile", and "aujourdhui", "levis" of what only looks elided."""
    if "'" not in part:
        return part
    pieces = part.split("'")
    while len(pieces) > 1 and pieces[0] in _ELIDED:
        del pieces[0]
    return "".join(pieces)


def _token(word: str) -> str:
    return singular(sizes.letters(word[:TOKEN_MOST]))


def _gtin(digits: str) -> str:
    """A bar code's number in 13 digits (14 for a case of goods); "" for other numbers."""
    if len(digits) not in (8, 12, 13, 14) or not (digits.isascii() and digits.isdigit()):
        return ""
    weighted = sum(
        int(digit) * (3 if position % 2 else 1) for position, digit in enumerate(reversed(digits))
    )
    return "" if weighted % 10 else digits.lstrip("0").zfill(13)


def _without_gaps(match: re.Match[str]) -> str:
    digits = match.group().replace(" ", "").replace("-", "")
    return digits if _gtin(digits) else match.group()
