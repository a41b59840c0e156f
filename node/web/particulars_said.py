"""What a listing says of its goods, in words: labels of allergens, and the lines of its page."""

from node import particulars
from node.model import ALLERGENS, Contact, Listing
from node.translation import Translator
from node.web import shown


def allergens(say: Translator) -> dict[str, str]:
    """The 14 of annex II of Regulation 1169/2011, as people call them, in its order."""
    called = {
        "gluten": say("Cereals with gluten (wheat, rye, barley, oats)"),
        "crustaceans": say("Crustaceans"),
        "eggs": say("Eggs"),
        "fish": say("Fish"),
        "peanuts": say("Peanuts"),
        "soybeans": say("Soybeans"),
        "milk": say("Milk (lactose included)"),
        "nuts": say("Nuts (almonds, hazelnuts, walnuts and others)"),
        "celery": say("Celery"),
        "mustard": say("Mustard"),
        "sesame": say("Sesame"),
        "sulphites": say("Sulphites (more than 10 mg/kg)"),
        "lupin": say("Lupin"),
        "molluscs": say("Molluscs"),
    }
    return {one: called[one] for one in ALLERGENS}


def energy(say: Translator, told: str) -> str:
    """A class of energy, or that there is none."""
    return say("this product has no energy label") if told == "none" else told


def field(say: Translator, name: str) -> str:
    """What a duty asks for, in a word or two."""
    return {
        "allergens": say("Allergens"),
        "origin": say("Origin"),
        "maker": say("Maker"),
        "energy": say("Energy class"),
        "strength": say("Alcohol in % vol"),
        "unit": say("What one sale holds"),
    }[name]


def said(say: Translator, found: Listing) -> list[tuple[str, str, str]]:
    """(label, words, link or "") of what was said, in the order of importance."""
    told = found.particulars
    called = allergens(say)
    lines: list[tuple[str, str, str]] = []
    if told.allergens is not None:
        words = "\n".join(called[one] for one in told.allergens) or say("none")
        lines.append((say("Allergens"), words, ""))
    if told.traces:
        lines.append(
            (say("May contain traces of"), "\n".join(called[one] for one in told.traces), "")
        )
    if told.strength is not None:
        number = particulars.strength(told.strength)
        number = number.replace(".", ",") if say.language == "fr" else number
        lines.append((say("Alcohol"), f"{number}\u202f% vol", ""))
    if told.origin:
        lines.append((say("Origin"), shown.line(told.origin, particulars.ORIGIN_MOST), ""))
    if told.energy:
        lines.append((say("Energy class"), energy(say, told.energy), ""))
    if told.eprel:
        lines.append(
            (say("Energy label"), say("sheet in the European register (EPREL)"), told.eprel)
        )
    if told.brand:
        lines.append((say("Brand"), shown.line(told.brand, particulars.BRAND_MOST), ""))
    if told.maker is not None:
        lines.append((say("Maker"), _contact(told.maker), ""))
    if told.responsible is not None:
        lines.append((say("Responsible in the European Union"), _contact(told.responsible), ""))
    if told.warnings:
        text = shown.paragraphs(told.warnings, particulars.WARNINGS_MOST)
        lines.append((say("Warnings"), text, ""))
    return lines


def _contact(told: Contact) -> str:
    return "\n".join(
        shown.line(text, particulars.POSTAL_MOST)
        for text in (told.name, told.postal, told.electronic)
    )
