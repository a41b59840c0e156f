"""Canonical JSON, against published vectors and an independent implementation."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from federation import jcs, limits
from federation.errors import Refused

VECTORS = Path(__file__).parents[2].parent / "shared" / "vectors" / "jcs_rfc8785.json"
published = pytest.mark.skipif(
    not VECTORS.exists(), reason="the published vectors are not beside the project"
)

TEXT = st.text(max_size=10)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5),
    max_leaves=20,
)


@given(VALUES)
def test_agrees_with_rfc8785(value: Any) -> None:
    assert jcs.canonicalize(value) == rfc8785.dumps(value)


@given(st.integers(0, 2**64 - 1))
def test_every_double(bits: int) -> None:
    (number,) = struct.unpack(">d", bits.to_bytes(8, "big"))
    try:
        expected = rfc8785.dumps(number)
    except rfc8785.FloatDomainError:
        with pytest.raises(Refused):
            jcs.canonicalize(number)
    else:
        assert jcs.canonicalize(number) == expected


@published
def test_published_documents() -> None:
    for case in json.loads(VECTORS.read_text())["cases"]:
        canonical = jcs.canonicalize(json.loads(case["input"]))
        assert canonical.hex() == case["output_hex"], case["name"]


@published
def test_published_numbers() -> None:
    for case in json.loads(VECTORS.read_text())["numbers"]:
        (number,) = struct.unpack(">d", bytes.fromhex(case["ieee754_hex"]))
        if case["json"] is None:
            with pytest.raises(Refused):
                jcs.canonicalize(number)
        else:
            assert jcs.canonicalize(number) == case["json"].encode()


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (-43.7275, "-43.7275"),
        (1e-6, "0.000001"),
        (1.5e-6, "0.0000015"),
        (1e-7, "1e-7"),
        (-1.5e-7, "-1.5e-7"),
        (1e16, "10000000000000000"),
        (123456789012345680000.0, "123456789012345680000"),
        (1e21, "1e+21"),
        (-1.25e21, "-1.25e+21"),
        (5e-324, "5e-324"),
        (2.0**53, "9007199254740992"),
        (-(2.0**53), "-9007199254740992"),
    ],
)
def test_numbers(number: float, text: str) -> None:
    assert jcs.canonicalize(number) == text.encode()


def test_names_in_utf16_order() -> None:
    # By code points U+FB33 comes before U+1F602; by UTF-16 units after it.
    canonical = jcs.canonicalize({"\ufb33": 1, "\U0001f602": 2})
    assert canonical == '{"\U0001f602":2,"\ufb33":1}'.encode()


def test_strings() -> None:
    assert jcs.canonicalize('\x00\x1f\x7f\u2028"\\/\n\t\b\f\ré') == (
        '"\\u0000\\u001f\x7f\u2028\\"\\\\/\\n\\t\\b\\f\\ré"'.encode()
    )


def deep(depth: int, *, lists: bool) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value] if lists else {"a": value}
    return value


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        [float("-inf")],
        2**53,
        -(2**53),
        "\ud800",
        {"\udfff": 1},
        {"\ud83d\ude00": 1},
        {1: 1},
        {None: 1},
        {"a": b"b"},
        (1, 2),
        {1, 2},
        object(),
        deep(100, lists=True),
        deep(100, lists=False),
        deep(100_000, lists=True),
    ],
    ids=lambda value: type(value).__name__,
)
def test_refused(value: Any) -> None:
    with pytest.raises(Refused) as caught:
        jcs.canonicalize(value)
    assert caught.value.code == "not-canonical"


def test_all_that_the_gate_lets_through_has_room() -> None:
    assert jcs.canonicalize(deep(limits.JSON_DEPTH + 1, lists=True))
