"""Canonical JSON: the one spelling of a document that is hashed for a proof (RFC 8785)."""

import math
from json.encoder import encode_basestring as _quoted
from typing import Any

from federation import limits
from federation.errors import Refused

# A document that passed the gate may have been put inside one of ours.
_DEPTH = limits.JSON_DEPTH + 8


def canonicalize(value: Any) -> bytes:
    """`value` as canonical JSON in UTF-8.

    Dicts with string keys, lists, strings, bools, None, finite floats, and integers below 2^53.
    Raises Refused (not-canonical) for anything else: another type, half a surrogate pair, a
    number that a double cannot hold, more depth than a document may have.
    """
    try:
        return _written(value, _DEPTH).encode("utf-8")
    except UnicodeEncodeError:
        raise Refused("not-canonical", "half a surrogate pair") from None


def _written(value: Any, depth: int) -> str:
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, dict):
        if depth == 0:
            raise Refused("not-canonical", "nested too deeply")
        members = [f"{_quoted(name)}:{_written(value[name], depth - 1)}" for name in _sorted(value)]
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        if depth == 0:
            raise Refused("not-canonical", "nested too deeply")
        return "[" + ",".join([_written(item, depth - 1) for item in value]) + "]"
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, int):
        if -limits.JSON_INTEGER <= value <= limits.JSON_INTEGER:
            return int.__repr__(value)
        raise Refused("not-canonical", "integer of 2^53 or more")
    if isinstance(value, float):
        return _number(value)
    raise Refused("not-canonical", type(value).__name__)


def _sorted(members: dict[Any, Any]) -> list[str]:
    """Names in the order of their UTF-16 code units (RFC 8785, section 3.2.3)."""
    try:
        if "".join(members).isascii():
            return sorted(members)
    except TypeError:
        raise Refused("not-canonical", "a name that is not a string") from None
    return sorted(members, key=lambda name: name.encode("utf-16-be"))


def _number(value: float) -> str:
    """As ECMAScript writes a number (ECMA-262, Number::toString; RFC 8785, section 3.2.2.3).

    Both languages print the shortest digits that read back the same; they part in where the
    exponent begins to show.
    """
    if not math.isfinite(value):
        raise Refused("not-canonical", "not a finite number")
    text = float.__repr__(value)
    if value == 0:
        return "0"
    if "e" not in text:
        return text.removesuffix(".0")
    mantissa, _, power = text.partition("e")
    sign = "-" if mantissa[0] == "-" else ""
    digits = mantissa.lstrip("-").replace(".", "")
    point = int(power) + 1  # where the decimal point stands, counted from the first digit
    if len(digits) <= point <= 21:
        return sign + digits.ljust(point, "0")
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{point - 1:+d}"
