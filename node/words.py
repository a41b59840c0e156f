"""Words as the index of searches keeps them: what differs only in writing is made the same.

Used on listings when they are indexed and on queries when they are asked, so both must go through
the very same functions.
"""

import re
import unicodedata

WORDS_IN_QUERY = 12

_LIGATURES = str.maketrans({"œ": "oe", "Œ": "oe", "æ": "ae", "Æ": "ae", "ß": "ss"})
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_COMBINING = re.compile("[\u0300-\u036f]+")
_WORD = re.compile(r"[^\W_]+")
# What an apostrophe leaves behind ("l'huile", "d'olive", "qu'il") says nothing.
_ELIDED = frozenset(("c", "d", "j", "l", "m", "n", "qu", "s", "t"))
# Words that a final s or x belongs to.
_SINGULAR = frozenset(
    """
    anis bas biais bois bourgeois bras brebis buis cacahouetes cabas choix colis corps cours
    couscous croix dos epais fils flux frais gaz gres gris gros houx jus lilas lynx mais mas mois
    mous noix os ours palais paradis pays perdrix phlox poids pois poux pris prix puis puits radis
    ras repas riz roux silex souris talus tapis temps tennis thermos tissus toux velours verglas
    vis voix yeux
    """.split()  # noqa: SIM905 (words read better as words)
)


def is_plain(text: str, *, lines: bool = False) -> bool:
    """Whether a text holds only what is read: no controls, nothing that turns its direction.

    With `lines`, line feeds are fine.
    """
    return _UNSEEN.search(text.replace("\n", "") if lines else text) is None


def fold(text: str) -> str:
    """Lower case, without accents, œ as oe: "Œufs à l'été" becomes "oeufs a l'ete"."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_LIGATURES).lower())
    # Lower again: decomposing makes plain capitals of the mathematical and the superscript ones.
    return _COMBINING.sub("", decomposed).lower()


def singular(word: str) -> str:
    """A folded word without its plural: light on purpose, since "port" is not "porte"."""
    if len(word) <= 3 or word in _SINGULAR:
        return word
    if word.endswith("eaux"):
        return word[:-1]
    if word.endswith("aux"):
        return word[:-3] + "al"
    if word[-1] in "sx" and word[-2:] != "ss":
        return word[:-1]
    return word


def normalise(text: str) -> str:
    """Text as it is put into the index: folded words in the singular, joined by spaces."""
    return " ".join(singular(word) for word in _WORD.findall(fold(text)))


def terms(query: str) -> list[str]:
    """The words of a query that are looked for: at most WORDS_IN_QUERY, each once."""
    found: dict[str, None] = {}
    for match in _WORD.finditer(fold(query[:2000])):
        if match.group() not in _ELIDED:
            found[singular(match.group())] = None
        if len(found) == WORDS_IN_QUERY:
            break
    return list(found)
