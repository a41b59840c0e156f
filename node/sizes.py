"""Quantities in what people write, each as one word that all its spellings share.

"50cl", "50 cl", "0,5 l", "500 ml" and "1/2 litre" are all the word "500ml"; "T42", "taille 42" and
"pointure 42" are "taille42". A decimal comma is written "v" in such a word, because the index
parts words at every other sign: 1,5 is "1v5".
"""

import functools
import re
from decimal import Decimal

# Each unit as people write it (folded, in the singular), the one it is told in, and how many of
# that make one of it.
_UNITS = {
    **{name: ("ml", Decimal(1)) for name in ("ml", "millilitre")},
    **{name: ("ml", Decimal(10)) for name in ("cl", "centilitre")},
    **{name: ("ml", Decimal(100)) for name in ("dl", "decilitre")},
    **{name: ("ml", Decimal(1000)) for name in ("l", "litre")},
    **{name: ("g", Decimal("0.001")) for name in ("mg", "milligramme")},
    **{name: ("g", Decimal(1)) for name in ("g", "gr", "gramme")},
    **{name: ("g", Decimal(1000)) for name in ("kg", "kilo", "kilogramme")},
    **{name: ("mm", Decimal(1)) for name in ("mm", "millimetre")},
    **{name: ("mm", Decimal(10)) for name in ("cm", "centimetre")},
    **{name: ("mm", Decimal(1000)) for name in ("m", "metre")},
    "m2": ("m2", Decimal(1)),
    **{name: ("w", Decimal(1)) for name in ("w", "watt")},
    "kw": ("w", Decimal(1000)),
    **{name: ("v", Decimal(1)) for name in ("v", "volt")},
    "mah": ("mah", Decimal(1)),
    "ah": ("mah", Decimal(1000)),
    **{name: ("go", Decimal(1)) for name in ("go", "gb")},
    **{name: ("go", Decimal(1000)) for name in ("to", "tb")},
    **{name: ("lm", Decimal(1)) for name in ("lm", "lumen")},
    **{name: ("pouce", Decimal(1)) for name in ("pouce", '"')},
    **{name: ("piece", Decimal(1)) for name in ("piece", "pc")},
    **{name: ("personne", Decimal(1)) for name in ("personne", "pers", "part")},
    **{name: ("h", Decimal(1)) for name in ("h", "heure")},
    "an": ("an", Decimal(1)),
    "mois": ("mois", Decimal(1)),
}
_SPELLED = "|".join(
    sorted((f"{name}s?" if len(name) > 1 else name for name in _UNITS), key=len, reverse=True)
)
# Thousands in groups of three: as many as anybody counts to, since they make one word.
_GROUPED = r"[0-9]{1,3}(?: [0-9]{3}){1,4}(?![0-9])"
_NUMBER = rf"{_GROUPED}|[0-9]{{1,7}}(?:[.,][0-9]{{1,3}})?"
_END = r"(?![^\W_]|')"  # "2 l'une" is no two litres
# What a number may be part of. To be matched where no letter or digit stands before.
SIZE = re.compile(
    rf"(?:(?P<half>1/2|1/4|3/4|demi[ -])|(?P<chain>(?:{_NUMBER})(?: ?[x×*] ?(?:{_NUMBER})){{0,3}}))"
    rf" ?(?P<unit>{_SPELLED}){_END}"
)
CHAIN = re.compile(rf"(?:{_NUMBER})(?: ?[x×*] ?(?:{_NUMBER})){{1,3}}{_END}")
NUMBER = re.compile(rf"(?:{_GROUPED}|[0-9]{{1,7}}[.,][0-9]{{1,3}}(?![0-9])){_END}")

