"""Prices, quantities and codes as people write them, and what a unit costs.

Amounts are integer cents, quantities integer thousandths; nothing here is a float.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from node import errors
from node.model import Priced, Reduction, UnitPrice

CENTS_MOST = 999_999_999
QUANTITY_MOST = 1_000_000
STOCK_MOST = 1_000_000

_PRICE = re.compile(r"([0-9]{1,7})(?:[.,]([0-9]{1,2}))?(?: ?(?:€|EUR))?")
_QUANTITY = re.compile(r"([0-9]{1,7})(?:[.,]([0-9]{1,3}))?")


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of sale, and the one its price is compared in (arrêté du 16 novembre 1999)."""

    id: str
    base: str
    per_base: int  # how many of it make one of the base, in thousandths


UNITS = {
    unit.id: unit
    for unit in (
        Unit("g", "kg", 1_000_000),
        Unit("kg", "kg", 1_000),
        Unit("ml", "l", 1_000_000),
        Unit("cl", "l", 100_000),
        Unit("l", "l", 1_000),
        Unit("cm", "m", 100_000),
        Unit("m", "m", 1_000),
        Unit("m2", "m2", 1_000),
        Unit("h", "h", 1_000),
        Unit("piece", "piece", 1_000),
    )
}


def parse_price(text: str) -> int:
    """Cents of "12.50", "12,50", "12" or "12,5 €". Raises errors.Invalid with a sentence."""
    match = _PRICE.fullmatch(text.strip().replace("\u202f", " ").replace("\u00a0", " "))
    if match is None:
        raise errors.Invalid(
            "bad-price",
            f"The price must be a number such as 12.50, not {text!r}.",
            fields={"price": "must be a number such as 12.50"},
        )
    cents = int(match[1]) * 100 + int((match[2] or "").ljust(2, "0") or 0)
    if not 0 < cents <= CENTS_MOST:
        raise errors.Invalid(
            "bad-price",
            "The price must be more than 0 and less than 10 million. "
            "For a price on request, say so instead.",
            fields={"price": "must be more than 0"},
        )
    return cents


def parse_quantity(text: str) -> int:
    """Thousandths of "500", "0,75" or "1.5". Raises errors.Invalid with a sentence."""
    match = _QUANTITY.fullmatch(text.strip())
    milli = int(match[1]) * 1000 + int((match[2] or "").ljust(3, "0") or 0) if match else 0
    if not 0 < milli <= QUANTITY_MOST * 1000:
        raise errors.Invalid(
            "bad-quantity",
            f"The quantity must be a number above 0, such as 500 or 0.75, not {text!r}.",
            fields={"quantity": "must be a number above 0, such as 500 or 0.75"},
        )
    return milli


def check_gtin(text: str) -> str:
    """The digits of a barcode whose check digit is right (GTIN-8, 12, 13 or 14).

    Raises errors.Invalid.
    """
    digits = text.replace(" ", "")
    if re.fullmatch(r"[0-9]{8}|[0-9]{12,14}", digits):
        weighted = sum(
            int(digit) * (3 if position % 2 else 1)
            for position, digit in enumerate(reversed(digits))
        )
        if weighted % 10 == 0:
            return digits
    raise errors.Invalid(
        "bad-gtin",
        f"{text!r} is not a barcode number: 8, 12, 13 or 14 digits, the last one a check digit.",
        fields={"gtin": "is not a barcode number"},
    )


def unit_price(offer: Priced) -> UnitPrice | None:
    """What one kilogram, litre, metre or hour of an offer costs; None where that says nothing."""
    if offer.price_cents is None or offer.quantity_milli is None or offer.unit is None:
        return None
    unit = UNITS.get(offer.unit)
    if unit is None or (unit.base == "piece" and offer.quantity_milli == 1000):
        return None
    held = 2 * offer.quantity_milli  # doubled, so that a half is rounded up
    cents = (2 * offer.price_cents * unit.per_base + offer.quantity_milli) // held
    return UnitPrice(cents, offer.currency, unit.base)


def percent_off(reference_cents: int, cents: int) -> int:
    """By how many whole percent a price lies below another; never one more than is true."""
    return (reference_cents - cents) * 100 // reference_cents


def current_reduction(offer: Priced, now: datetime) -> Reduction | None:
    """What an offer is announced with, unless it is over: a node that fell silent cannot say so."""
    cut = offer.reduction
    if cut is None or offer.price_cents is None or offer.price_cents >= cut.reference_cents:
        return None
    return None if cut.until is not None and cut.until <= now else cut


def amount(cents: int) -> str:
    """ "12.50": how amounts are written for programs and on the wire."""
    return f"{cents // 100}.{cents % 100:02d}"


def quantity(milli: int) -> str:
    """ "0.75": thousandths as a decimal without needless zeros."""
    whole, rest = divmod(milli, 1000)
    return f"{whole}.{rest:03d}".rstrip("0") if rest else str(whole)
