"""Which compression and which validator a request asks for."""

import pytest

from node.web import content


@pytest.mark.parametrize(
    ("accept", "allowed"),
    [
        ("gzip", True), ("GZIP", True), ("deflate, gzip;q=1.0, *;q=0.5", True), ("*", True),
        ("gzip;q=0", False), ("gzip;q=0.0", False), ("gzip;q=0,*", False), ("", False),
        ("br", False), ("*;q=0", False), (";;;,,q=gzip", False), ("x," * 1000 + "gzip", False),
    ],
)  # fmt: skip
def test_gzip_only_where_it_is_accepted(accept: str, allowed: bool) -> None:
    assert content.accepts_gzip(accept) is allowed


@pytest.mark.parametrize(
    ("if_none_match", "known"),
    [
        ('W/"a"', True), ('"a"', True), ('"b", W/"a"', True), ("*", True), ("", False),
        ('"b"', False), ("a", False), ('"a', False),
    ],
)  # fmt: skip
def test_validators_are_compared_weakly(if_none_match: str, known: bool) -> None:
    assert content.is_known(if_none_match, 'W/"a"') is known
