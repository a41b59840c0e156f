"""Filters of a search as they are typed in an address or on a command line."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TypeVar

from node import categories, errors, prices
from node.model import PAYMENTS, Condition, Filters, Kind

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)
_YES, _NO = {"1", "true", "yes", "oui", "on"}, {"0", "false", "no", "non"}

# What each is called in the API, and in the addresses of pages.
NAMES = (
    "category", "open_now", "price_min", "price_max", "condition", "kind", "pick_up", "delivered",
    "payment", "step_free",
)  # fmt: skip
FRENCH = {
    "category": "rayon",
    "open_now": "ouvert",
    "price_min": "prix_min",
    "price_max": "prix_max",
    "condition": "etat",
    "kind": "type",
    "pick_up": "retrait",
    "delivered": "livraison",
    "payment": "paiement",
    "step_free": "acces",
}


def read(given: Mapping[str, str]) -> Filters:
    """Filters from what was given under NAMES; what is empty asks for nothing.

    Prices upside down are turned. Raises errors.Invalid, with a sentence for each field.
    """
    wrong: dict[str, str] = {}

    def take(name: str, read_one: Callable[[str], T]) -> T | None:
        text = given.get(name, "").strip()
        if not text:
            return None
        try:
            return read_one(text)
        except errors.Invalid as error:
            wrong[name] = error.detail
        return None

    least, most = take("price_min", _price), take("price_max", _price)
    if least is not None and most is not None and least > most:
        least, most = most, least
    found = Filters(
        category=take("category", _category),
        open_now=bool(take("open_now", _flag)),
        price_least=least,
        price_most=most,
        condition=take("condition", _one_of("condition", Condition)),
        kind=take("kind", _one_of("kind", Kind)),
        pick_up=bool(take("pick_up", _flag)),
        delivered=bool(take("delivered", _flag)),
        payment=take("payment", _payment),
        step_free=bool(take("step_free", _flag)),
    )
    if wrong:
        raise errors.Invalid("bad-filter", " ".join(wrong.values()), fields=wrong)
    return found


def write(filters: Filters) -> dict[str, str]:
    """The other way: what was given, to stand in an address. What asks for nothing is left out."""
    given = {
        "category": filters.category,
        "open_now": "1" if filters.open_now else None,
        "price_min": None if filters.price_least is None else prices.amount(filters.price_least),
        "price_max": None if filters.price_most is None else prices.amount(filters.price_most),
        "condition": filters.condition,
        "kind": filters.kind,
        "pick_up": "1" if filters.pick_up else None,
        "delivered": "1" if filters.delivered else None,
        "payment": filters.payment,
        "step_free": "1" if filters.step_free else None,
    }
    return {name: str(value) for name, value in given.items() if value is not None}


def _price(text: str) -> int:
    # "From 0" is how a form says that there is no least price.
    return 0 if text.strip("0., €") == "" and "0" in text else prices.parse_price(text)


def _category(text: str) -> str:
    if categories.get(text) is None:
        near = categories.nearest(text)
        hint = f" Did you mean {near}?" if near else ""
        raise errors.Invalid("bad-category", f"There is no category {text[:60]!r}.{hint}")
    return text


def _payment(text: str) -> str:
    if text not in PAYMENTS:
        raise errors.Invalid("bad-payment", f"A payment is one of {', '.join(PAYMENTS)}.")
    return text


def _flag(text: str) -> bool:
    if text.lower() not in _YES | _NO:
        raise errors.Invalid("bad-flag", f"Say 1 or 0, not {text[:20]!r}.")
    return text.lower() in _YES


def _one_of(name: str, of: type[E]) -> Callable[[str], E]:
    def read_one(text: str) -> E:
        try:
            return of(text)
        except ValueError:
            known = ", ".join(of)
            raise errors.Invalid(f"bad-{name}", f"The {name} is one of {known}.") from None

    return read_one
