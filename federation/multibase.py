"""Multibase of base 58 as Bitcoin has it: the letter `z`, then big-endian digits.

The one base that Multikeys and proof values are written in (Controlled Identifiers, section 2.4;
draft-msporny-base58-03).
"""

from federation.errors import Refused

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DIGITS = {character: digit for digit, character in enumerate(_ALPHABET)}


def encode(data: bytes) -> str:
    """`data` in base58btc, with its multibase prefix `z`."""
    number = int.from_bytes(data, "big")
    digits = []
    while number:
        number, digit = divmod(number, 58)
        digits.append(_ALPHABET[digit])
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "z" + "1" * zeros + "".join(reversed(digits))


def decode(text: object, most: int) -> bytes:
    """The bytes behind a multibase value, of which there may be `most`.

    Raises Refused (bad-multibase) for any other base, letter, type or length.
    """
    # A byte takes 1.37 digits; the cost of the loop grows with the square of their number.
    if not isinstance(text, str) or not text.startswith("z") or len(text) > most * 7 // 5 + 2:
        raise Refused("bad-multibase", "not a short base58btc value")
    number = 0
    try:
        for character in text[1:]:
            number = number * 58 + _DIGITS[character]
    except KeyError:
        raise Refused("bad-multibase", "a letter that base58btc has not") from None
    zeros = len(text) - 1 - len(text[1:].lstrip("1"))
    data = bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
    if len(data) > most:
        raise Refused("bad-multibase", f"{len(data)} bytes")
    return data
