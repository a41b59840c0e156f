"""A search's address, read and written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from node.model import Condition, Kind
from node.translation import Catalogues
from node.web import asking

SAY = Catalogues().speak("en")


def read(query: str) -> asking.Asked:
    return asking.read(SAY, QueryParams(query))


def test_everything_that_can_be_asked() -> None:
    asked = read(
        "q=+miel++bio+&ou=Pessac&ouvert=1&prix_min=2&prix_max=12,50&etat=used&type=goods"
        "&retrait=1&livraison=1&paiement=card&acces=1&rayon=epicerie.miel&suite=abc"
    )
    assert (asked.words, asked.near, asked.cursor) == ("miel bio", "Pessac", "abc")
    filters = asked.filters
    assert (filters.price_least, filters.price_most) == (200, 1250)
    assert (filters.condition, filters.kind) == (Condition.USED, Kind.GOODS)
    assert filters.open_now
    assert filters.pick_up
    assert filters.delivered
    assert filters.step_free
    assert (filters.payment, filters.category) == ("card", "epicerie.miel")
    assert asked.errors == {}
    # And the address says the same again.
    again = read(asked.address("", "Pessac").partition("?")[2])
    assert (again.filters, again.words) == (asked.filters, asked.words)


@pytest.mark.parametrize(
    "query", ["etat=shiny", "type=x", "paiement=gold", "rayon=nothing", "ouvert=2", "acces=perhaps"]
)
def test_what_a_filter_cannot_be_asks_for_nothing(query: str) -> None:
    asked = read(f"q=miel&{query}")
    assert asked.filters == read("q=miel").filters
    assert asked.pairs == ()


def test_a_price_that_is_none_is_told_and_kept_in_its_field() -> None:
    asked = read("q=miel&prix_max=cher")
    assert asked.filters.price_most is None
    assert list(asked.errors) == ["prix_max"]
    assert asked.value("prix_max") == "cher"


@given(st.dictionaries(st.sampled_from(
    ["q", "ou", "suite", "prix_min", "prix_max", "etat", "rayon", "ouvert", "paiement"]
), st.text(max_size=400)))  # fmt: skip
def test_whatever_an_address_says(query: dict[str, str]) -> None:
    asked = asking.read(SAY, QueryParams(query))
    assert len(asked.words) <= asking.WORDS_MOST
    assert len(asked.address("", "FR-33318")) < 12 * 1000
