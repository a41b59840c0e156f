"""The words our documents use beside ActivityStreams, and their values in ours.

FEP-0837 (a marketplace on ValueFlows) and schema.org say what a listing is; both are mapped inline
in the `@context`, because a context document of our own would have to be fetched by every reader.
"""

import re
from datetime import datetime
from typing import Any

from federation import documents, vocabulary
from node import prices
from node.model import Availability, Condition, Kind, Reduction, ReductionKind
from node.store.times import stamp

SDO = "https://schema.org/"
CATEGORY_PREFIX = "echoppe:"
BADGE = "echoppe:badge"  # whose news it is

LISTING_CONTEXT: list[Any] = [
    vocabulary.AS2,
    vocabulary.DATA_INTEGRITY_V2,
    {
        "sensitive": "as:sensitive",
        "vf": "https://w3id.org/valueflows/ont/vf#",
        "om2": "http://www.ontology-of-units-of-measure.org/resource/om-2/",
        "Intent": "vf:Intent",
        "purpose": "vf:purpose",
        "publishes": "vf:publishes",
        "reciprocal": "vf:reciprocal",
        "unitBased": "vf:unitBased",
        "action": "vf:action",
        "resourceConformsTo": {"@id": "vf:resourceConformsTo", "@type": "@id"},
        "resourceQuantity": "vf:resourceQuantity",
        "hasUnit": "om2:hasUnit",
        "hasNumericalValue": "om2:hasNumericalValue",
        "flohmarkt": "https://codeberg.org/flohmarkt/flohmarkt#",
        "sdo": SDO,
        "echoppe": "urn:echoppe:",
    },
]

ACTOR_CONTEXT: list[Any] = [
    vocabulary.AS2,
    vocabulary.SECURITY_V1,
    {
        "toot": "http://joinmastodon.org/ns#",
        "discoverable": "toot:discoverable",
        "indexable": "toot:indexable",
        "featured": {"@id": "toot:featured", "@type": "@id"},
        "suspended": "toot:suspended",
        "alsoKnownAs": {"@id": "as:alsoKnownAs", "@type": "@id"},
        "movedTo": {"@id": "as:movedTo", "@type": "@id"},
        "manuallyApprovesFollowers": "as:manuallyApprovesFollowers",
        "schema": "http://schema.org#",
        "PropertyValue": "schema:PropertyValue",
        "value": "schema:value",
        "webfinger": "https://purl.archive.org/socialweb/webfinger#webfinger",
        "sdo": SDO,
        "Multikey": "https://w3id.org/security#Multikey",
        "publicKeyMultibase": "https://w3id.org/security#publicKeyMultibase",
        "assertionMethod": {
            "@id": "https://w3id.org/security#assertionMethod",
            "@type": "@id",
            "@container": "@set",
        },
        "controller": {"@id": "https://w3id.org/security#controller", "@type": "@id"},
        "implements": {
            "@id": "https://w3id.org/fep/844e/implements",
            "@type": "@id",
            "@container": "@list",
        },
        "echoppe": "urn:echoppe:",
    },
]

# To which residents seal what they write to a shop (node/exchange/shop_keys.py).
SEALING_KEY = "echoppe:sealingKey"

TOMBSTONE_CONTEXT: list[Any] = [vocabulary.AS2, vocabulary.DATA_INTEGRITY_V2]

# The change sequence is our own convention (FEDERATION.md).
SEQUENCE_CONTEXT: list[Any] = [vocabulary.AS2, {"echoppe": "urn:echoppe:"}]
SEQ = "echoppe:seq"
DIGEST = "echoppe:digest"
COUNT = "echoppe:count"
HEAD = "echoppe:head"

# ISO 4217 beside the Wikidata entity by which FEP-0837 names a currency.
CURRENCIES = {"EUR": "Q4916", "CHF": "Q25344", "GBP": "Q25224"}


def currency_uri(currency: str) -> str | None:
    """A currency as FEP-0837 names it."""
    entity = CURRENCIES.get(currency)
    return f"https://www.wikidata.org/wiki/{entity}" if entity else None


