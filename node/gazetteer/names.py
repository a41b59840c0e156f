"""How a name is spelled for comparison: the one folding, and what people leave out or write short.

The gazetteer is built with these functions and searched with them; a change here changes both.
"""

import re
import unicodedata
from itertools import filterfalse

# Letters that Unicode does not take apart. The modifier apostrophe counts as a letter; it ends
# a word here like the other apostrophes.
_LETTERS = str.maketrans(
    {
        "œ": "oe",
        "æ": "ae",
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "ħ": "h",
        "þ": "th",
        "ı": "i",
        "ʼ": " ",
    }
)

# "lez" and "lès" (near) are one word in two spellings.
_SHORT_FORMS = {"st": "saint", "ste": "sainte", "sts": "saints", "stes": "saintes", "lez": "les"}

_ARTICLES = frozenset({"le", "la", "les", "l"})

_SUR = re.compile(r"\bs/")
_SIGNS = re.compile(r"[\W_]+")
_ARRONDISSEMENT = frozenset({"arrondissement", "arrondissements", "arr", "arrt", "ardt", "arrdt"})
_ORDINAL = frozenset({"er", "re", "e", "eme", "ieme", "nd", "nde"})
_NUMBER = re.compile(r"(\d{1,2})(?:er|re|ere|e|eme|ieme|nd|nde)?", re.ASCII)


def fold(text: str) -> str:
    """`text` as words of small letters and digits with one space between, made for comparing.

    Accents, case, ligatures, hyphens, apostrophes and all other signs go; "St" and "Ste" become
    "saint" and "sainte", "s/" becomes "sur". Folding twice changes nothing more. Letters of other
    scripts stay. Takes any string, in time linear in its length.
    """
    if text.isascii():
        spread = text.lower()
    else:
        # Marks go before normalising too: sorting long runs of them takes quadratic time.
        bare = "".join(filterfalse(unicodedata.combining, text))
        spread = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", bare).casefold())
        spread = "".join(filterfalse(unicodedata.combining, spread.translate(_LETTERS)))
    words = _SIGNS.sub(" ", _SUR.sub("sur ", spread)).split()
    return " ".join(_SHORT_FORMS.get(word, word) for word in words)


def without_article(folded: str) -> str:
    """A folded name without the "le", "la", "les" or "l" it begins with."""
    first, _, rest = folded.partition(" ")
    return rest if first in _ARTICLES and rest else folded


def arrondissement(folded: str) -> str | None:
    """The short name of an arrondissement: "paris 11" for "11e arrondissement de paris".

    So for "paris 11e arrondissement" and "paris 11" too. None where the folded name has no such
    number at one of its ends.
    """
    words: list[str] = []
    for word in folded.split():
        counted = word in _ORDINAL and words and words[-1].isdecimal()  # "11 eme"
        if word not in _ARRONDISSEMENT and not counted:
            words.append(word)
    if len(words) < 2:
        return None
    last, first = _NUMBER.fullmatch(words[-1]), _NUMBER.fullmatch(words[0])
    if last:
        return " ".join((*words[:-1], str(int(last[1]))))
    if first:
        city = words[2:] if words[1] in {"de", "a"} else words[1:]
        return " ".join((*city, str(int(first[1])))) if city else None
    return None
