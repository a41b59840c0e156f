"""The commune's colour can always be read on and in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.web import colours

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#000000", "#ffffff", 21.0), ("#777777", "#ffffff", 4.48), ("#0f4c40", "#ffffff", 9.9)],
)
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    assert colours.contrast(one, other) == pytest.approx(ratio, abs=0.05)
    assert colours.contrast(other, one) == colours.contrast(one, other)


@given(COLOURS)
def test_any_colour_can_be_read(colour: str) -> None:
    assert colours.contrast(colours.band(colour), "#ffffff") >= colours.RATIO
    for ground in colours.DARK_GROUNDS:
        assert colours.contrast(colours.tint(colour), ground) >= colours.RATIO


@pytest.mark.parametrize("colour", ["#0f4c40", "#7a1f3d", "#1d3f74"])
def test_a_colour_that_can_be_read_is_left_alone(colour: str) -> None:
    assert colours.band(colour) == colour
