"""What a shop types about selling at a distance."""

import uuid

import pytest
from starlette.datastructures import FormData

from node import errors
from node import selling as trade
from node.model import Selling
from node.web import forms, selling


def typed(count: int) -> tuple[Selling, list[str]]:
    ids = [str(uuid.UUID(int=number)) for number in range(count)]
    data = FormData([("trader", "Claire"), *((f"made-{one}", "1") for one in ids)])
    return selling._typed(forms.Form(data), Selling("shop")), ids


def test_every_product_that_was_ticked_is_made_to_measure() -> None:
    """One that is left out gets a right of withdrawal which nobody meant to give."""
    found, ids = typed(trade.MADE_MOST)
    assert found.made_to_measure == tuple(ids)


def test_more_than_can_be_ticked_are_refused_and_not_cut() -> None:
    found, _ = typed(trade.MADE_MOST + 1)
    with pytest.raises(errors.Invalid) as refused:
        trade.checked(found)
    assert list(refused.value.fields) == ["made_to_measure"]
