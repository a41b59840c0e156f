"""What a listing says of its goods (allergens, origin, maker, energy class) as a term of our own.

Schema.org has no word for allergens, so all of it stands together under one name (FEDERATION.md);
what others may say in schema.org's words beside it is not read.
"""

from typing import Any

from federation import documents
from node import particulars
from node.exchange import terms
from node.model import ALLERGENS, ENERGY_CLASSES, NOTHING_SAID, Contact, Particulars

TERM = "echoppe:particulars"


def document(said: Particulars) -> dict[str, Any]:
    """What was said, and nothing else. An empty list of allergens says that there are none."""
    found: dict[str, Any] = {}
    if said.allergens is not None:
        found["echoppe:allergens"] = list(said.allergens)
    if said.traces:
        found["echoppe:traces"] = list(said.traces)
    for name in ("origin", "brand", "warnings", "energy", "eprel"):
        if getattr(said, name):
            found[f"echoppe:{name}"] = getattr(said, name)
    for name in ("maker", "responsible"):
        contact = getattr(said, name)
        if contact is not None:
            found[f"echoppe:{name}"] = {
                "sdo:name": contact.name,
                "sdo:address": contact.postal,
                "sdo:email" if "@" in contact.electronic else "sdo:url": contact.electronic,
            }
    if said.strength is not None:
        found["echoppe:strength"] = particulars.strength(said.strength)
    return found


def from_document(told: object) -> Particulars:
    """What another node said, within our bounds; what cannot be read was not said.

    Of allergens all must be known: half a list would say that the other half is not in it.
    """
    if not isinstance(told, dict):
        return NOTHING_SAID
    strength = told.get("echoppe:strength")
    tenths = terms.decimal(strength, 1) if strength is not None else None
    energy = told.get("echoppe:energy")
    eprel = told.get("echoppe:eprel")
    said = Particulars(
        allergens=_allergens(told.get("echoppe:allergens")),
        traces=_allergens(told.get("echoppe:traces")) or (),
        origin=_line(told.get("echoppe:origin"), particulars.ORIGIN_MOST),
        brand=_line(told.get("echoppe:brand"), particulars.BRAND_MOST),
        maker=_contact(told.get("echoppe:maker")),
        responsible=_contact(told.get("echoppe:responsible")),
        warnings=documents.text(told.get("echoppe:warnings"), particulars.WARNINGS_MOST) or "",
        energy=energy if isinstance(energy, str) and energy in ENERGY_CLASSES else "",
        eprel=eprel if isinstance(eprel, str) and particulars.is_eprel(eprel) else "",
        strength=tenths if tenths is not None and tenths <= particulars.STRENGTH_MOST else None,
    )
    return said if said else NOTHING_SAID


def _allergens(told: object) -> tuple[str, ...] | None:
    if not isinstance(told, list) or len(told) > len(ALLERGENS):
        return None
    if not all(isinstance(one, str) and one in ALLERGENS for one in told):
        return None
    return tuple(one for one in ALLERGENS if one in told)


def _line(told: object, most: int) -> str:
    return " ".join((documents.text(told, most) or "").split())


def _contact(told: object) -> Contact | None:
    if not isinstance(told, dict):
        return None
    contact = Contact(
        _line(told.get("sdo:name"), particulars.NAME_MOST),
        _line(told.get("sdo:address"), particulars.POSTAL_MOST),
        _line(told.get("sdo:email", told.get("sdo:url")), particulars.ELECTRONIC_MOST),
    )
    return contact if particulars.is_contact(contact) else None
