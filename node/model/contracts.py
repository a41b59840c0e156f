"""Selling at a distance: what a shop says for it, and what was agreed on with an order."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Exempt(StrEnum):
    """Why there is no right of withdrawal (Code de la consommation, L221-28, 3° and 4°)."""

    NO = ""
    PERISHABLE = "perishable"
    MADE_TO_MEASURE = "made_to_measure"


@dataclass(frozen=True, slots=True)
class Selling:
    """What a shop says of itself to sell at a distance. What is not said is empty.

    `since` is None while it does not sell so. Everything is delivered or ready within `within_days`
    of the order. `terms` are the shop's own; `link` is its own payment page. With `alcohol` it has
    said that it holds the licence that selling drinks so needs.
    """

    shop: str
    since: datetime | None = None
    trader: str = ""  # name and legal form
    siret: str = ""
    email: str = ""
    mediator: str = ""
    return_address: str = ""
    within_days: int | None = None
    terms: str = ""
    holder: str = ""
    iban: str = ""
    link: str = ""
    alcohol: bool = False
    made_to_measure: tuple[str, ...] = ()  # ids of listings


@dataclass(frozen=True, slots=True)
class Order:
    """What makes a reservation an order. Nothing says whether it was paid: this node never knows.

    `contract` are the terms as they were read before ordering, as HTML that this node made.
    """

    reservation: str
    brought: bool  # to the resident; otherwise it is fetched at the shop
    goods_cents: int
    delivery_cents: int
    exempt: Exempt
    contract: str = field(repr=False)
    withdrawn: datetime | None = None

    @property
    def total_cents(self) -> int:
        """All that there is to pay, in euro cents, taxes included."""
        return self.goods_cents + self.delivery_cents
