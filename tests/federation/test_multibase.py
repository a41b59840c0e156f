"""Base 58, against published pairs and its own way back."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import multibase
from federation.errors import Refused

VECTORS = Path(__file__).parents[2].parent / "shared" / "vectors" / "base58btc_multikey.json"


@given(st.binary(max_size=80))
def test_round_trip(data: bytes) -> None:
    text = multibase.encode(data)
    assert text.startswith("z" + "1" * (len(data) - len(data.lstrip(b"\0"))))
    assert multibase.decode(text, len(data)) == data


@pytest.mark.skipif(not VECTORS.exists(), reason="the published vectors are not beside the project")
def test_published_pairs() -> None:
    published: dict[str, Any] = json.loads(VECTORS.read_text())
    for case in published["base58btc"]:
        data = bytes.fromhex(case["hex"]) if "hex" in case else case["text"].encode()
        assert multibase.encode(data) == "z" + case["base58"]
        assert multibase.decode("z" + case["base58"], 64) == data
    for pair in published["multikeys"]:
        assert multibase.decode(pair["public"], 34)[:2].hex() == pair["codec_public"]


@pytest.mark.parametrize(
    "text", [None, 1, "", "1", "uAQ", "z0", "zO", "zI", "zl", "z ", "zé", "z" + "2" * 10**6]
)
def test_refused(text: object) -> None:
    began = time.process_time()
    with pytest.raises(Refused) as caught:
        multibase.decode(text, 64)
    assert time.process_time() - began < 0.5  # a million digits would take a minute
    assert caught.value.code == "bad-multibase"


def test_length_is_bounded() -> None:
    for data in (bytes(33), b"\xff" * 33):
        assert multibase.decode(multibase.encode(data), 33) == data
        with pytest.raises(Refused):
            multibase.decode(multibase.encode(data), 32)