def currency_from(value: object) -> str | None:
    """The currency that FEP-0837 names so."""
    return next((code for code in CURRENCIES if currency_uri(code) == value), None)


# Our units by their UN/CEFACT Recommendation 20 code, which schema.org's unitCode takes.
UNIT_CODES = {
    "g": "GRM",
    "kg": "KGM",
    "ml": "MLT",
    "cl": "CLT",
    "l": "LTR",
    "cm": "CMT",
    "m": "MTR",
    "m2": "MTK",
    "h": "HUR",
    "piece": "C62",
}
UNITS_BY_CODE = {code: unit for unit, code in UNIT_CODES.items()}

AVAILABILITY = {
    Availability.IN_STOCK: f"{SDO}InStock",
    Availability.LIMITED: f"{SDO}LimitedAvailability",
    Availability.OUT_OF_STOCK: f"{SDO}OutOfStock",
    Availability.ON_ORDER: f"{SDO}BackOrder",
}
CONDITION = {
    Condition.NEW: f"{SDO}NewCondition",
    Condition.REFURBISHED: f"{SDO}RefurbishedCondition",
    Condition.USED: f"{SDO}UsedCondition",
    Condition.DAMAGED: f"{SDO}DamagedCondition",
}
KIND = {Kind.GOODS: "sdo:Product", Kind.SERVICE: "sdo:Service"}

ACTION = {Kind.GOODS: "transfer", Kind.SERVICE: "deliverService"}  # in FEP-0837's words


def kind_from(value: object) -> Kind:
    """What the type of an offered item means; whatever is no service is goods."""
    return Kind.SERVICE if local_name(value) == "Service" else Kind.GOODS


def kind_from_action(value: object) -> Kind:
    """What the action of a FEP-0837 intent means."""
    return Kind.SERVICE if local_name(value) == ACTION[Kind.SERVICE] else Kind.GOODS


def availability_from(value: object) -> Availability:
    """What a schema.org ItemAvailability means; an unknown one is taken for "there"."""
    return _AVAILABILITY_BY_NAME.get(local_name(value), Availability.IN_STOCK)


_AVAILABILITY_BY_NAME = {
    "LimitedAvailability": Availability.LIMITED,
    "OutOfStock": Availability.OUT_OF_STOCK,
    "SoldOut": Availability.OUT_OF_STOCK,
    "Discontinued": Availability.OUT_OF_STOCK,
    "BackOrder": Availability.ON_ORDER,
    "PreOrder": Availability.ON_ORDER,
    "MadeToOrder": Availability.ON_ORDER,
}


def condition_from(value: object) -> Condition:
    """What a schema.org OfferItemCondition means; an unknown one is taken for new."""
    return _CONDITION_BY_NAME.get(local_name(value), Condition.NEW)


_CONDITION_BY_NAME = {
    "RefurbishedCondition": Condition.REFURBISHED,
    "UsedCondition": Condition.USED,
    "DamagedCondition": Condition.DAMAGED,
}


# How a listing is had (schema.org's DeliveryMethod and GoodRelations' values of it).
PICK_UP = f"{SDO}OnSitePickup"
DELIVERED = "http://purl.org/goodrelations/v1#DeliveryModeOwnFleet"
_PICKED_UP = frozenset(("OnSitePickup", "DeliveryModePickUp"))
_BROUGHT = frozenset(
    ("DeliveryModeOwnFleet", "DeliveryModeMail", "DeliveryModeFreight", "ParcelService")
)
METHODS_READ = 10


def delivery_methods(*, pick_up: bool, delivered: bool) -> list[str]:
    """How a listing is had, as sdo:availableDeliveryMethod."""
    return [PICK_UP] * pick_up + [DELIVERED] * delivered


