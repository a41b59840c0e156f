"""Text from strangers made fit to be shown: bounded, calm, and honest about whose it is.

Markup is not dealt with here: templates escape everything.
"""

import re
import unicodedata

# Combining marks, which some writing needs and nobody needs three of on one letter.
_PILES = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{2})"
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def line(text: str, most: int) -> str:
    """One line of at most `most` characters, without controls and piled-up marks."""
    return _clip(" ".join(_calm(text).split()), most)


def paragraphs(text: str, most: int) -> str:
    """The same with its line breaks, at most two after one another."""
    lines = [" ".join(one.split()) for one in _calm(text).split("\n")]
    return _clip(re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip(), most)


def _calm(text: str) -> str:
    if not text.isprintable():  # nothing that is printable is to be unseen
        text = _UNSEEN.sub("", text)
    return text if text.isascii() else _PILES.sub(r"\1", text)


def _clip(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def host(authority: str) -> str:
    """A node's name as people read it: accents where all its letters are Latin, else punycode.

    A name of mixed or foreign letters can look like another's; its "xn--" form cannot.
    """
    return ".".join(_label(label) for label in authority.split("."))


def _label(label: str) -> str:
    if not label.startswith("xn--"):
        return label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii")
    try:
        decoded = label[4:].encode("ascii").decode("punycode")
    except (UnicodeError, ValueError):
        return label
    latin = all(
        letter == "-" or letter.isdigit() or unicodedata.name(letter, "").startswith("LATIN SMALL")
        for letter in decoded
    )
    return decoded if decoded and latin else label
