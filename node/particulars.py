"""What is said of the goods of a listing, as people type it: read, and kept within bounds."""

import re

from node import errors, words
from node.model import ALLERGENS, ENERGY_CLASSES, Contact, Particulars

ORIGIN_MOST = 100
BRAND_MOST = 60
NAME_MOST = 100
POSTAL_MOST = 200
ELECTRONIC_MOST = 200
WARNINGS_MOST = 1000
EPREL_MOST = 120
STRENGTH_MOST = 1000  # tenths of a percent
MAKERS_MOST = 200  # brands kept for a shop

_EMAIL = re.compile(r"[^\s@<>\"]{1,64}@[^\s@<>\"]{1,120}\.[^\s@<>\".]{2,24}")
_PAGE = re.compile(r"https?://[^\s<>\"]{3,190}")
_EPREL = re.compile(r"https://eprel\.ec\.europa\.eu/[A-Za-z0-9/_?=&.-]{1,90}")
_STRENGTH = re.compile(r"([0-9]{1,2}|100)(?:[.,]([0-9]))?\s?(?:%|°)?(?:\s?vol\.?)?")

# As people call them, folded and singular; the first of each row is the id.
_CALLED = {
    name: row[0]
    for row in (
        ("gluten", "ble", "seigle", "orge", "avoine", "epeautre", "cereale", "wheat", "cereal"),
        ("crustaceans", "crustace", "crustacean", "crevette", "crabe"),
        ("eggs", "oeuf", "egg"),
        ("fish", "poisson"),
        ("peanuts", "arachide", "cacahuete", "peanut"),
        ("soybeans", "soja", "soya", "soy", "soybean"),
        ("milk", "lait", "lactose"),
        ("nuts", "fruit a coque", "noix", "noisette", "amande", "pistache", "nut"),
        ("celery", "celeri"),
        ("mustard", "moutarde"),
        ("sesame", "graine de sesame"),
        ("sulphites", "sulfite", "anhydride sulfureux", "sulphite"),
        ("lupin",),
        ("molluscs", "mollusque", "mollusc"),
    )
    for name in row
}
NONE_OF_THEM = frozenset(("aucun", "none", "neant", "sans", "sans allergene", "0"))


def parse_allergens(text: str) -> tuple[str, ...]:
    """The allergens of "gluten, lait, fruits à coque"; () for "aucun".

    Raises errors.Invalid naming the first word that is none of the 14.
    """
    folded = words.fold(text).strip(" .")
    if folded in NONE_OF_THEM:
        return ()
    found = set()
    for part in re.split(r"[,;/+]| et | and ", folded):
        name = " ".join(words.singular(word) for word in part.split())
        known = _CALLED.get(name) or _CALLED.get(part.strip())
        if known is None:
            raise errors.Invalid(
                "bad-allergens",
                f"{part.strip()[:40]!r} is none of the 14 allergens: {', '.join(ALLERGENS)}, "
                'or "none".',
                fields={"allergens": "is none of the 14 allergens"},
            )
        found.add(known)
    return tuple(one for one in ALLERGENS if one in found)


def parse_strength(text: str) -> int:
    """Tenths of a percent of "13,5", "13.5 % vol". Raises errors.Invalid."""
    match = _STRENGTH.fullmatch(text.strip())
    tenths = int(match[1]) * 10 + int(match[2] or 0) if match else -1
    if not 0 <= tenths <= STRENGTH_MOST:
        raise errors.Invalid(
            "bad-strength",
            f"The alcohol must be a number such as 13.5, in % vol, not {text[:20]!r}.",
            fields={"strength": "must be a number such as 13.5"},
        )
    return tenths


def strength(tenths: int) -> str:
    """ "13.5", "40": without a needless zero."""
    return f"{tenths // 10}.{tenths % 10}" if tenths % 10 else str(tenths // 10)


def parse_contact(text: str) -> Contact:
    """A contact in one line, "name; postal address; e-mail or page". Raises errors.Invalid."""
    parts = [" ".join(part.split()) for part in text.split(";")]
    if len(parts) != 3 or not all(parts):
        raise errors.Invalid(
            "bad-contact",
            "Write the maker as three things: name; postal address; e-mail or web page.",
            fields={"maker": "is written as name; postal address; e-mail or web page"},
        )
    return Contact(*parts)


def as_typed(said: Particulars) -> dict[str, str]:
    """What was said as a form has it, by field: those in which something stands."""
    found = {
        "allergens": ",".join(said.allergens or ()),
        "no_allergens": "1" if said.allergens == () else "",
        "traces": ",".join(said.traces),
        "origin": said.origin,
        "brand": said.brand,
        "warnings": said.warnings,
        "energy": said.energy,
        "eprel": said.eprel,
        "strength": "" if said.strength is None else strength(said.strength).replace(".", ","),
    }
    for whose, told in (("maker", said.maker), ("responsible", said.responsible)):
        if told is not None:
            found[f"{whose}_name"] = told.name
            found[f"{whose}_postal"] = told.postal
            found[f"{whose}_electronic"] = told.electronic
    return {name: value for name, value in found.items() if value}


def check(said: Particulars) -> dict[str, str]:
    """A sentence for each field that cannot be used."""
    fields: dict[str, str] = {}
    for name, chosen in (("allergens", said.allergens or ()), ("traces", said.traces)):
        if not set(chosen) <= set(ALLERGENS) or len(set(chosen)) < len(chosen):
            fields[name] = f"{name} are of {', '.join(ALLERGENS)}, each once"
    for name, most in (("origin", ORIGIN_MOST), ("brand", BRAND_MOST)):
        if len(getattr(said, name)) > most or not words.is_plain(getattr(said, name)):
            fields[name] = f"the {name} is at most {most} readable characters"
    if len(said.warnings) > WARNINGS_MOST or not words.is_plain(said.warnings, lines=True):
        fields["warnings"] = f"the warnings are at most {WARNINGS_MOST} readable characters"
    for name in ("maker", "responsible"):
        contact = getattr(said, name)
        if contact is not None and not is_contact(contact):
            fields[name] = "a name, a postal address and an e-mail address or web page are needed"
    if said.energy and said.energy not in ENERGY_CLASSES:
        fields["energy"] = f"the energy class is one of {', '.join(ENERGY_CLASSES)}"
    if said.eprel and not is_eprel(said.eprel):
        fields["eprel"] = "the sheet begins with https://eprel.ec.europa.eu/"
    if said.strength is not None and not 0 <= said.strength <= STRENGTH_MOST:
        fields["strength"] = "the alcohol is 0 to 100 % vol"
    return fields


def is_contact(told: Contact) -> bool:
    """Whether all of it is said, and can be used."""
    return (
        0 < len(told.name.strip()) <= NAME_MOST
        and 0 < len(told.postal.strip()) <= POSTAL_MOST
        and all(words.is_plain(text) for text in (told.name, told.postal))
        and is_electronic(told.electronic)
    )


def is_electronic(text: str) -> bool:
    """Whether a text is an e-mail address or the address of a page."""
    return len(text) <= ELECTRONIC_MOST and bool(_EMAIL.fullmatch(text) or _PAGE.fullmatch(text))


def is_eprel(text: str) -> bool:
    """Whether a text is an address in the European register of energy labels."""
    return bool(_EPREL.fullmatch(text))