def delivery_methods_from(offer: dict[str, Any]) -> tuple[bool, bool]:
    """(can be fetched at the shop, is delivered), as an offer tells.

    An offer that does not say, or says it in words that are not known, can be fetched.
    """
    told = offer.get("sdo:availableDeliveryMethod")
    if told is None:
        return True, "sdo:shippingDetails" in offer
    if told == []:
        return False, False
    names = {local_name(one) for one in (told if isinstance(told, list) else [told])[:METHODS_READ]}
    pick_up, delivered = bool(names & _PICKED_UP), bool(names & _BROUGHT)
    return pick_up or not delivered, delivered


def local_name(value: object) -> str:
    """The last part of a term, however it is written: "sdo:Monday", "https://schema.org/Monday"."""
    if not isinstance(value, str) or len(value) > 200:
        return ""
    return value.rsplit("/", 1)[-1].rsplit("#", 1)[-1].rsplit(":", 1)[-1]


def place_reference(place_id: str) -> str:
    """A place as documents name it: "FR-INSEE:33063", "geonames:2988507"."""
    country, dash, code = place_id.partition("-")
    return f"{country}-INSEE:{code}" if dash else place_id


def place_from(value: object) -> str | None:
    """The place id of such a reference, or None."""
    if isinstance(value, str) and value.startswith("FR-INSEE:") and len(value) == 14:
        code = value[9:]
        if code.isascii() and code.isalnum():
            return f"FR-{code.upper()}"
    if isinstance(value, str) and re.fullmatch(r"geonames:[0-9]{1,12}", value):
        return value
    return None


def cents(value: object) -> int | None:
    """An amount of money as integer cents, where it can be one; else None."""
    found = decimal(value, 2)
    return found if found is not None and found <= prices.CENTS_MOST else None


def decimal(value: object, places: int) -> int | None:
    """A decimal of at most `places` places as an integer of its smallest part; else None.

    Numbers are read by their shortest text, so that a JSON 12.5 is exactly 12.50.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    match = _DECIMAL.fullmatch(str(value).strip())
    if match is None:
        return None
    rest = (match[2] or "").ljust(places, "0")
    return None if rest[places:].strip("0") else int(match[1] + rest[:places])


_DECIMAL = re.compile(r"([0-9]{1,9})(?:\.([0-9]+))?")


# --- Reductions ----------------------------------------------------------------------------------

STRUCK = "https://schema.org/StrikethroughPrice"
_SPECIFICATIONS_READ = 4


def reduction(cut: Reduction, currency: str) -> dict[str, Any]:
    """The price that a reduced one is announced against, since when, until when and why."""
    found: dict[str, Any] = {
        "type": "sdo:PriceSpecification",
        "sdo:priceType": STRUCK,
        "sdo:name": cut.kind,
        "sdo:price": prices.amount(cut.reference_cents),
        "sdo:priceCurrency": currency,
        "sdo:validFrom": stamp(cut.since),
    }
    if cut.until is not None:
        found["sdo:validThrough"] = stamp(cut.until)
    return found


def reduction_from(told: object, price_cents: int | None) -> Reduction | None:
    """A reduction as `reduction` writes it; None for whatever is none, or no lower price."""
    for one in documents.as_list(told)[:_SPECIFICATIONS_READ]:
        if not isinstance(one, dict) or one.get("sdo:priceType") != STRUCK:
            continue
        reference = cents(one.get("sdo:price"))
        since, until = _day(one.get("sdo:validFrom")), _day(one.get("sdo:validThrough"))
        if reference is None or price_cents is None or since is None or reference <= price_cents:
            return None
        kind = one.get("sdo:name")
        known = isinstance(kind, str) and kind in tuple(ReductionKind)
        return Reduction(
            ReductionKind(str(kind)) if known else ReductionKind.PROMOTION,
            reference,
            since,
            until,
        )
    return None


def _day(told: object) -> datetime | None:
    """A time that clocks everywhere can show; None for any other."""
    found = documents.timestamp(told)
    if found is None or not 2000 <= found.year < 2200:
        return None
    return found.replace(microsecond=0)


def is_post(found: dict[str, Any]) -> bool:
    """Whether a document is news or an event, and no listing, reply or enquiry."""
    kind = documents.type_of(found)
    return kind == "Event" or (kind == "Note" and BADGE in found and not found.get("inReplyTo"))
