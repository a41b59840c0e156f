"""The test set of searches: well formed, and nothing asked that nobody has."""

import pytest

from bench import quality
from node import catalogue, prices
from node.catalogue import ListingDraft

THINGS = list(quality.catalogue_things())
STALLS = list(quality.stalls())
QUERIES = quality.judged_queries()
GOODS = [goods for stall in STALLS for goods in quality.stock(stall, THINGS)]


def test_it_is_as_large_as_was_asked() -> None:
    assert len(QUERIES) >= 200
    assert len(GOODS) >= 1500
    assert len({thing.trade for thing in THINGS}) >= 12
    assert len({stall.place for stall in STALLS}) >= 25


def test_every_thing_is_told_once_and_can_be_published() -> None:
    assert len({thing.id for thing in THINGS}) == len(THINGS)
    for goods in GOODS:
        catalogue.check(
            ListingDraft(
                goods.name,
                tuple(quality.offers(goods)),
                description=goods.description,
                category=goods.thing.category,
            )
        )


def test_bar_codes_are_right_and_each_on_one_thing() -> None:
    codes = [thing.extra for thing in THINGS if thing.extra.isdigit()]
    assert len(codes) > 50
    assert len(set(codes)) == len(codes)
    for code in codes:
        assert prices.check_gtin(code) == code


def test_every_shop_has_a_trade_that_there_is() -> None:
    trades = {thing.trade for thing in THINGS}
    assert all(set(stall.trades) <= trades for stall in STALLS)
    assert len({stall.handle for stall in STALLS}) == len(STALLS)


def test_every_query_has_something_that_was_wanted() -> None:
    assert len({(query.words, query.place) for query in QUERIES}) == len(QUERIES)
    lacking = [
        query.words for query in QUERIES if not any(query.judge(goods) == 2 for goods in GOODS)
    ]
    assert lacking == []


@pytest.mark.parametrize(
    ("shown", "there", "figure"),
    [([3, 1], [1, 3], 1.0), ([], [3], 0.0), ([0, 3], [3], 0.6309), ([], [], 0.0)],
)
def test_the_figure(shown: list[int], there: list[int], figure: float) -> None:
    assert quality.ndcg(shown, there) == pytest.approx(figure, abs=1e-4)
