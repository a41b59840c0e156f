"""The choices of a listing as a merchant types them: up to two kinds of them, each with its values.

taille: S, M, L        couleur: rouge, bleu        -> six offers
"""

import itertools
import uuid
from dataclasses import dataclass, replace

from node import catalogue, words
from node.model import Listing, Offer
from node.translation import Translator
from node.web import forms

VALUES_MOST = 400  # characters


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the fields: names of the kinds, and their values with commas between."""

    axis_1: str = ""
    values_1: str = ""
    axis_2: str = ""
    values_2: str = ""


def typed_in(form: forms.Form) -> Typed:
    """What was sent."""
    return Typed(
        axis_1=form.line("axis_1", catalogue.AXIS_MOST),
        values_1=form.line("values_1", VALUES_MOST),
        axis_2=form.line("axis_2", catalogue.AXIS_MOST),
        values_2=form.line("values_2", VALUES_MOST),
    )


def typed_of(listing: Listing) -> Typed:
    """The choices of a listing as they would have been typed."""
    axes = tuple(listing.offers[0].axes)
    found = [
        (axis, ", ".join(dict.fromkeys(offer.axes.get(axis, "") for offer in listing.offers)))
        for axis in axes[: catalogue.AXES_MOST]
    ]
    found += [("", "")] * (catalogue.AXES_MOST - len(found))
    return Typed(*found[0], *found[1])


def offers_of(
    say: Translator, typed: Typed, listing: Listing
) -> tuple[tuple[Offer, ...], dict[str, str]]:
    """One offer for each combination, or a sentence for each field that cannot be used.

    A combination that is there already keeps its price and stock; a new one begins with the price
    of the first offer, and nobody counts it yet.
    """
    problems: dict[str, str] = {}
    axes: list[tuple[str, tuple[str, ...]]] = []
    for number, (axis, typed_values) in enumerate(
        ((typed.axis_1, typed.values_1), (typed.axis_2, typed.values_2)), 1
    ):
        values = tuple(dict.fromkeys(v.strip() for v in typed_values.split(",") if v.strip()))
        if not axis and not values:
            continue
        if not axis:
            problems[f"axis_{number}"] = say("Say what there is to choose: size, colour…")
        elif not values:
            problems[f"values_{number}"] = say("Say what can be chosen, with commas between")
        elif any(axis == known for known, _ in axes):
            problems[f"axis_{number}"] = say("The two choices have the same name")
        texts = (axis, *values)
        if not all(words.is_plain(text) and len(text) <= catalogue.AXIS_MOST for text in texts):
            problems[f"values_{number}"] = say("A choice is at most 40 readable characters")
        axes.append((axis, values))
    count = len(list(itertools.product(*(values for _, values in axes)))) if not problems else 0
    if count > catalogue.OFFERS_MOST:
        problems["values_1"] = say("These are more than 50 combinations: make two products of it")
    if problems:
        return (), problems
    known = {tuple(offer.axes.items()): offer for offer in listing.offers}
    names = [axis for axis, _ in axes]
    # The prices that the first offer has shown go on with one of the new ones.
    combinations = itertools.product(*(values for _, values in axes))
    keeps_first = tuple(listing.offers[0].axes.items()) in {
        tuple(zip(names, values, strict=True)) for values in combinations
    }
    made = []
    for number, values in enumerate(itertools.product(*(values for _, values in axes))):
        combination = dict(zip(names, values, strict=True))
        offer = known.get(tuple(combination.items()))
        if offer is None:
            first = listing.offers[0]
            offer = replace(
                first,
                id=first.id if number == 0 and not keeps_first else str(uuid.uuid4()),
                axes=combination,
                stock=None,
                availability=catalogue.availability(None),
                gtin=None,
                sku=None,
                reduction=None,
            )
        made.append(offer)
    return tuple(made), {}
