"""Borders as bytes and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.gazetteer import outlines

POINT = st.tuples(st.integers(-180_000, 180_000), st.integers(-90_000, 90_000))


@given(rings=st.lists(st.lists(POINT, min_size=3, max_size=20), max_size=4))
def test_what_is_packed_comes_back(rings: list[list[tuple[int, int]]]) -> None:
    back = outlines.unpack(outlines.pack(rings))
    assert [[(round(lon * 1000), round(lat * 1000)) for lat, lon in ring] for ring in back] == rings


def test_a_line_of_the_source() -> None:
    rings = outlines.from_source("4958,46153 -17,-9 -2,-15;5000,46000 1,0 0,1")
    assert rings == [
        [(4958, 46153), (4941, 46144), (4939, 46129)],
        [(5000, 46000), (5001, 46000), (5001, 46001)],
    ]
    # One that ends where it began is the same.
    assert outlines.from_source("4958,46153 -17,-9 -2,-15 19,24") == rings[:1]
    # Small steps take a byte each.
    assert len(outlines.pack(rings)) == 2 * (1 + 6 + 4) - 2


@pytest.mark.parametrize("broken", ["1,2,3", "1", "a,b", "1,2  x"])
def test_a_broken_line_is_an_error(broken: str) -> None:
    with pytest.raises(ValueError, match=r"unpack|int"):
        outlines.from_source(broken)
