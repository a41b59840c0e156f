"""Text from strangers, made fit to be shown."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.web import shown


def test_a_line_is_one_line_of_bounded_length() -> None:
    assert shown.line("  a\n b\t\x00c ", 20) == "a b c"
    assert shown.line("x" * 1000, 120) == "x" * 119 + "…"
    assert shown.line("été", 3) == "été"


def test_piled_up_marks_are_taken_off_and_needed_ones_stay() -> None:
    pile = "Z" + "\u0301" * 10_000 + "algo"
    assert shown.line(pile, 100) == "Z\u0301\u0301algo"
    assert shown.line("e\u0301te\u0301", 100) == "e\u0301te\u0301"


def test_nothing_turns_the_direction_of_what_follows() -> None:
    assert shown.line("prix\u202e05,21\u2066", 100) == "prix05,21"


def test_paragraphs_keep_their_breaks() -> None:
    assert shown.paragraphs("un \r\n\n\n\n deux\x0b", 100) == "un\n\ndeux"


@given(st.text(max_size=300), st.integers(1, 50))
def test_whatever_is_written(text: str, most: int) -> None:
    for made in (shown.line(text, most), shown.paragraphs(text, most)):
        assert len(made) <= most
        assert not any(unicodedata.category(letter) == "Cc" and letter != "\n" for letter in made)
    assert "\n" not in shown.line(text, most)


@pytest.mark.parametrize(
    ("authority", "read"),
    [
        ("boutiques.pessac.example", "boutiques.pessac.example"),
        ("127.0.0.1:8001", "127.0.0.1:8001"),
        ("xn--mrignac-bya.example", "mérignac.example"),
        ("xn--80aa0cbo65f.example", "xn--80aa0cbo65f.example"),  # раураl, Cyrillic and Latin
        ("раураl.example", "xn--l-7sba6dbr.example"),
        ("xn--.example", "xn--.example"),
        ("xn--a-\udcff.example", "xn--a-\udcff.example"),
    ],
)
def test_a_host_is_read_in_accents_only_where_all_is_latin(authority: str, read: str) -> None:
    assert shown.host(authority) == read
