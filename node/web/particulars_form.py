"""What is typed about the goods (allergens, origin, maker, energy), and what becomes of it."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from node import errors, particulars
from node.model import ALLERGENS, ENERGY_CLASSES, Contact, Particulars
from node.translation import Translator
from node.web import forms

_LINES = (
    ("origin", particulars.ORIGIN_MOST),
    ("brand", particulars.BRAND_MOST),
    ("known", particulars.BRAND_MOST),
    ("maker_name", particulars.NAME_MOST),
    ("maker_postal", particulars.POSTAL_MOST),
    ("maker_electronic", particulars.ELECTRONIC_MOST),
    ("responsible_name", particulars.NAME_MOST),
    ("responsible_postal", particulars.POSTAL_MOST),
    ("responsible_electronic", particulars.ELECTRONIC_MOST),
    ("energy", 10),
    ("eprel", particulars.EPREL_MOST),
    ("strength", 12),
)
_CONTACT = ("name", "postal", "electronic")
# The fields by which each duty is met.
_GROUPS = {
    "allergens": ("allergens", "no_allergens", "traces"),
    "origin": ("origin",),
    "maker": (
        "brand", "known", "own", "warnings",
        *(f"{whose}_{name}" for whose in ("maker", "responsible") for name in _CONTACT),
    ),
    "energy": ("energy", "eprel"),
    "strength": ("strength",),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the fields, as it was typed."""

    allergens: tuple[str, ...] = ()
    no_allergens: bool = False
    traces: tuple[str, ...] = ()
    origin: str = ""
    brand: str = ""
    known: str = ""  # a brand told of before, to be taken with its maker
    own: bool = False  # the shop itself makes it
    maker_name: str = ""
    maker_postal: str = ""
    maker_electronic: str = ""
    responsible_name: str = ""
    responsible_postal: str = ""
    responsible_electronic: str = ""
    warnings: str = ""
    energy: str = ""
    eprel: str = ""
    strength: str = ""


def typed_in(form: forms.Form) -> Typed:
    """What was sent."""
    return Typed(
        allergens=tuple(one for one in ALLERGENS if form.is_set(f"allergen-{one}")),
        no_allergens=form.is_set("no_allergens"),
        traces=tuple(one for one in ALLERGENS if form.is_set(f"trace-{one}")),
        own=form.is_set("own"),
        warnings=form.text("warnings", particulars.WARNINGS_MOST),
        **{name: form.line(name, most) for name, most in _LINES},
    )


def typed_of(said: Particulars) -> Typed:
    """What was said, as it would have been typed."""
    return typed_from(particulars.as_typed(said))


def over(typed: Typed, before: Typed, shown: str) -> Typed:
    """What was typed, over what was there before for which the form had no field; `shown` names
    the duties it had fields for."""
    kept = {
        name: getattr(before, name)
        for duty, names in _GROUPS.items()
        if duty not in shown.split(",") and not any(getattr(typed, name) for name in names)
        for name in names
    }
    return dataclasses.replace(typed, **kept)


def kept_of(typed: Typed) -> dict[str, str]:
    """The fields as a draft keeps them: those in which something stands."""
    found: dict[str, str] = {}
    for one in dataclasses.fields(typed):
        value = getattr(typed, one.name)
        if value:
            found[one.name] = value if isinstance(value, str) else _joined(value)
    return found


def _joined(value: object) -> str:
    return "1" if isinstance(value, bool) else ",".join(value) if isinstance(value, tuple) else ""


def typed_from(kept: Mapping[str, str]) -> Typed:
    """The fields again, as a draft has kept them."""
    return Typed(
        allergens=_parts(kept.get("allergens", "")),
        no_allergens=bool(kept.get("no_allergens")),
        traces=_parts(kept.get("traces", "")),
        own=bool(kept.get("own")),
        warnings=kept.get("warnings", ""),
        **{name: kept.get(name, "") for name, _ in _LINES},
    )


def _parts(text: str) -> tuple[str, ...]:
    return tuple(one for one in ALLERGENS if one in text.split(","))


def particulars_of(
    say: Translator, typed: Typed, makers: Sequence[Particulars], itself: Contact | None
) -> tuple[Particulars, dict[str, str]]:
    """What was typed as it is kept, and a sentence for each field that cannot be used.

    `makers` are those the shop has told of before; `itself` is the shop, where its address is
    known.
    """
    problems: dict[str, str] = {}
    if typed.allergens and typed.no_allergens:
        problems["allergens"] = say("Either allergens or “none of them”: not both")
    strength = None
    if typed.strength:
        try:
            strength = particulars.parse_strength(typed.strength)
        except errors.Invalid:
            problems["strength"] = say("The alcohol must be a number, for example 13.5")
    if typed.energy not in ("", *ENERGY_CLASSES):
        problems["energy"] = say("There is no such class")
    if typed.eprel and not particulars.is_eprel(typed.eprel):
        problems["eprel"] = say("The sheet begins with https://eprel.ec.europa.eu/")
    said = Particulars(
        allergens=() if typed.no_allergens else typed.allergens or None,
        traces=typed.traces,
        origin=typed.origin,
        brand=typed.brand,
        maker=_contact(say, typed, "maker", problems),
        responsible=_contact(say, typed, "responsible", problems),
        warnings=typed.warnings,
        energy=typed.energy,
        eprel=typed.eprel,
        strength=strength,
    )
    known = next((one for one in makers if typed.known and one.brand == typed.known), None)
    if said.maker is None and known is not None:
        said = dataclasses.replace(
            said, brand=said.brand or known.brand, maker=known.maker, responsible=known.responsible
        )
    elif said.maker is None and typed.own and itself is not None:
        said = dataclasses.replace(said, maker=itself)
    elif said.maker is None and typed.own:
        problems["maker_name"] = say("The shop has not told its address: say who makes it")
    for name, sentence in (
        ("origin", say("The origin is too long, or holds unreadable characters")),
        ("brand", say("The brand is too long, or holds unreadable characters")),
        ("warnings", say("The warnings are too long, or hold unreadable characters")),
    ):
        if name in particulars.check(said):
            problems[name] = sentence
    return said, problems


def _contact(say: Translator, typed: Typed, whose: str, problems: dict[str, str]) -> Contact | None:
    told = [getattr(typed, f"{whose}_{name}") for name in _CONTACT]
    if not any(told):
        return None
    sentences = (
        say("Say the name, as it stands on the package"),
        say("Say the postal address, as it stands on the package"),
        say("Say an e-mail address, or the address of a page that begins with https://"),
    )
    for name, value, sentence in zip(_CONTACT, told, sentences, strict=True):
        wrong = not value or (name == "electronic" and not particulars.is_electronic(value))
        if wrong:
            problems[f"{whose}_{name}"] = sentence
    contact = Contact(*told)
    if not any(f"{whose}_{name}" in problems for name in _CONTACT) and not (
        particulars.is_contact(contact)
    ):
        problems[f"{whose}_name"] = say("The name or the address is too long or unreadable")
    return contact


# --- what is shown -------------------------------------------------------------------------------

# A duty's field as the form has it: what an error leads to.
AT = {
    "allergens": "allergens",
    "origin": "origin",
    "maker": "maker_name",
    "energy": "energy",
    "strength": "strength",
    "unit": "quantity",
}