_WORN = r"(?:[0-9]{1,3}(?:[.,]5)?|[2-5]xl|x{0,4}[sl]|m)(?![^\W_]|'|[.,][0-9])"
# "Taille 42", "pointures du 36 au 41", "tailles S, M et L", "T42", "T. 42", "T4" (but not "T 4").
WORN = re.compile(
    rf"(?:(?:tailles?|pointures?) ?:? ?(?:du |de )?(?P<worn>{_WORN}"
    rf"(?:(?: ?[,/-] ?| (?:et|ou|au?) | ){_WORN})*)"
    rf"|t(?:[. ]?(?P<short>[0-9]{{2}})|(?P<shorter>[0-9])){_END})"
)
_WORN_RANGE = re.compile(r"([0-9]{2,3})(?: ?- ?| au? )([0-9]{2,3})")
_WIDEST_RANGE = 20
_PARTS = {"1/2": "0.5", "1/4": "0.25", "3/4": "0.75", "demi": "0.5"}


def number(text: str) -> str:
    """A number as a word: "1,50" and "1.5" are "1v5", "1 000" is "1000"."""
    return _word(_value(text))


def numbers(chain: str) -> list[str]:
    """The numbers of "6 x 33" as words."""
    return [number(part) for part in re.split("[x×*]", chain)]


def spellings(match: re.Match[str]) -> tuple[list[str], list[str], list[str]]:
    """Of a match of SIZE: its words as written, what else to index, and what a query looks for.

    "6 x 33 cl" is written 6 and 33, indexed as 6x33, 6x330ml, 330ml and 1980ml, and looked for as
    6x330ml or 6x33.
    """
    unit_name = match["unit"] if match["unit"] in _UNITS else match["unit"][:-1]
    unit, factor = _UNITS[unit_name]
    if match["half"]:
        half = match["half"].strip(" -")
        word = _word(Decimal(_PARTS[half]) * factor) + unit
        written = ["demi", unit_name] if half == "demi" else half.split("/")
        return written, [word], [word]
    values = [_value(part) for part in re.split("[x×*]", match["chain"])]
    written = [_word(value) for value in values]
    last = _word(values[-1] * factor) + unit
    if len(unit_name) > 2:
        written.append(unit_name)
    if len(values) == 1:
        return written, [last], [last]
    bare = "x".join(_word(value) for value in values)
    if unit == "mm":
        whole = "x".join(_word(value * factor) for value in values) + unit
        return written, [bare, whole, last], [whole, bare]
    several = Decimal(1)
    for value in values:
        several *= value
    whole = "x".join(_word(value) for value in values[:-1]) + "x" + last
    return written, [bare, whole, last, _word(several * factor) + unit], [whole, bare]


def worn(match: re.Match[str]) -> tuple[list[str], list[str]]:
    """Of a match of WORN: the sizes as written, and each as its word; a range in full."""
    text = match["worn"] or match["short"] or match["shorter"]
    found: dict[str, None] = {}
    for begun in _WORN_RANGE.finditer(text):
        first, last = int(begun[1]), int(begun[2])
        if first < last <= first + _WIDEST_RANGE:
            found.update((str(size), None) for size in range(first, last + 1))
    written = [
        number(size) if size[0].isdigit() and size[-1].isdigit() else letters(size)
        for size in re.findall(_WORN, text)
    ]
    found.update(dict.fromkeys(written))
    return written, [f"taille{size}" for size in found]


def letters(word: str) -> str:
    """ "2XL" as "xxl": a size in letters as most write it."""
    return "x" * int(word[0]) + "l" if word in ("2xl", "3xl", "4xl", "5xl") else word


@functools.lru_cache(maxsize=256)  # most of what is sold is in a few sizes
def of_offer(quantity_milli: int, unit: str) -> str | None:
    """What one sale holds, as its word: 500000 thousandths of "g" are "500g". None for one piece.

    `unit` is one of `prices.UNITS`; another has no word.
    """
    if unit not in _UNITS or (unit == "piece" and quantity_milli == 1000):
        return None
    told, factor = _UNITS[unit]
    return _word(Decimal(quantity_milli) / 1000 * factor) + told


def _value(text: str) -> Decimal:
    return Decimal(text.replace(" ", "").replace(",", "."))


def _word(value: Decimal) -> str:
    return format(value.normalize(), "f").replace(".", "v")
