"""What a shop types about selling at a distance."""

import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.datastructures import FormData

from node import catalogue, errors
from node import selling as trade
from node.model import Selling
from node.web import forms, selling
from tests import ground


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


def test_what_has_no_box_in_the_form_stays_made_to_measure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest have one; one of a box was unticked, one withdrawn."""
    monkeypatch.setattr(selling, "LISTED_MOST", 1)
    with ground.opened(tmp_path) as db:
        shop = ground.open_shop(db)
        old, gone = ground.publish(db, shop, "Robe"), ground.publish(db, shop, "Veste")
        catalogue.withdraw(db, gone.id, ground.NOW)
        new = ground.publish(db, shop, "Cape", now=ground.NOW + timedelta(days=1))
        before = Selling(shop.id, made_to_measure=(new.id, gone.id, old.id))
        unlisted = selling._unlisted(db, shop, before)
        kept = selling._typed(forms.Form(FormData([])), before, unlisted)
        assert kept.made_to_measure == (old.id,)
