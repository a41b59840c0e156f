"""Amounts, quantities, barcodes as people type them, and what a unit costs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node import errors, prices
from node.model import Offer
from tests import ground


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("12.50", 1250),
        ("12,50", 1250),
        ("12.5", 1250),
        ("12,5", 1250),
        ("12", 1200),
        ("12,50 €", 1250),
        ("12,50€", 1250),
        ("12,50\u00a0€", 1250),
        ("12,50\u202f€", 1250),
        ("12 EUR", 1200),
        ("  12.50 ", 1250),
        ("0.01", 1),
        ("0,10", 10),
        ("007", 700),
        ("9999999.99", 999_999_999),
    ],
)
def test_a_price_is_read_as_people_write_it(text: str, cents: int) -> None:
    assert prices.parse_price(text) == cents


@pytest.mark.parametrize(
    "text",
    [
        "12,5O",  # the letter
        "l2.50",
        "",
        " ",
        "€",
        "0",
        "0.00",
        "-1",
        "+1",
        "12.505",
        "12.",
        ".50",
        "12.50.1",
        "12,5,0",
        "1e9",
        "1000000000",
        "10000000",
        "NaN",
        "inf",
        "12 $",
        "0x10",
        "١٢",
        "1_000",
    ],
)
def test_what_is_no_price_is_refused_and_never_guessed(text: str) -> None:
    with pytest.raises(errors.Invalid) as caught:
        prices.parse_price(text)
    assert caught.value.code == "bad-price"
    assert set(caught.value.fields) == {"price"}
    assert caught.value.detail.endswith(".")


@given(st.integers(1, prices.CENTS_MOST))
def test_an_amount_reads_back_as_the_same_cents(cents: int) -> None:
    assert prices.parse_price(prices.amount(cents)) == cents


@given(st.integers(1, prices.QUANTITY_MOST * 1000))
def test_a_quantity_reads_back_as_the_same_thousandths(milli: int) -> None:
    assert prices.parse_quantity(prices.quantity(milli)) == milli


@pytest.mark.parametrize(
    ("text", "milli"),
    [("500", 500_000), ("0,75", 750), ("1.5", 1500), ("0.001", 1), ("1000000", 1_000_000_000)],
)
def test_a_quantity_is_read_as_people_write_it(text: str, milli: int) -> None:
    assert prices.parse_quantity(text) == milli


@pytest.mark.parametrize(
    "text", ["", "0", "0.000", "-1", "0.0001", "1000001", "5OO", "500 g", "1e3", "٥"]
)
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(errors.Invalid) as caught:
        prices.parse_quantity(text)
    assert caught.value.code == "bad-quantity"


@pytest.mark.parametrize(
    ("milli", "text"), [(500_000, "500"), (750, "0.75"), (1500, "1.5"), (1, "0.001"), (10, "0.01")]
)
def test_a_quantity_is_written_without_needless_zeros(milli: int, text: str) -> None:
    assert prices.quantity(milli) == text


@pytest.mark.parametrize(
    ("cents", "quantity", "unit", "expected", "per"),
    [
        (1250, "500", "g", 2500, "kg"),
        (1250, "1", "kg", 1250, "kg"),  # exactly one: the law wants it shown all the same
        (199, "33", "cl", 603, "l"),  # 6.0303
        (100, "33", "cl", 303, "l"),
        (100, "3", "piece", 33, "piece"),
        (200, "3", "piece", 67, "piece"),  # 66.67
        (250, "6", "piece", 42, "piece"),  # 41.67
        (1, "2", "piece", 1, "piece"),  # half a cent goes up
        (3, "2", "piece", 2, "piece"),  # 1.5: up, where banker's rounding also says 2
        (5, "2", "piece", 3, "piece"),  # 2.5: up, where banker's rounding says 2
        (499, "750", "ml", 665, "l"),  # 6.6533
        (350, "75", "cl", 467, "l"),
        (890, "1.5", "l", 593, "l"),
        (1990, "50", "cm", 3980, "m"),
        (4500, "2.5", "m2", 1800, "m2"),
        (6000, "0.75", "h", 8000, "h"),
        (999_999_999, "0.001", "g", 999_999_999_000_000, "kg"),
    ],
)
def test_a_unit_price_is_rounded_half_up(
    cents: int, quantity: str, unit: str, expected: int, per: str
) -> None:
    offer = ground.offer(cents, quantity_milli=prices.parse_quantity(quantity), unit=unit)
    price = prices.unit_price(offer)
    assert price is not None
    assert (price.cents, price.currency, price.per) == (expected, "EUR", per)


@pytest.mark.parametrize(
    "offer",
    [
        ground.offer(1250),
        ground.offer(None, quantity_milli=500_000, unit="g"),
        ground.offer(1250, quantity_milli=1000, unit="piece"),
        ground.offer(1250, quantity_milli=1000, unit="barrel"),
    ],
    ids=["no quantity", "on request", "one piece", "unknown unit"],
)
def test_a_unit_price_that_says_nothing_is_not_there(offer: Offer) -> None:
    assert prices.unit_price(offer) is None


@pytest.mark.parametrize(
    "text",
    ["4006381333931", "3 017620 422003", "96385074", "036000291452", "00012345600012"],
)
def test_a_barcode_with_the_right_check_digit_is_taken(text: str) -> None:
    assert prices.check_gtin(text) == text.replace(" ", "")


@pytest.mark.parametrize(
    "text",
    [
        "4006381333932",
        "96385075",
        "400638133393",
        "4006381333931 1",
        "",
        "abcdefgh",
        "٤٠٠٦٣٨١٣٣٣٩٣١",
        "-4006381333931",
    ],
)
def test_a_barcode_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(errors.Invalid) as caught:
        prices.check_gtin(text)
    assert set(caught.value.fields) == {"gtin"}


@given(st.text("0123456789", min_size=12, max_size=12), st.integers(0, 11), st.integers(1, 9))
def test_one_wrong_digit_is_always_noticed(body: str, position: int, by: int) -> None:
    weighted = sum(int(digit) * (1, 3)[at % 2] for at, digit in enumerate(body))
    right = f"{body}{-weighted % 10}"
    assert prices.check_gtin(right) == right
    other = str((int(right[position]) + by) % 10)
    with pytest.raises(errors.Invalid):
        prices.check_gtin(right[:position] + other + right[position + 1 :])
